package alertmanagerextension

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/state"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// told is what a webhook gets.
type told struct {
	Status   string
	Receiver string
	GroupKey string
	Alerts   []struct {
		Status string
		Labels map[string]string
	}
}

// names gives status and name of each alert, sorted by Alertmanager.
func (m told) names() string {
	all := make([]string, len(m.Alerts))
	for i, a := range m.Alerts {
		all[i] = a.Status + " " + a.Labels["alertname"]
	}
	return strings.Join(all, ", ")
}

// webhook is a receiver on loopback.
type webhook struct {
	url      string
	messages chan told
}

func newWebhook(t *testing.T) *webhook {
	w := &webhook{messages: make(chan told, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m told
		if json.NewDecoder(r.Body).Decode(&m) == nil {
			w.messages <- m
		}
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// next waits for a message.
func (w *webhook) next(t *testing.T) told {
	t.Helper()
	select {
	case m := <-w.messages:
		return m
	case <-time.After(patience):
		require.Fail(t, "no message came")
		return told{}
	}
}

// config is an alertmanager.yml that groups by name and sends at once.
func (w *webhook) config(more ...string) string {
	return "route: {receiver: hook, group_by: [alertname], group_wait: 1ms, group_interval: 50ms, repeat_interval: 24h}\n" +
		"receivers: [{name: hook, webhook_configs: [{url: \"" + w.url + "\"}]}]\n" + strings.Join(more, "\n")
}

// testHost has a store, and notes what is reported.
type testHost struct {
	component.Host
	extensions map[component.ID]component.Component
	mu         sync.Mutex
	events     []*componentstatus.Event
}

func (h *testHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *testHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *testHost) status() componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.StatusNone
	}
	return h.events[len(h.events)-1].Status()
}

// testStore is a sql_store extension that can be away.
type testStore struct {
	component.Component
	*sqlstore.Store
	away atomic.Bool
}

func openStore(t *testing.T, path string) *testStore {
	store, err := sqlstore.OpenSQLite(sqlstore.SQLite{Path: path, BusyTimeout: 10 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Migrate(t.Context()))
	return &testStore{Store: store}
}

func (s *testStore) SaveEntries(ctx context.Context, entries ...alertmanager.Entry) error {
	if s.away.Load() {
		return state.ErrUnavailable
	}
	return s.Store.SaveEntries(ctx, entries...)
}

func (s *testStore) EntriesSince(ctx context.Context, revision int64) ([]alertmanager.Entry, int64, error) {
	if s.away.Load() {
		return nil, 0, state.ErrUnavailable
	}
	return s.Store.EntriesSince(ctx, revision)
}

// intake stores reports as the incident exporter does.
func (s *testStore) intake(t *testing.T, reports ...alert.Alert) {
	t.Helper()
	require.NoError(t, s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
		_, err := tx.Intake(ctx, reports, time.Hour)
		return err
	}))
}

// instance is one run of the extension.
type instance struct {
	*amExtension
	host *testHost
	file string
}

// start runs an extension on a file with this text, and on a store where there is one.
func start(t *testing.T, text string, store *testStore, change ...func(*Config)) *instance {
	t.Helper()
	i := newInstance(t, text, store, change...)
	i.begin(t)
	return i
}

// newInstance prepares one.
func newInstance(t *testing.T, text string, store *testStore, change ...func(*Config)) *instance {
	t.Helper()
	i := &instance{file: filepath.Join(t.TempDir(), "alertmanager.yml"), host: &testHost{Host: componenttest.NewNopHost()}}
	i.write(t, text)
	cfg := createDefaultConfig().(*Config)
	cfg.ConfigFile, cfg.SyncInterval, cfg.ReloadInterval = i.file, 20*time.Millisecond, 20*time.Millisecond
	if store != nil {
		cfg.SQLStore = component.MustNewID("sql_store")
		i.host.extensions = map[component.ID]component.Component{cfg.SQLStore: store}
	}
	for _, c := range change {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	i.amExtension = newExtension(cfg, extensiontest.NewNopSettings(metadata.Type))
	return i
}

// begin starts it.
func (i *instance) begin(t *testing.T) {
	t.Helper()
	require.NoError(t, i.Start(t.Context(), i.host))
	t.Cleanup(func() { require.NoError(t, i.Shutdown(context.Background())) })
}

func (i *instance) write(t *testing.T, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(i.file, []byte(text), 0o600))
}

// request asks the handler.
func (i *instance) request(method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	i.Handler().ServeHTTP(w, r)
	answer, _ := io.ReadAll(w.Body)
	return w.Code, string(answer)
}

// silence makes one for an alert's name, and gives its ID.
func (i *instance) silence(t *testing.T, name string) string {
	t.Helper()
	code, body := i.request(http.MethodPost, "/api/v2/silences", silenceBody(name))
	require.Equal(t, http.StatusOK, code, body)
	var answer struct{ SilenceID string }
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	return answer.SilenceID
}

func silenceBody(name string) string {
	now := time.Now().UTC()
	return `{"matchers": [{"name": "alertname", "value": "` + name + `", "isRegex": false}], "createdBy": "me", "comment": "why",
		"startsAt": "` + now.Format(time.RFC3339Nano) + `", "endsAt": "` + now.Add(time.Hour).Format(time.RFC3339Nano) + `"}`
}

// states gives the state of each silence, by ID.
func (i *instance) states(t *testing.T) map[string]string {
	t.Helper()
	code, body := i.request(http.MethodGet, "/api/v2/silences", "")
	require.Equal(t, http.StatusOK, code, body)
	var all []struct {
		ID     string
		Status struct{ State string }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	states := map[string]string{}
	for _, s := range all {
		states[s.ID] = s.Status.State
	}
	return states
}

var began = time.Now().Add(-time.Minute).UTC().Truncate(time.Microsecond)

// firing is a report of now. Labels come in pairs beside the name.
func firing(name string, labels ...string) alert.Alert {
	a := alert.Alert{
		Labels: map[string]string{"alertname": name}, Severity: alert.High, Status: alert.Firing,
		StartsAt: began, UpdatedAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	for i := 0; i+1 < len(labels); i += 2 {
		a.Labels[labels[i]] = labels[i+1]
	}
	return a
}

// ended is a report that it ended now.
func ended(a alert.Alert) alert.Alert {
	a.Status, a.UpdatedAt = alert.Resolved, time.Now().UTC().Truncate(time.Microsecond)
	a.EndsAt = a.UpdatedAt
	return a
}
