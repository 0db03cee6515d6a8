package decode

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/encoding/protowire"
)

// Tags of fields, as their one byte, by opentelemetry/proto/metrics/v1/metrics.proto and common/v1/common.proto.
const (
	pointStart      = 2<<3 | byte(protowire.Fixed64Type)
	pointTime       = 3<<3 | byte(protowire.Fixed64Type)
	pointDouble     = 4<<3 | byte(protowire.Fixed64Type)
	pointInt        = 6<<3 | byte(protowire.Fixed64Type)
	pointAttributes = 7<<3 | byte(protowire.BytesType)
	pointFlags      = 8<<3 | byte(protowire.VarintType)
	pointExemplars  = 5<<3 | byte(protowire.BytesType)

	exemplarTime       = 2<<3 | byte(protowire.Fixed64Type)
	exemplarDouble     = 3<<3 | byte(protowire.Fixed64Type)
	exemplarSpanID     = 4<<3 | byte(protowire.BytesType)
	exemplarTraceID    = 5<<3 | byte(protowire.BytesType)
	exemplarInt        = 6<<3 | byte(protowire.Fixed64Type)
	exemplarAttributes = 7<<3 | byte(protowire.BytesType)

	attributeKey   = 1<<3 | byte(protowire.BytesType)
	attributeValue = 2<<3 | byte(protowire.BytesType)

	valueString = 1<<3 | byte(protowire.BytesType)
	valueBool   = 2<<3 | byte(protowire.VarintType)
	valueInt    = 3<<3 | byte(protowire.VarintType)
	valueDouble = 4<<3 | byte(protowire.Fixed64Type)
)

// pointDecoder decodes the data points of gauges and sums.
type pointDecoder struct {
	texts texts
	point attributesBefore
	// Of the exemplars of points. Their attributes are what a view has left out of the point's.
	exemplar attributesBefore

	left   message // points that are left to pdata, as those of one gauge
	around [4]int  // the messages around them
	homes  []pmetric.NumberDataPoint
}

// attributesBefore are those of the point before: most points of a metric have the same keys in the same order, and many
// of the values.
type attributesBefore struct {
	keys, values []string
	number       int
}

// mostAttributes is how many attributes a point may have here. To put one into a pcommon.Map takes a look at all others, so
// that very many are for pdata, which appends them.
const mostAttributes = 64

// leastAttribute is what an attribute takes at least: four tags and lengths of two bytes, for itself, its key, its value and
// what the value is of.
const leastAttribute = 8

// expect makes room for as many attributes as there were before, but for no more than a message of so many bytes can have:
// one of very many would have those behind it take memory for as many.
func (a *attributesBefore) expect(m pcommon.Map, size int) {
	m.EnsureCapacity(min(a.number, size/leastAttribute))
}

func (d *pointDecoder) decodeAll(points [][]byte, to pmetric.NumberDataPointSlice) {
	to.EnsureCapacity(len(points))
	for _, point := range points {
		if p := to.AppendEmpty(); !d.decode(point, p) {
			d.leave(point, p)
		}
	}
}

// leave has decodeLeft decode a point.
func (d *pointDecoder) leave(point []byte, home pmetric.NumberDataPoint) {
	if len(d.homes) == 0 {
		for i, num := range [len(d.around)]protowire.Number{resourceMetrics, scopeMetrics, metrics, gauge} {
			d.around[i] = d.left.open(num)
		}
	}
	d.left = protowire.AppendTag(d.left, dataPoints, protowire.BytesType)
	d.left = protowire.AppendBytes(d.left, point)
	d.homes = append(d.homes, home)
}

// decodeLeft has pdata decode what decodeAll has left to it.
func (d *pointDecoder) decodeLeft() error {
	if len(d.homes) == 0 {
		return nil
	}
	defer d.forget()
	for _, start := range d.around {
		d.left.close(start)
	}
	md, err := decodeWhole(d.left)
	if err != nil {
		return err
	}
	points := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
	for i, home := range d.homes {
		points.At(i).MoveTo(home)
	}
	return nil
}

func (d *pointDecoder) forget() {
	clear(d.homes)
	if d.homes = d.homes[:0]; cap(d.homes) > keptPoints {
		d.homes = nil
	}
	d.left.reset()
}

