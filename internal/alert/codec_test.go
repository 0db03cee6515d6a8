package alert_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
)

const scope = "test"

// anyAlert draws alerts of every kind that the codec must carry.
func anyAlert(t *rapid.T) alert.Alert {
	texts := rapid.MapOfN(rapid.StringN(1, 20, -1), rapid.String(), 0, 5)
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(1, math.MaxInt64/int64(time.Second)-1).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
	})
	a := alert.Alert{
		Labels:       texts.Draw(t, "labels"),
		Annotations:  texts.Draw(t, "annotations"),
		Severity:     rapid.SampledFrom(alert.Severities()).Draw(t, "severity"),
		Status:       rapid.SampledFrom([]alert.Status{alert.Firing, alert.Resolved}).Draw(t, "status"),
		StartsAt:     moment.Draw(t, "startsAt"),
		UpdatedAt:    moment.Draw(t, "updatedAt"),
		GeneratorURL: rapid.String().Draw(t, "generatorURL"),
		RuleID:       rapid.String().Draw(t, "ruleID"),
	}
	delete(a.Labels, "__name__")
	a.Labels["alertname"] = rapid.StringN(1, -1, -1).Draw(t, "alertname")
	if len(a.Annotations) == 0 {
		a.Annotations = nil
	}
	if rapid.Bool().Draw(t, "has value") {
		a.Value = new(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324})).Draw(t, "value"))
	}
	if a.Status == alert.Resolved {
		a.EndsAt = moment.Draw(t, "endsAt")
	}
	switch expires := rapid.Bool().Draw(t, "expires"); {
	case expires && a.Status == alert.Resolved:
		a.ExpiresAt = a.EndsAt
	case expires:
		a.ExpiresAt = moment.Draw(t, "expiresAt")
	}
	return a
}

func anyAlerts(t *rapid.T) []alert.Alert {
	return rapid.SliceOfN(rapid.Custom(anyAlert), 1, 8).Draw(t, "alerts")
}

func encode(t require.TestingT, alerts []alert.Alert) pmetric.Metrics {
	md, err := alert.Encode(scope, alerts)
	require.NoError(t, err)
	return md
}

func decode(t require.TestingT, md pmetric.Metrics) []alert.Alert {
	alerts, err := alert.Decode(md)
	require.NoError(t, err)
	return alerts
}

func TestAlertsComeBackAsTheyWent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alerts := anyAlerts(t)
		md := encode(t, alerts)
		require.Equal(t, alerts, decode(t, md))

		packed, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
		require.NoError(t, err)
		unpacked, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(packed)
		require.NoError(t, err)
		require.Equal(t, alerts, decode(t, unpacked), "protobuf")

		packed, err = (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
		require.NoError(t, err)
		unpacked, err = (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(packed)
		require.NoError(t, err)
		require.Equal(t, alerts, decode(t, unpacked), "JSON")
	})
}

// TestMetricsComeBackAsTheyWent is the other way: what decodes encodes to the same metrics, but for the order of
// attributes.
func TestMetricsComeBackAsTheyWent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		md := encode(t, anyAlerts(t))
		again := encode(t, decode(t, md))
		want, got := metrics(md), metrics(again)
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, raw(want[i]), raw(got[i]))
		}
	})
}

func metrics(md pmetric.Metrics) []pmetric.Metric {
	var all []pmetric.Metric
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				all = append(all, m)
			}
		}
	}
	return all
}

// raw gives all of a metric as what can be compared.
func raw(m pmetric.Metric) []any {
	p := m.Gauge().DataPoints().At(0)
	return []any{m.Name(), m.Metadata().AsRaw(), p.Attributes().AsRaw(), p.StartTimestamp(), p.Timestamp(), p.Flags(), p.ValueType(), p.DoubleValue()}
}

