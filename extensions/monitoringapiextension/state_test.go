package monitoringapiextension

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/sqlstore/sqlitetest"
)

var sqlStoreID = component.MustNewID("sql_store")

// testState is a sql_store extension on a SQLite file.
type testState struct {
	component.StartFunc
	component.ShutdownFunc
	*sqlstore.Store
}

var _ stateStore = (*testState)(nil)

func newTestState(t testing.TB) *testState {
	t.Helper()
	store := sqlitetest.Open(t, time.Minute)
	return &testState{Store: store}
}

// intake stores reports as the pipeline would.
func (s *testState) intake(t testing.TB, reports ...alert.Alert) (records []alert.Record) {
	t.Helper()
	require.NoError(t, s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
		changes, err := tx.Intake(ctx, reports, time.Hour)
		for i := range changes {
			records = append(records, changes[i].After)
		}
		return err
	}))
	return records
}

// startWithState runs the extension with a database, for clients of this name.
func startWithState(t testing.TB, name string) (base string, stored *testState) {
	t.Helper()
	stored = newTestState(t)
	door := component.MustNewID("door")
	cfg := testConfig()
	cfg.SQLStore = sqlStoreID
	cfg.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: door}})
	m := newExtension(cfg, nopSettings())
	require.NoError(t, m.Start(context.Background(), host{storeID: newTestStore(t, ""), sqlStoreID: stored, door: &doorman{name: name}}))
	t.Cleanup(func() { require.NoError(t, m.Shutdown(context.Background())) })
	return "http://" + m.addr.String(), stored
}

// doorman lets every client in under one name.
type doorman struct {
	component.StartFunc
	component.ShutdownFunc
	name string
}

func (d *doorman) Authenticate(ctx context.Context, _ map[string][]string) (context.Context, error) {
	info := client.FromContext(ctx)
	info.Auth = d
	return client.NewContext(ctx, info), nil
}

func (d *doorman) GetAttribute(name string) any {
	if name == "username" {
		return d.name
	}
	return nil
}

func (*doorman) GetAttributeNames() []string { return []string{"username"} }

// sendJSON sends a JSON body, and wants a status.
func sendJSON(t testing.TB, method, url, body string, status int, headers ...string) answer {
	t.Helper()
	got := do(t, method, url, body, append([]string{"Content-Type", jsonType}, headers...)...)
	require.Equal(t, status, got.status, got.body)
	return got
}

// allPages follows the Link headers, calling between before each next page, and gives the fields of all elements.
func allPages(t testing.TB, url, field string, between func()) (values []string) {
	t.Helper()
	for range 100 {
		got := get(t, url)
		require.Equal(t, http.StatusOK, got.status, got.body)
		for _, element := range decode[[]map[string]any](t, got) {
			values = append(values, element[field].(string))
		}
		next, isNext := strings.CutSuffix(got.header.Get("Link"), `>; rel="next"`)
		if !isNext {
			require.Empty(t, got.header.Get("Link"))
			return values
		}
		path, _, _ := strings.Cut(url, "?")
		url = path + strings.TrimPrefix(next, "<")
		between()
	}
	require.Fail(t, "the list has no end")
	return nil
}

func TestWithoutState(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	for _, path := range []string{"/api/v1/incidents", "/api/v1/incidents/0197911e-91f0-7c7e-b3a5-6f0c1f6f4a11", "/api/v1/incidents/0197911e-91f0-7c7e-b3a5-6f0c1f6f4a11/timeline"} {
		got := get(t, base+path)
		assert.Equal(t, http.StatusNotFound, got.status, path)
		assert.Contains(t, got.problem(t).Detail, `declare a "sql_store" extension`, path)
	}
	got := sendJSON(t, http.MethodPost, base+"/api/v1/incidents", `{"title":"T","severity":"low"}`, http.StatusNotFound)
	assert.Contains(t, got.problem(t).Detail, `"sql_store"`)
}

func TestStartWithoutTheStateThatIsNamed(t *testing.T) {
	cfg := testConfig()
	cfg.SQLStore = sqlStoreID
	m := newExtension(cfg, nopSettings())
	require.ErrorContains(t, m.Start(t.Context(), host{storeID: newTestStore(t, "")}), `"sql_store": extension "sql_store" is not running`)
	require.ErrorContains(t, m.Start(t.Context(), host{storeID: newTestStore(t, ""), sqlStoreID: &doorman{}}), `"sql_store"`)
}

func TestStateIsAway(t *testing.T) {
	base, stored := startWithState(t, "")
	require.NoError(t, stored.Close())
	got := get(t, base+"/api/v1/incidents")
	assert.Equal(t, http.StatusServiceUnavailable, got.status)
	assert.NotEmpty(t, got.header.Get("Retry-After"))
	got.problem(t)
	got = sendJSON(t, http.MethodPost, base+"/api/v1/incidents", `{"title":"T","severity":"low"}`, http.StatusServiceUnavailable)
	assert.NotEmpty(t, got.header.Get("Retry-After"))
}
