package metricstoreexporter

import (
	"context"
	"fmt"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// native writes a metric as native histograms, through Prometheus' converter. Each is one sample that holds all
// its buckets, so that finding its series anew costs little beside it.
func (b *batch) native(src source, points int) {
	r := b.resolver(src)
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	r.resource(src.rm.Resource(), rm.Resource())
	sm := rm.ScopeMetrics().AppendEmpty()
	copyScope(src, sm)
	src.m.CopyTo(sm.Metrics().AppendEmpty())

	w := nativeWriter{b: b, src: src}
	_, err := prometheusremotewrite.NewPrometheusConverter(&w).FromMetrics(context.Background(), md, r.settings)
	if left := points - w.settled; left > 0 && b.failure == nil {
		if err == nil {
			err = fmt.Errorf("%d data points could not be converted", left)
		}
		b.refused.add(invalid, left, src.m.Name(), err)
	}
}

// nativeWriter is the end of Prometheus' converter that writes. It never returns an error, since the converter
// would leave out the metric's other points.
type nativeWriter struct {
	b       *batch
	src     source
	settled int
}

// AppendHistogram writes one native histogram.
func (w *nativeWriter) AppendHistogram(ls labels.Labels, meta prometheusremotewrite.Metadata, st, t int64, h *histogram.Histogram, es []exemplar.Exemplar) error {
	if w.b.failure == nil {
		w.b.otlp.store.SetMetadata(meta.MetricFamilyName, meta.Metadata)
		w.settled++
		w.write(ls, st, t, h, es)
	}
	return nil
}

func (w *nativeWriter) write(ls labels.Labels, st, t int64, h *histogram.Histogram, es []exemplar.Exemplar) {
	b := w.b
	if err := validText([]labels.Labels{ls}); err != nil {
		b.refuse(w.src.m.Name(), 1, err)
		return
	}
	if b.created && st != 0 && st < t {
		// That the zero sample is late, or there already, is the common case.
		_, _ = b.app.AppendHistogramSTZeroSample(0, ls, t, st, h, nil)
	}
	ref, err := b.app.AppendHistogram(0, ls, t, h, nil)
	b.settle(w.src.m.Name(), t, err)
	if err == nil {
		b.writeExemplars(ref, ls, es)
	}
}

// AppendSample is not reached: the converter makes no float samples of what goes this way.
func (w *nativeWriter) AppendSample(labels.Labels, prometheusremotewrite.Metadata, int64, int64, float64, []exemplar.Exemplar) error {
	return nil
}