// decode says whether the point is of the fields that it reads, and right. Where it is not, what it wrote
// into the point is worth nothing.
func (d *pointDecoder) decode(b []byte, p pmetric.NumberDataPoint) bool {
	attrs := p.Attributes()
	d.point.expect(attrs, len(b))
	n := 0
	for len(b) > 0 {
		tag, number, inner, size := nextShortField(b)
		if size < 0 {
			return false
		}
		b = b[size:]
		switch tag {
		case pointAttributes:
			if !d.attribute(&d.point, n, inner, attrs) {
				return false
			}
			n++
		case pointExemplars:
			if !d.decodeExemplar(inner, p.Exemplars().AppendEmpty()) {
				return false
			}
		case pointStart:
			p.SetStartTimestamp(pcommon.Timestamp(number))
		case pointTime:
			p.SetTimestamp(pcommon.Timestamp(number))
		case pointDouble:
			p.SetDoubleValue(math.Float64frombits(number))
		case pointInt:
			p.SetIntValue(int64(number))
		case pointFlags:
			p.SetFlags(pmetric.DataPointFlags(number))
		default:
			return false
		}
	}
	d.point.number = n
	return attrs.Len() == n // a key that comes twice is there twice in what pdata decodes
}

// decodeExemplar is decode for an exemplar.
func (d *pointDecoder) decodeExemplar(b []byte, e pmetric.Exemplar) bool {
	attrs := e.FilteredAttributes()
	d.exemplar.expect(attrs, len(b))
	n := 0
	for len(b) > 0 {
		tag, number, inner, size := nextShortField(b)
		if size < 0 {
			return false
		}
		b = b[size:]
		switch tag {
		case exemplarAttributes:
			if !d.attribute(&d.exemplar, n, inner, attrs) {
				return false
			}
			n++
		case exemplarTraceID:
			var id pcommon.TraceID
			if !readID(id[:], inner) {
				return false
			}
			e.SetTraceID(id)
		case exemplarSpanID:
			var id pcommon.SpanID
			if !readID(id[:], inner) {
				return false
			}
			e.SetSpanID(id)
		case exemplarTime:
			e.SetTimestamp(pcommon.Timestamp(number))
		case exemplarDouble:
			e.SetDoubleValue(math.Float64frombits(number))
		case exemplarInt:
			e.SetIntValue(int64(number))
		default:
			return false
		}
	}
	d.exemplar.number = n
	return attrs.Len() == n
}

// readID reads the id of a trace or of a span. None is written as one of no bytes.
func readID(id, b []byte) bool {
	copy(id, b)
	return len(b) == len(id) || len(b) == 0
}

// attribute decodes the i-th attribute of a point or an exemplar, which must be a key and a value.
func (d *pointDecoder) attribute(before *attributesBefore, i int, b []byte, to pcommon.Map) bool {
	key, value, ok := keyAndValue(b)
	if !ok || i == mostAttributes {
		return false
	}
	if i == len(before.keys) {
		before.keys, before.values = append(before.keys, ""), append(before.values, "")
	}
	k := d.texts.again(&before.keys[i], key)
	tag, number, inner, size := nextShortField(value)
	if size != len(value) {
		return false
	}
	switch tag {
	case valueString:
		to.PutStr(k, d.texts.again(&before.values[i], inner))
	case valueInt:
		to.PutInt(k, int64(number))
	case valueBool:
		to.PutBool(k, number != 0)
	case valueDouble:
		to.PutDouble(k, math.Float64frombits(number))
	default:
		return false
	}
	return true
}

// keyAndValue splits an attribute of a key and a value that is not empty, in any order: the Collector writes
// the value first.
func keyAndValue(b []byte) (key, value []byte, ok bool) {
	for range 2 {
		tag, _, inner, size := nextShortField(b)
		if size < 0 {
			return nil, nil, false
		}
		b = b[size:]
		switch tag {
		case attributeKey:
			key = inner
		case attributeValue:
			value = inner
		default:
			return nil, nil, false
		}
	}
	return key, value, len(b) == 0 && key != nil && len(value) > 0
}
