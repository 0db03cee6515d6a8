package decode

import (
	"encoding/binary"
	"math"
	"slices"

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

	left  message // points that are left to pdata, as those of one gauge
	homes []pmetric.NumberDataPoint
}

// attributesBefore are those of the point before: most points of a metric have the same keys in the same order, and many
// of the values.
type attributesBefore struct {
	keys, values []string
	number       int
}

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
			d.left = protowire.AppendTag(d.left, dataPoints, protowire.BytesType)
			d.left = protowire.AppendBytes(d.left, point)
			d.homes = append(d.homes, p)
		}
	}
}

// decodeLeft has pdata decode what decodeAll has left to it.
func (d *pointDecoder) decodeLeft() error {
	if len(d.homes) == 0 {
		return nil
	}
	defer d.forget()
	body := d.left
	for _, num := range []protowire.Number{gauge, metrics, scopeMetrics, resourceMetrics} {
		header := protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.BytesType), uint64(len(body)))
		body = slices.Insert(body, 0, header...)
	}
	md, err := decodeWhole(body)
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
		tag := b[0]
		b = b[1:]
		switch tag {
		case pointAttributes, pointExemplars:
			inner, size := consumeBytes(b)
			if size < 0 {
				return false
			}
			b = b[size:]
			if tag == pointExemplars {
				if !d.decodeExemplar(inner, p.Exemplars().AppendEmpty()) {
					return false
				}
				continue
			}
			if !d.attribute(&d.point, n, inner, attrs) {
				return false
			}
			n++
			continue
		case pointFlags:
			flags, size := protowire.ConsumeVarint(b)
			if size < 0 {
				return false
			}
			b = b[size:]
			p.SetFlags(pmetric.DataPointFlags(flags))
			continue
		}
		if len(b) < 8 {
			return false
		}
		v := binary.LittleEndian.Uint64(b)
		b = b[8:]
		switch tag {
		case pointStart:
			p.SetStartTimestamp(pcommon.Timestamp(v))
		case pointTime:
			p.SetTimestamp(pcommon.Timestamp(v))
		case pointDouble:
			p.SetDoubleValue(math.Float64frombits(v))
		case pointInt:
			p.SetIntValue(int64(v))
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
		tag := b[0]
		b = b[1:]
		switch tag {
		case exemplarAttributes, exemplarTraceID, exemplarSpanID:
			inner, size := consumeBytes(b)
			if size < 0 {
				return false
			}
			b = b[size:]
			switch {
			case tag == exemplarAttributes && d.attribute(&d.exemplar, n, inner, attrs):
				n++
			case tag == exemplarTraceID && len(inner) == len(pcommon.TraceID{}):
				e.SetTraceID(pcommon.TraceID(inner))
			case tag == exemplarSpanID && len(inner) == len(pcommon.SpanID{}):
				e.SetSpanID(pcommon.SpanID(inner))
			case tag == exemplarTraceID && len(inner) == 0:
				e.SetTraceID(pcommon.TraceID{})
			case tag == exemplarSpanID && len(inner) == 0:
				e.SetSpanID(pcommon.SpanID{})
			default:
				return false
			}
			continue
		}
		if len(b) < 8 {
			return false
		}
		v := binary.LittleEndian.Uint64(b)
		b = b[8:]
		switch tag {
		case exemplarTime:
			e.SetTimestamp(pcommon.Timestamp(v))
		case exemplarDouble:
			e.SetDoubleValue(math.Float64frombits(v))
		case exemplarInt:
			e.SetIntValue(int64(v))
		default:
			return false
		}
	}
	d.exemplar.number = n
	return attrs.Len() == n
}

// attribute decodes the i-th attribute of a point or an exemplar, which must be a key and a value.
func (d *pointDecoder) attribute(before *attributesBefore, i int, b []byte, to pcommon.Map) bool {
	key, value, ok := keyAndValue(b)
	if !ok {
		return false
	}
	if i == len(before.keys) {
		before.keys, before.values = append(before.keys, ""), append(before.values, "")
	}
	k := d.texts.again(before.keys[i], key)
	before.keys[i] = k

	tag := value[0]
	value = value[1:]
	switch tag {
	case valueString:
		text, size := consumeBytes(value)
		if size != len(value) {
			return false
		}
		v := d.texts.again(before.values[i], text)
		before.values[i] = v
		to.PutStr(k, v)
	case valueBool, valueInt:
		v, size := protowire.ConsumeVarint(value)
		if size != len(value) {
			return false
		}
		if tag == valueInt {
			to.PutInt(k, int64(v))
		} else {
			to.PutBool(k, v != 0)
		}
	case valueDouble:
		if len(value) != 8 {
			return false
		}
		to.PutDouble(k, math.Float64frombits(binary.LittleEndian.Uint64(value)))
	default:
		return false
	}
	return true
}

// keyAndValue splits an attribute of a key and a value that is not empty, in any order: the Collector writes
// the value first.
func keyAndValue(b []byte) (key, value []byte, ok bool) {
	for range 2 {
		if len(b) == 0 {
			return nil, nil, false
		}
		v, size := consumeBytes(b[1:])
		if size < 0 {
			return nil, nil, false
		}
		switch b[0] {
		case attributeKey:
			key = v
		case attributeValue:
			value = v
		default:
			return nil, nil, false
		}
		b = b[1+size:]
	}
	return key, value, len(b) == 0 && key != nil && len(value) > 0
}

// consumeBytes is protowire's for what is nearly always the case: a length below 128.
func consumeBytes(b []byte) (v []byte, size int) {
	if len(b) > 0 && b[0] < 0x80 && int(b[0]) < len(b) {
		size = 1 + int(b[0])
		return b[1:size], size
	}
	return protowire.ConsumeBytes(b)
}
