package metricstoreexporter

import (
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	// scrapedTypeKey is in the metadata of every metric that the prometheus receiver makes.
	scrapedTypeKey = "prometheus.type"
	// scrapeScope is the scope of scraped metrics that have no scope of their own.
	scrapeScope = "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"

	attrServiceName       = "service.name"
	attrServiceInstanceID = "service.instance.id"
)

// isScraped says whether a metric has a Prometheus name already, which is kept to the letter: no suffix is added,
// no character replaced.
func isScraped(m pmetric.Metric) bool {
	if m.Metadata().Len() == 0 {
		return false
	}
	_, ok := m.Metadata().Get(scrapedTypeKey)
	return ok
}

// scrapedType is the metric type that the target declared.
func scrapedType(m pmetric.Metric) model.MetricType {
	v, _ := m.Metadata().Get(scrapedTypeKey)
	return model.MetricType(v.Str())
}

// scrapedBounds writes le and quantile as Prometheus does since 3.0 when it scrapes: le="1.0", where its OTLP
// endpoint writes le="1".
func (p *queued) scrapedBounds() {
	switch p.src.m.Type() {
	case pmetric.MetricTypeHistogram:
		for i := firstPart; i < len(p.labels)-1; i++ {
			p.labels[i] = withFloat(p.labels[i], model.BucketLabel, p.hist.ExplicitBounds().At(i-firstPart))
		}
	case pmetric.MetricTypeSummary:
		for i := firstPart; i < len(p.labels); i++ {
			p.labels[i] = withFloat(p.labels[i], model.QuantileLabel, p.summary.QuantileValues().At(i-firstPart).Quantile())
		}
	default:
	}
}

func withFloat(l labels.Labels, name string, v float64) labels.Labels {
	b := labels.NewBuilder(l)
	b.Set(name, labels.FormatOpenMetricsFloat(v))
	return b.Labels()
}

// scrapeResourceAttributes are those that the prometheus receiver makes for every target.
var scrapeResourceAttributes = map[string]bool{
	attrServiceName:       true,
	attrServiceInstanceID: true,
	"server.address":      true,
	"server.port":         true,
	"url.scheme":          true,
}

// hasTargetInfo says whether a scraped resource tells more of its target than the receiver makes up: the target's
// own target_info, which the receiver takes apart, or what service discovery and processors found out.
func hasTargetInfo(r pcommon.Resource) bool {
	for k := range r.Attributes().All() {
		if !scrapeResourceAttributes[k] {
			return true
		}
	}
	return false
}
