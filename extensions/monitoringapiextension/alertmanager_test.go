package monitoringapiextension

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/alertmanager"
)

// echoManager is an Alertmanager whose handler tells what it is asked for.
type echoManager struct {
	component.StartFunc
	component.ShutdownFunc
	alertmanager.Sink
	alertmanager.Muter
	alertmanager.Silencer
	alertmanager.Decider
	alertmanager.Tester
}

var _ alertmanager.Alertmanager = (*echoManager)(nil)

func (*echoManager) Status() alertmanager.Status { return alertmanager.Status{} }

func (*echoManager) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Method + " " + r.URL.Path)) })
}

func TestAnAlertmanagerIsServedUnderItsPrefix(t *testing.T) {
	id := component.MustNewID("alertmanager")
	cfg := testConfig()
	cfg.Alertmanager = id
	m := newExtension(cfg, nopSettings())
	assert.Equal(t, []component.ID{storeID, id}, m.Dependencies())
	require.ErrorContains(t, m.Start(t.Context(), host{storeID: newTestStore(t, "")}), `"alertmanager": extension "alertmanager" is not running`)
	require.NoError(t, m.Start(context.Background(), host{storeID: newTestStore(t, ""), id: &echoManager{}}))
	t.Cleanup(func() { require.NoError(t, m.Shutdown(context.Background())) })
	base := "http://" + m.addr.String()
	for _, request := range []string{"GET /api/v2/alerts/groups", "DELETE /api/v2/silence/1", "POST /-/reload"} {
		method, path, _ := strings.Cut(request, " ")
		got := do(t, method, base+"/alertmanager"+path, "")
		assert.Equal(t, http.StatusOK, got.status, request)
		assert.Equal(t, request, got.body)
	}
}

func TestWithoutAnAlertmanager(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	got := get(t, base+"/alertmanager/api/v2/status")
	assert.Equal(t, http.StatusNotFound, got.status)
	assert.Contains(t, got.problem(t).Detail, `declare an "alertmanager" extension`)
}
