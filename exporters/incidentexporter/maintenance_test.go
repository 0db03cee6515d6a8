package incidentexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/quantivista/monitoring/exporters/incidentexporter/internal/metadatatest"
	"github.com/quantivista/monitoring/internal/maintenance"
)

func TestMaintenanceHoldsAlertsBack(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	defer func() { require.NoError(t, telemetry.Shutdown(t.Context())) }()
	set := settings()
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	store := openSQLite(t)
	windows := maintenance.Desk{Store: store, Now: time.Now}
	w, err := windows.Create(t.Context(), "ann", maintenance.Definition{
		Name: "Patches", Matchers: []string{`service="cart"`}, TimeZone: "UTC",
		StartsAt: time.Now().Add(-time.Minute), EndsAt: time.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	e, stop := start(t, store, set, func(cfg *Config) {
		direct(cfg)
		cfg.SweepInterval = 10 * time.Millisecond
	})
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, firing("Slow", time.Now()))))
	held, err := store.HeldAlerts(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, held, 1)
	assert.Equal(t, w.ID, held[0].By[0].ID)
	assert.Empty(t, store.incidents(t))

	_, err = windows.Cancel(t.Context(), w.ID, "ann", func(int64) error { return nil })
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(store.incidents(t)) == 1 }, 10*time.Second, 10*time.Millisecond,
		"the sweeper lets it go")
	stop() // waits until it is counted
	point := func(transition string) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.String("transition", transition)), Value: 1}
	}
	metadatatest.AssertEqualExporterIncidentAlertTransitions(t, telemetry,
		[]metricdata.DataPoint[int64]{point("fired"), point("muted"), point("released")},
		metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}
