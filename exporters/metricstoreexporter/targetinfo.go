package metricstoreexporter

import (
	"context"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	targetInfoName = "target_info"
	// targetInfoEvery is half of Prometheus' default look-back, so that every query between the first and the
	// last sample of a resource finds its target_info.
	targetInfoEvery = 2*time.Minute + 30*time.Second
	// targetInfoLongest bounds how far back one batch fills in target_info.
	targetInfoLongest = 6 * time.Hour
)

// targetInfo writes the resource's target_info over the time span of its accepted samples.
func (b *batch) targetInfo(res pcommon.Resource, onlyScraped bool) {
	if b.disableTargetInfo || onlyScraped && !hasTargetInfo(res) {
		return
	}
	r := b.res
	if !r.targetInfoResolved {
		r.targetInfo, r.targetInfoResolved = b.otlp.targetInfo(res, onlyScraped), true
	}
	if r.targetInfo.IsEmpty() {
		return
	}
	first := max(b.span.first, b.span.last-targetInfoLongest.Milliseconds())
	for t := first; t < b.span.last; t += targetInfoEvery.Milliseconds() {
		b.appendTargetInfo(t)
	}
	b.appendTargetInfo(b.span.last)
}

// appendTargetInfo ignores a refusal: the sample is made up, and another request of the resource has written it
// or a later one.
func (b *batch) appendTargetInfo(t int64) {
	ref, err := b.app.Append(b.res.targetInfoRef, b.res.targetInfo, t, 1)
	if err == nil {
		b.res.targetInfoRef = ref
	}
}

// targetInfo gives the labels of a resource's target_info, empty where Prometheus would write none.
func (r *resolver) targetInfo(res pcommon.Resource, onlyScraped bool) labels.Labels {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	res.CopyTo(rm.Resource())
	if onlyScraped {
		rm.Resource().Attributes().RemoveIf(func(k string, _ pcommon.Value) bool {
			return scrapeResourceAttributes[k] && k != attrServiceName && k != attrServiceInstanceID
		})
	}
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("any")
	m.SetEmptyGauge().DataPoints().AppendEmpty().SetTimestamp(1)

	settings := r.settings
	settings.DisableTargetInfo = false
	var c targetInfoCapture
	// An error means that an attribute has no Prometheus name; the samples are stored all the same.
	_, _ = prometheusremotewrite.NewPrometheusConverter(&c).FromMetrics(context.Background(), md, settings)
	if !c.labels.IsEmpty() {
		r.store.SetMetadata(targetInfoName, metadata.Metadata{Type: model.MetricTypeGauge, Help: "Target metadata"})
	}
	return c.labels
}

type targetInfoCapture struct{ labels labels.Labels }

// AppendSample keeps the labels of target_info.
func (c *targetInfoCapture) AppendSample(ls labels.Labels, meta prometheusremotewrite.Metadata, _, _ int64, _ float64, _ []exemplar.Exemplar) error {
	if meta.MetricFamilyName == targetInfoName {
		c.labels = ls
	}
	return nil
}

// AppendHistogram has nothing to keep.
func (*targetInfoCapture) AppendHistogram(labels.Labels, prometheusremotewrite.Metadata, int64, int64, *histogram.Histogram, []exemplar.Exemplar) error {
	return nil
}
