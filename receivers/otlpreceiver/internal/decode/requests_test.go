package decode

import (
	"fmt"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"pgregory.net/rapid"
)

// requests invents what a sender may have: every kind of metric, and every kind of attribute.
func requests() *rapid.Generator[pmetric.Metrics] {
	return rapid.Custom(func(t *rapid.T) pmetric.Metrics {
		md := pmetric.NewMetrics()
		for range few(t, "resources") {
			rm := md.ResourceMetrics().AppendEmpty()
			rm.SetSchemaUrl(someText(t))
			someAttributes(t, rm.Resource().Attributes())
			rm.Resource().SetDroppedAttributesCount(rapid.Uint32().Draw(t, "dropped"))
			for range few(t, "scopes") {
				sm := rm.ScopeMetrics().AppendEmpty()
				sm.Scope().SetName(someText(t))
				sm.Scope().SetVersion(someText(t))
				someAttributes(t, sm.Scope().Attributes())
				for range few(t, "metrics") {
					someMetric(t, sm.Metrics().AppendEmpty())
				}
			}
		}
		return md
	})
}

func few(t *rapid.T, what string) int { return rapid.IntRange(0, 3).Draw(t, what) }

func someText(t *rapid.T) string {
	return rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", "service"}), rapid.StringN(0, 200, -1)).Draw(t, "text")
}

func someAttributes(t *rapid.T, m pcommon.Map) {
	for i := range few(t, "attributes") {
		someValue(t, m.PutEmpty(fmt.Sprint(someText(t), i)))
	}
}

func someValue(t *rapid.T, v pcommon.Value) {
	switch rapid.SampledFrom([]string{"text", "text", "text", "int", "double", "bool", "bytes", "list", "map", "nothing"}).Draw(t, "kind") {
	case "text":
		v.SetStr(someText(t))
	case "int":
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case "double":
		v.SetDouble(rapid.Float64().Draw(t, "double"))
	case "bool":
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case "bytes":
		v.SetEmptyBytes().FromRaw(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes"))
	case "list":
		v.SetEmptySlice().AppendEmpty().SetStr(someText(t))
	case "map":
		v.SetEmptyMap().PutStr("k", someText(t))
	}
}

func someMetric(t *rapid.T, m pmetric.Metric) {
	m.SetName(someText(t))
	m.SetUnit(someText(t))
	m.SetDescription(someText(t))
	someAttributes(t, m.Metadata())
	switch rapid.SampledFrom([]string{"gauge", "gauge", "sum", "sum", "histogram", "exponential", "summary", "nothing"}).Draw(t, "type") {
	case "gauge":
		somePoints(t, m.SetEmptyGauge().DataPoints())
	case "sum":
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(rapid.Bool().Draw(t, "monotonic"))
		sum.SetAggregationTemporality(pmetric.AggregationTemporality(rapid.Int32Range(0, 2).Draw(t, "temporality")))
		somePoints(t, sum.DataPoints())
	case "histogram":
		for range few(t, "points") {
			p := m.SetEmptyHistogram().DataPoints().AppendEmpty()
			p.BucketCounts().FromRaw([]uint64{1, 2})
			p.ExplicitBounds().FromRaw([]float64{1})
			p.SetSum(3)
			someAttributes(t, p.Attributes())
		}
	case "exponential":
		p := m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
		p.Positive().BucketCounts().FromRaw([]uint64{1, 2, 3})
		p.SetScale(-2)
	case "summary":
		p := m.SetEmptySummary().DataPoints().AppendEmpty()
		p.QuantileValues().AppendEmpty().SetQuantile(0.5)
		someAttributes(t, p.Attributes())
	}
}

func somePoints(t *rapid.T, points pmetric.NumberDataPointSlice) {
	for range rapid.IntRange(0, 8).Draw(t, "points") {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.Timestamp(rapid.Uint64().Draw(t, "time")))
		p.SetStartTimestamp(pcommon.Timestamp(rapid.Uint64().Draw(t, "start")))
		p.SetFlags(pmetric.DataPointFlags(rapid.SampledFrom([]uint32{0, 0, 1, 1 << 31}).Draw(t, "flags")))
		switch rapid.IntRange(0, 3).Draw(t, "value") {
		case 0:
			p.SetIntValue(rapid.Int64().Draw(t, "int"))
		case 1, 2:
			p.SetDoubleValue(rapid.Float64().Draw(t, "double"))
		}
		someAttributes(t, p.Attributes())
		if rapid.IntRange(0, 9).Draw(t, "exemplar") == 0 {
			e := p.Exemplars().AppendEmpty()
			e.SetTimestamp(pcommon.Timestamp(rapid.Uint64().Draw(t, "time")))
			if rapid.Bool().Draw(t, "integer") {
				e.SetIntValue(rapid.Int64().Draw(t, "int"))
			} else {
				e.SetDoubleValue(rapid.Float64().Draw(t, "double"))
			}
			if rapid.Bool().Draw(t, "traced") {
				e.SetTraceID([16]byte{1})
				e.SetSpanID([8]byte{2})
			}
			someAttributes(t, e.FilteredAttributes())
		}
	}
}

// bigRequest is one of 1,000 points, as an SDK sends them. Sums may have exemplars.
func bigRequest(t require.TestingT, exemplars bool) []byte {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	sm := rm.ScopeMetrics().AppendEmpty()
	for i := range 10 {
		m := sm.Metrics().AppendEmpty()
		m.SetName(fmt.Sprint("metric_", i))
		points := m.SetEmptyGauge().DataPoints()
		if i%2 == 0 {
			points = m.SetEmptySum().DataPoints()
		}
		for j := range 100 {
			p := points.AppendEmpty()
			p.SetTimestamp(pcommon.Timestamp(1e18 + j))
			p.SetStartTimestamp(1e18)
			p.SetDoubleValue(float64(j))
			p.Attributes().PutStr("http.method", "GET")
			p.Attributes().PutStr("http.route", fmt.Sprint("/api/v1/route/", j%10))
			p.Attributes().PutStr("http.status", fmt.Sprint(j/10))
			p.Attributes().PutStr("zone", "eu-west")
			p.Attributes().PutStr("pod", fmt.Sprint("pod-", i, j))
			if exemplars && i%2 == 0 {
				p.Exemplars().AppendEmpty().SetTraceID([16]byte{byte(j)})
			}
		}
	}
	return encode(t, md)
}
