package metricstoreexporter

import (
	"encoding/binary"
	"hash/maphash"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// identity is the hash of all that decides which series a data point belongs to. It is 128 bits wide under two
// random keys of this process: that two series share one is as likely as a fault of the memory that holds it,
// and no sender can aim for it.
//
// The order of attributes counts. A sender that changes it has its series cached twice, to the same reference.
type identity [2]uint64

// identifier builds identities in a buffer of its own. It is not safe for concurrent use.
type identifier struct {
	seeds [2]maphash.Seed
	buf   []byte
}

func (h *identifier) sum() identity {
	return identity{maphash.Bytes(h.seeds[0], h.buf), maphash.Bytes(h.seeds[1], h.buf)}
}

func (h *identifier) reset(parent identity) {
	h.buf = binary.LittleEndian.AppendUint64(h.buf[:0], parent[0])
	h.buf = binary.LittleEndian.AppendUint64(h.buf, parent[1])
}

// resource identifies a resource by its attributes.
func (h *identifier) resource(r pcommon.Resource) identity {
	h.reset(identity{})
	h.attributes(r.Attributes())
	return h.sum()
}

// scope identifies a scope within a resource. scraped tells apart metrics that are named by other rules.
func (h *identifier) scope(resource identity, sm pmetric.ScopeMetrics) identity {
	h.reset(resource)
	h.str(sm.Scope().Name())
	h.str(sm.Scope().Version())
	h.str(sm.SchemaUrl())
	h.attributes(sm.Scope().Attributes())
	return h.sum()
}

// metric identifies a metric within a scope.
func (h *identifier) metric(scope identity, m pmetric.Metric, scraped bool) identity {
	h.reset(scope)
	kind := byte(m.Type()) << 2
	if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() {
		kind |= 1
	}
	if scraped {
		kind |= 2
	}
	h.buf = append(h.buf, kind)
	h.str(m.Name())
	h.str(m.Unit())
	return h.sum()
}

// number identifies the series of a gauge's or a sum's data point.
func (h *identifier) number(metric identity, attrs pcommon.Map) identity {
	h.reset(metric)
	h.attributes(attrs)
	return h.sum()
}

// histogram identifies the set of series of a classic histogram's data point: its bounds are labels.
func (h *identifier) histogram(metric identity, p pmetric.HistogramDataPoint) identity {
	h.reset(metric)
	bounds := p.ExplicitBounds()
	h.buf = binary.AppendUvarint(h.buf, uint64(bounds.Len()))
	for i := range bounds.Len() {
		h.buf = binary.LittleEndian.AppendUint64(h.buf, math.Float64bits(bounds.At(i)))
	}
	h.buf = binary.AppendUvarint(h.buf, uint64(p.BucketCounts().Len()))
	h.attributes(p.Attributes())
	return h.sum()
}

// summary identifies the set of series of a summary's data point: its quantiles are labels.
func (h *identifier) summary(metric identity, p pmetric.SummaryDataPoint) identity {
	h.reset(metric)
	quantiles := p.QuantileValues()
	h.buf = binary.AppendUvarint(h.buf, uint64(quantiles.Len()))
	for i := range quantiles.Len() {
		h.buf = binary.LittleEndian.AppendUint64(h.buf, math.Float64bits(quantiles.At(i).Quantile()))
	}
	h.attributes(p.Attributes())
	return h.sum()
}

// attributes writes keys and values so that no two different maps give the same bytes.
func (h *identifier) attributes(m pcommon.Map) {
	buf := h.buf // in a register, not behind a pointer: this is the hottest loop of the exporter
	for k, v := range m.All() {
		buf = appendText(buf, k)
		switch t := v.Type(); t {
		case pcommon.ValueTypeStr:
			buf = appendText(append(buf, byte(t)), v.Str())
		case pcommon.ValueTypeInt:
			buf = binary.LittleEndian.AppendUint64(append(buf, byte(t)), uint64(v.Int()))
		case pcommon.ValueTypeDouble:
			buf = binary.LittleEndian.AppendUint64(append(buf, byte(t)), math.Float64bits(v.Double()))
		default:
			buf = appendText(append(buf, byte(t)), v.AsString())
		}
	}
	h.buf = buf
}

func (h *identifier) str(s string) { h.buf = appendText(h.buf, s) }

// appendText writes a length and as many bytes.
func appendText(b []byte, s string) []byte {
	if n := len(s); n < 0x80 {
		b = append(b, byte(n)) // as AppendUvarint does
	} else {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return append(b, s...)
}
