package otlpload

import (
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

const (
	// GaugeMetric is the name of Gauges in PromQL.
	GaugeMetric = "bench_gauge"
	// NumberLabel tells them apart.
	NumberLabel = "number"
)

// Gauges gives one request with series that are 1 at a time, numbered from first on.
func Gauges(first, count int, at time.Time) (Lanes, error) {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(GaugeMetric)
	points := m.SetEmptyGauge().DataPoints()
	points.EnsureCapacity(count)
	for number := first; number < first+count; number++ {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetDoubleValue(1)
		p.Attributes().PutStr(NumberLabel, strconv.Itoa(number))
	}
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	return Lanes{{{Body: body, Items: count}}}, err
}
