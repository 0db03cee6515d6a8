package alertmanagerexporter

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/prometheus/prometheus/discovery/file" // so that the configuration that asks for it is understood
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/quantivista/monitoring/exporters/alertmanagerexporter/internal/metadata"
	"github.com/quantivista/monitoring/exporters/alertmanagerexporter/internal/metadatatest"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
)

// sink is an alertmanager extension that answers what it is told to.
type sink struct {
	component.Component
	answers chan error
	got     chan []alert.Alert
}

func newSink() *sink { return &sink{answers: make(chan error, 10), got: make(chan []alert.Alert, 10)} }

func (s *sink) Put(_ context.Context, alerts ...alert.Alert) error {
	s.got <- alerts
	select {
	case err := <-s.answers:
		return err
	default:
		return nil
	}
}

type host struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

var sinkID = component.MustNewID("alertmanager")

// start runs an exporter without a queue, so that the answers are seen.
func start(t *testing.T, s *sink, set exporter.Settings, change ...func(*Config)) exporter.Metrics {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	cfg.RetryConfig.InitialInterval = time.Millisecond
	cfg.Alertmanager = sinkID
	for _, c := range change {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	e, err := NewFactory().CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), host{componenttest.NewNopHost(), map[component.ID]component.Component{sinkID: s}}))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return e
}

func nop() exporter.Settings { return exportertest.NewNopSettings(metadata.Type) }

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func firing(name string) alert.Alert {
	return alert.Alert{Labels: map[string]string{"alertname": name}, Severity: alert.High, Status: alert.Firing, StartsAt: began, UpdatedAt: began.Add(time.Minute)}
}

func export(t *testing.T, e exporter.Metrics, alerts ...alert.Alert) error {
	t.Helper()
	md, err := alert.Encode("test", alerts)
	require.NoError(t, err)
	return e.ConsumeMetrics(t.Context(), md)
}

func TestAlertsAreHandedOver(t *testing.T) {
	s, telemetry := newSink(), componenttest.NewTelemetry()
	set := nop()
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	e := start(t, s, set)
	s.answers <- alertmanager.ErrNotReady
	s.answers <- alertmanager.ErrFull
	down, late := firing("Down"), firing("Late")
	late.Status, late.EndsAt = alert.Resolved, late.UpdatedAt
	require.NoError(t, export(t, e, down, late), "it is tried again")
	for range 3 {
		assert.Equal(t, []alert.Alert{down, late}, <-s.got)
	}
	metadatatest.AssertEqualExporterAlertmanagerAlerts(t, telemetry, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("status", "firing")), Value: 1}, {Attributes: attribute.NewSet(attribute.String("status", "resolved")), Value: 1},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestWhatCannotBeTakenIsNotTriedAgain(t *testing.T) {
	s, telemetry := newSink(), componenttest.NewTelemetry()
	set := nop()
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	e := start(t, s, set)
	s.answers <- errors.Join(alertmanager.ErrInvalid)
	require.NoError(t, export(t, e, firing("Fine"), firing("Broken")))
	s.answers <- errors.Join(alertmanager.ErrInvalid, alertmanager.ErrInvalid)
	require.True(t, consumererror.IsPermanent(export(t, e, firing("Broken"), firing("Broken"))))

	md, err := alert.Encode("test", []alert.Alert{firing("Malformed")})
	require.NoError(t, err)
	md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).SetDoubleValue(7)
	require.True(t, consumererror.IsPermanent(e.ConsumeMetrics(t.Context(), md)))
	assert.Len(t, s.got, 2)
	metadatatest.AssertEqualExporterAlertmanagerRefusedAlerts(t, telemetry, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("reason", "refused")), Value: 3}, {Attributes: attribute.NewSet(attribute.String("reason", "malformed")), Value: 1},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestExternalAlertmanagersToo(t *testing.T) {
	type posted struct {
		Labels           map[string]string
		StartsAt, EndsAt time.Time
	}
	received := make(chan []posted, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var alerts []posted
		if assert.Equal(t, "/am/api/v2/alerts", r.URL.Path) && assert.NoError(t, json.NewDecoder(r.Body).Decode(&alerts)) {
			received <- alerts
		}
	}))
	t.Cleanup(server.Close)
	external := func(c *Config) {
		c.Alertmanagers = []map[string]any{{"path_prefix": "/am", "static_configs": []any{map[string]any{"targets": []any{server.Listener.Addr().String()}}}}}
		c.AlertRelabelConfigs = []map[string]any{{"action": "labeldrop", "regex": "replica"}}
	}
	s := newSink()
	down := firing("Down")
	down.Labels["replica"] = "a"
	require.NoError(t, export(t, start(t, s, nop(), external), down))
	assert.Equal(t, []posted{{Labels: map[string]string{"alertname": "Down"}, StartsAt: began}}, <-received, "its end is the Alertmanager's to say")
	assert.Equal(t, []alert.Alert{down}, <-s.got)

	alone := start(t, s, nop(), external, func(c *Config) { c.Alertmanager = component.ID{} })
	down.ExpiresAt = began.Add(time.Hour)
	require.NoError(t, export(t, alone, down))
	assert.Equal(t, down.ExpiresAt, (<-received)[0].EndsAt, "unless its reporter said so")
	down.Status, down.EndsAt, down.ExpiresAt = alert.Resolved, down.UpdatedAt, time.Time{}
	require.NoError(t, export(t, alone, down))
	assert.Equal(t, down.EndsAt, (<-received)[0].EndsAt)
	assert.Empty(t, s.got)
}

func TestConfig(t *testing.T) {
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	for name, want := range map[string]string{
		"": "", "both": "", "none": `"alertmanager" must name an alertmanager extension`, "discovery": `"alertmanagers::0": only static_configs are known here, not file`,
	} {
		sub, err := file.Sub(component.NewIDWithName(metadata.Type, name).String())
		require.NoError(t, err)
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, sub.Unmarshal(cfg))
		err = xconfmap.Validate(cfg)
		if want == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, want, name)
		}
	}
}

func TestStartNamesWhatIsMissing(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Alertmanager = sinkID
	e, err := NewFactory().CreateMetrics(t.Context(), nop(), cfg)
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), `"alertmanager": extension "alertmanager" is not running`)
	require.NoError(t, e.Shutdown(t.Context()))
}