// TestBatchesMayBeMergedSplitAndReordered does what batch processors and queues do.
func TestBatchesMayBeMergedSplitAndReordered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, two := anyAlerts(t), anyAlerts(t)
		merged := encode(t, one)
		encode(t, two).ResourceMetrics().MoveAndAppendTo(merged.ResourceMetrics())
		all := append(append([]alert.Alert{}, one...), two...)
		require.Equal(t, all, decode(t, merged))

		var apart []alert.Alert
		shuffled := pmetric.NewMetrics()
		for _, m := range rapid.Permutation(metrics(merged)).Draw(t, "order") {
			single := pmetric.NewMetrics()
			m.CopyTo(single.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty())
			apart = append(apart, decode(t, single)...)
			rm := shuffled.ResourceMetrics().AppendEmpty()
			rm.Resource().Attributes().PutStr("host.name", "x")
			sm := rm.ScopeMetrics().AppendEmpty()
			other := sm.Metrics().AppendEmpty()
			other.SetName("up")
			other.SetEmptySum().DataPoints().AppendEmpty()
			m.CopyTo(sm.Metrics().AppendEmpty())
		}
		require.ElementsMatch(t, all, apart)
		require.Equal(t, apart, decode(t, shuffled), "other metrics and resources between")
	})
}

// firing is a plain alert to break.
func firing() alert.Alert {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return alert.Alert{
		Labels: map[string]string{"alertname": "Down", "job": "api"}, Severity: alert.High, Status: alert.Firing, StartsAt: at, UpdatedAt: at.Add(time.Minute),
	}
}

func TestTheFormOfAnAlert(t *testing.T) {
	a := firing()
	m := metrics(encode(t, []alert.Alert{a}))[0]
	assert.True(t, alert.IsAlert(m))
	p := m.Gauge().DataPoints().At(0)
	assert.Equal(t, map[string]any{"alertname": "Down", "job": "api"}, p.Attributes().AsRaw())
	assert.Equal(t, a.StartsAt, p.StartTimestamp().AsTime())
	assert.Equal(t, a.UpdatedAt, p.Timestamp().AsTime())
	assert.InDelta(t, 1, p.DoubleValue(), 0)
	assert.Equal(t, map[string]any{"alert.severity": "high"}, m.Metadata().AsRaw())

	a.Status, a.EndsAt = alert.Resolved, a.UpdatedAt
	p = metrics(encode(t, []alert.Alert{a}))[0].Gauge().DataPoints().At(0)
	assert.True(t, p.Flags().NoRecordedValue())
	assert.Equal(t, pmetric.NumberDataPointValueTypeEmpty, p.ValueType())
}

func TestWhatCannotBeCarriedIsLeftOut(t *testing.T) {
	for field, spoil := range map[string]func(*alert.Alert){
		"alertname":   func(a *alert.Alert) { a.Labels = nil },
		"labels":      func(a *alert.Alert) { a.Labels["x"] = "\xff" },
		"__name__":    func(a *alert.Alert) { a.Labels["__name__"] = "x" },
		"annotations": func(a *alert.Alert) { a.Annotations = map[string]string{"": "x"} },
		"severity":    func(a *alert.Alert) { a.Severity = "page" },
		"status":      func(a *alert.Alert) { a.Status = "pending" },
		"startsAt":    func(a *alert.Alert) { a.StartsAt = time.Time{} },
		"updatedAt":   func(a *alert.Alert) { a.UpdatedAt = time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC) },
		"endsAt":      func(a *alert.Alert) { a.Status = alert.Resolved },
		"while":       func(a *alert.Alert) { a.EndsAt = a.StartsAt },
		"expiresAt":   func(a *alert.Alert) { a.ExpiresAt = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) },
		"unless it is its end": func(a *alert.Alert) {
			a.Status, a.EndsAt, a.ExpiresAt = alert.Resolved, a.UpdatedAt, a.UpdatedAt.Add(time.Second)
		},
		"generatorURL": func(a *alert.Alert) { a.GeneratorURL = "\xff" },
	} {
		broken, whole := firing(), firing()
		spoil(&broken)
		md, err := alert.Encode(scope, []alert.Alert{broken, whole})
		assert.ErrorContains(t, err, field)
		assert.Equal(t, []alert.Alert{whole}, decode(t, md), field)
	}
}

