package metricstoreexporter

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// resolver names series with Prometheus' own OTLP converter, whose samples it catches for their labels alone.
// It is not safe for concurrent use.
type resolver struct {
	store     metricstore.Store
	settings  prometheusremotewrite.Settings
	scraped   bool
	caught    capture
	converter *prometheusremotewrite.PrometheusConverter
}

func newResolver(cfg *Config, store metricstore.Store) *resolver {
	otlp := cfg.otlp()
	return makeResolver(store, prometheusremotewrite.Settings{
		AddMetricSuffixes:                    otlp.TranslationStrategy.ShouldAddSuffixes(),
		AllowUTF8:                            !otlp.TranslationStrategy.ShouldEscape(),
		DisableTargetInfo:                    true,
		PromoteResourceAttributes:            prometheusremotewrite.NewPromoteResourceAttributes(otlp),
		KeepIdentifyingResourceAttributes:    otlp.KeepIdentifyingResourceAttributes,
		ConvertHistogramsToNHCB:              otlp.ConvertHistogramsToNHCB,
		PromoteScopeMetadata:                 otlp.PromoteScopeMetadata,
		LabelNameUnderscoreSanitization:      otlp.LabelNameUnderscoreSanitization,
		LabelNamePreserveMultipleUnderscores: otlp.LabelNamePreserveMultipleUnderscores,
	})
}

// newScrapedResolver keeps names as they are. A scope with a name was a scraped otel_scope_name label.
func newScrapedResolver(store metricstore.Store) *resolver {
	r := makeResolver(store, prometheusremotewrite.Settings{AllowUTF8: true, DisableTargetInfo: true, PromoteScopeMetadata: true})
	r.scraped = true
	return r
}

func makeResolver(store metricstore.Store, s prometheusremotewrite.Settings) *resolver {
	r := &resolver{store: store, settings: s}
	r.caught.store = store
	r.converter = prometheusremotewrite.NewPrometheusConverter(&r.caught)
	return r
}

func (b *batch) resolver(src source) *resolver {
	if src.scraped {
		return b.scraped
	}
	return b.otlp
}

// resource copies what of a resource names its series. Of a scraped one that is job and instance alone: what a
// processor added since is not part of the target's labels.
func (r *resolver) resource(from, to pcommon.Resource) {
	if !r.scraped {
		from.CopyTo(to)
		return
	}
	for _, key := range []string{attrServiceName, attrServiceInstanceID} {
		if v, ok := from.Attributes().Get(key); ok {
			v.CopyTo(to.Attributes().PutEmpty(key))
		}
	}
}

// resolve gives every queued point its labels, or the reason why it can have none.
func (q *queue) resolve(r *resolver, res pcommon.Resource) {
	r.resource(res, q.names.ResourceMetrics().At(0).Resource())
	caught, _ := r.convert(q.names, q.points)
	for i := range q.points {
		p := &q.points[i]
		if p.labels = caught[i]; len(p.labels) == 0 {
			// The converter leaves a metric at its first faulty point: try the others on their own.
			p.labels, p.err = r.resolveOne(res, p)
		}
		if p.err == nil {
			p.err = validText(p.labels)
		}
		if p.err == nil && r.scraped {
			p.scrapedBounds()
		}
	}
}

func (r *resolver) resolveOne(res pcommon.Resource, p *queued) ([]labels.Labels, error) {
	var q queue
	switch p.src.m.Type() {
	case pmetric.MetricTypeHistogram:
		q.addHistogram(p.src, p.id, p.hist)
	case pmetric.MetricTypeSummary:
		q.addSummary(p.src, p.id, p.summary)
	default:
		q.addNumber(p.src, p.id, p.number)
	}
	r.resource(res, q.names.ResourceMetrics().At(0).Resource())
	caught, err := r.convert(q.names, q.points)
	if len(caught[0]) > 0 {
		return caught[0], nil
	}
	if err == nil {
		err = errors.New("its name or one of its attribute names cannot be a Prometheus name")
	}
	return nil, err
}

// convert gives the labels of each point, by its ticket.
func (r *resolver) convert(md pmetric.Metrics, points []queued) ([][]labels.Labels, error) {
	r.caught.points, r.caught.labels = points, make([][]labels.Labels, len(points))
	_, err := r.converter.FromMetrics(context.Background(), md, r.settings)
	return r.caught.labels, err
}

func validText(ls []labels.Labels) error {
	return ls[0].Validate(func(l labels.Label) error {
		if !utf8.ValidString(l.Name) || !utf8.ValidString(l.Value) {
			return fmt.Errorf("attribute %q is not valid UTF-8", l.Name)
		}
		return nil
	})
}

// capture is the end of Prometheus' converter: it keeps the labels by ticket and tells the store the metadata.
type capture struct {
	store  metricstore.Store
	points []queued
	labels [][]labels.Labels
	family string // the last one told
}

var _ prometheusremotewrite.CombinedAppender = (*capture)(nil)

// AppendSample keeps the labels of one sample; t is the ticket.
func (c *capture) AppendSample(ls labels.Labels, meta prometheusremotewrite.Metadata, _, t int64, _ float64, _ []exemplar.Exemplar) error {
	c.labels[t] = append(c.labels[t], ls)
	if meta.MetricFamilyName != c.family {
		c.family = meta.MetricFamilyName
		if src := c.points[t].src; src.scraped {
			meta.Type = scrapedType(src.m)
		}
		c.store.SetMetadata(c.family, meta.Metadata)
	}
	return nil
}

// AppendHistogram is not reached: native histograms go another way.
func (c *capture) AppendHistogram(labels.Labels, prometheusremotewrite.Metadata, int64, int64, *histogram.Histogram, []exemplar.Exemplar) error {
	return errors.ErrUnsupported
}
