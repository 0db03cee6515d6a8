package alertreceiver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-openapi/strfmt"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/quantivista/monitoring/extensions/monitoringapiextension"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/receivers/alertreceiver/internal/metadata"
)

var now = time.Date(2025, 6, 20, 15, 8, 23, 0, time.UTC)

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// server stands for the monitoring_api extension.
type server struct {
	component.StartFunc
	component.ShutdownFunc
	handler monitoringapiextension.AlertsHandler
	refuse  error
}

func (s *server) HandleAlerts(_ component.ID, handler monitoringapiextension.AlertsHandler) (func(), error) {
	if s.refuse != nil {
		return nil, s.refuse
	}
	s.handler = handler
	return func() { s.handler = nil }, nil
}

// pipeline stands for one that leads to an incident exporter: it fills in receipts.
type pipeline struct {
	mu     sync.Mutex
	alerts []alert.Alert
	err    error // answers what comes, where set
	forget bool  // keeps for later what comes, as a batch does
}

func (*pipeline) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *pipeline) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	alerts, err := alert.Decode(md)
	p.alerts = append(p.alerts, alerts...)
	if receipt := alert.ReceiptOf(ctx); receipt != nil && !p.forget {
		records := make([]alert.Record, len(alerts))
		for i, a := range alerts {
			records[i] = alert.Record{Alert: a, ID: "stored"}
		}
		receipt.Fill(records)
	}
	return err
}

func (p *pipeline) take() []alert.Alert {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.alerts
	p.alerts = nil
	return taken
}

// start runs a receiver in front of a consumer.
func start(t testing.TB, next consumer.Metrics) *alertReceiver {
	t.Helper()
	r, err := newReceiver(createDefaultConfig().(*Config), receivertest.NewNopSettings(metadata.Type), next)
	require.NoError(t, err)
	r.now = func() time.Time { return now }
	require.NoError(t, r.Start(t.Context(), host{component.MustNewID("monitoring_api"): &server{}}))
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.Background())) })
	return r
}

func dateTime(at time.Time) strfmt.DateTime { return strfmt.DateTime(at) }

// post sends a body as to an Alertmanager.
func post(t testing.TB, r *alertReceiver, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/alertmanager/api/v2/alerts", strings.NewReader(body))
	request.Header.Set("Content-Type", jsonType)
	w := httptest.NewRecorder()
	r.PostAlerts(w, request)
	return w
}