func TestMalformedAlertsAreNamedByTheirField(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(pmetric.Metric, pmetric.NumberDataPoint)
		want  string
	}{
		"a sum":            {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.SetEmptySum().DataPoints().AppendEmpty() }, "data points"},
		"no point":         {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.SetEmptyGauge() }, "data points"},
		"two points":       {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.Gauge().DataPoints().AppendEmpty() }, "data points"},
		"no labels":        {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.Attributes().Clear() }, "labels"},
		"a number":         {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.Attributes().PutInt("code", 5) }, `labels: "code"`},
		"another value":    {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetDoubleValue(0) }, "value"},
		"an integer":       {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetIntValue(1) }, "value"},
		"no start":         {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetStartTimestamp(0) }, "startsAt"},
		"time too far":     {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetTimestamp(math.MaxUint64) }, "updatedAt"},
		"no severity":      {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.Metadata().Clear() }, "severity"},
		"unknown severity": {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.Metadata().PutStr("alert.severity", "page") }, "severity"},
		"severity's type":  {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.Metadata().PutInt("alert.severity", 1) }, "alert.severity"},
		"value's type":     {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.Metadata().PutStr("alert.value", "1") }, "alert.value"},
		"annotations": {func(m pmetric.Metric, _ pmetric.NumberDataPoint) {
			m.Metadata().PutEmptyMap("alert.annotations").PutBool("summary", true)
		}, `annotations: "summary"`},
		"an expiry": {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.Metadata().PutInt("alert.expires_at", -1) }, "expiresAt"},
		"an end":    {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.Metadata().PutInt("alert.ends_at", 1) }, "endsAt"},
		"no end": {func(_ pmetric.Metric, p pmetric.NumberDataPoint) {
			p.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		}, "endsAt"},
	} {
		whole, broken := firing(), firing()
		md := encode(t, []alert.Alert{broken, whole})
		m := metrics(md)[0]
		tc.spoil(m, m.Gauge().DataPoints().At(0))
		alerts, err := alert.Decode(md)
		assert.ErrorContains(t, err, tc.want, name)
		assert.ErrorContains(t, err, "resource 0, scope 0, metric 0", name)
		assert.Equal(t, []alert.Alert{whole}, alerts, name)
	}
}

func TestAlertsOfAPrometheusAreNotOurs(t *testing.T) {
	m := pmetric.NewMetric()
	m.SetName("ALERTS")
	m.Metadata().PutStr("prometheus.type", "gauge")
	assert.False(t, alert.IsAlert(m))
}

// FuzzDecode takes any OTLP, and wants no panic; what it takes for alerts must come back as they went.
func FuzzDecode(f *testing.F) {
	resolved := firing()
	resolved.Status, resolved.EndsAt, resolved.Value = alert.Resolved, resolved.UpdatedAt, new(1.5)
	resolved.Annotations = map[string]string{"summary": "down"}
	expiring := firing()
	expiring.ExpiresAt = expiring.UpdatedAt.Add(time.Hour)
	for _, a := range []alert.Alert{firing(), resolved, expiring} {
		packed, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(encode(f, []alert.Alert{a}))
		require.NoError(f, err)
		f.Add(packed)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, packed []byte) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(packed)
		if err != nil {
			return
		}
		alerts, _ := alert.Decode(md)
		again := decode(t, encode(t, alerts))
		require.Len(t, again, len(alerts))
		for i := range alerts {
			if v := alerts[i].Value; v != nil && math.IsNaN(*v) {
				require.True(t, math.IsNaN(*again[i].Value))
				alerts[i].Value, again[i].Value = nil, nil
			}
			require.Equal(t, alerts[i], again[i])
		}
	})
}
