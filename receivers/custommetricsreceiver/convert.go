package custommetricsreceiver

import (
	"slices"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// The labels that come from a resource in Prometheus' mapping of OTLP, and the attributes they come from.
const (
	jobLabel, jobAttribute           = "job", "service.name"
	instanceLabel, instanceAttribute = "instance", "service.instance.id"
)

// converter finds the place of a point among those that came before.
type converter struct {
	out       pmetric.Metrics
	resources map[resource]map[string]pmetric.NumberDataPointSlice // by metric name
	scopes    map[resource]pmetric.MetricSlice
}

type resource struct{ job, instance string }

// convert makes gauges, grouped by resource and name, each in order of time, as a store wants them. The metadata
// says that the names are Prometheus names already, which keeps them as they are all the way.
func convert(points []point) pmetric.Metrics {
	slices.SortStableFunc(points, func(a, b point) int { return a.timestamp.Compare(b.timestamp) })
	c := &converter{
		out:       pmetric.NewMetrics(),
		resources: map[resource]map[string]pmetric.NumberDataPointSlice{},
		scopes:    map[resource]pmetric.MetricSlice{},
	}
	for _, p := range points {
		c.add(p)
	}
	return c.out
}

func (c *converter) add(p point) {
	dp := c.gauge(resource{job: p.labels.Get(jobLabel), instance: p.labels.Get(instanceLabel)}, p.name).AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(p.timestamp))
	dp.SetDoubleValue(p.value)
	dp.Attributes().EnsureCapacity(p.labels.Len())
	p.labels.Range(func(l labels.Label) {
		if l.Name != jobLabel && l.Name != instanceLabel {
			dp.Attributes().PutStr(l.Name, l.Value)
		}
	})
}

// gauge gives the data points of a metric.
func (c *converter) gauge(r resource, name string) pmetric.NumberDataPointSlice {
	gauges, known := c.resources[r]
	if !known {
		rm := c.out.ResourceMetrics().AppendEmpty()
		putLabel(rm.Resource(), jobAttribute, r.job)
		putLabel(rm.Resource(), instanceAttribute, r.instance)
		// The scope has no name: one would become a label.
		gauges, c.scopes[r] = map[string]pmetric.NumberDataPointSlice{}, rm.ScopeMetrics().AppendEmpty().Metrics()
		c.resources[r] = gauges
	}
	if points, known := gauges[name]; known {
		return points
	}
	metric := c.scopes[r].AppendEmpty()
	metric.SetName(name)
	metric.Metadata().PutStr(prometheus.MetricMetadataTypeKey, "unknown")
	gauges[name] = metric.SetEmptyGauge().DataPoints()
	return gauges[name]
}

func putLabel(r pcommon.Resource, attribute, value string) {
	if value != "" {
		r.Attributes().PutStr(attribute, value)
	}
}
