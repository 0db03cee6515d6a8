package decode

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	otlp "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// TestDecodesWhatPdataDecodes decodes requests of all that OTLP has, one after the other, as the Collector writes them and
// as Go's protobuf does, with the fields in another order.
func TestDecodesWhatPdataDecodes(t *testing.T) {
	var d Metrics
	rapid.Check(t, func(t *rapid.T) {
		body := encode(t, requests().Draw(t, "request"))
		requireSame(t, &d, body)

		var message otlp.ExportMetricsServiceRequest
		require.NoError(t, proto.Unmarshal(body, &message))
		other, err := proto.Marshal(&message)
		require.NoError(t, err)
		requireSame(t, &d, other)
	})
}

// TestDecodesUnusualBytes has what no SDK writes, but protobuf allows.
func TestDecodesUnusualBytes(t *testing.T) {
	key := text(1, "k")
	value := text(2, string(text(1, "v")))
	point := nest([]byte("\x21\x00\x00\x00\x00\x00\x00\xf0\x3f"), 1)
	for name, c := range map[string]struct{ metric, point []byte }{
		"an attribute twice":           {point: join(text(7, string(join(key, value))), text(7, string(join(key, value))))},
		"a key twice":                  {point: text(7, string(join(key, key, value)))},
		"a value twice":                {point: text(7, string(join(key, value, text(2, "\x0a\x01w"))))},
		"an int twice":                 {point: text(7, string(join(key, text(2, "\x18\x01\x18\x02"))))},
		"no key":                       {point: text(7, string(value))},
		"no value":                     {point: text(7, string(key))},
		"an empty key":                 {point: text(7, string(join(text(1, ""), value)))},
		"an empty value":               {point: text(7, string(join(key, text(2, ""))))},
		"a value of two kinds":         {point: text(7, string(join(key, text(2, "\x0a\x01v\x10\x01"))))},
		"an empty attribute":           {point: text(7, "")},
		"an unknown field":             {point: join(text(200, "x"), text(7, string(join(key, value))))},
		"two values":                   {point: []byte("\x21\x00\x00\x00\x00\x00\x00\xf0\x3f\x31\x07\x00\x00\x00\x00\x00\x00\x00")},
		"a long length":                {point: []byte("\x3a\x88\x80\x00" + string(join(key, value)))},
		"flags of 64 bits":             {point: []byte("\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
		"a bool of 2":                  {point: text(7, string(join(key, text(2, "\x10\x02"))))},
		"no UTF-8":                     {point: text(7, string(join(text(1, "\xff"), text(2, "\x0a\x01\xfe"))))},
		"an exemplar":                  {point: text(5, "\x11\x01\x00\x00\x00\x00\x00\x00\x00")},
		"an empty exemplar":            {point: text(5, "")},
		"an unknown field of one":      {point: text(5, string(text(90, "x")))},
		"an empty trace":               {point: text(5, string(text(5, "")))},
		"a trace, then none":           {point: text(5, string(join(text(5, "1234567812345678"), text(5, ""))))},
		"a span, then none":            {point: text(5, string(join(text(4, "12345678"), text(4, ""))))},
		"half a trace":                 {point: text(5, string(text(5, "12345678")))},
		"a span of 16 bytes":           {point: text(5, string(text(4, "1234567812345678")))},
		"an exemplar's key twice":      {point: text(5, string(join(text(7, string(join(key, value))), text(7, string(join(key, value))))))},
		"half an exemplar":             {point: text(5, "\x11\x01")},
		"two gauges":                   {metric: join(text(5, string(point)), text(5, string(point)))},
		"a gauge, then a sum":          {metric: join(text(5, string(point)), text(7, string(point)))},
		"a sum, then no points":        {metric: join(text(7, string(point)), text(5, ""))},
		"a name behind the points":     {metric: join(text(5, string(point)), text(1, "n"))},
		"an unknown field of a gauge":  {metric: text(5, string(join(point, text(90, "x"), point)))},
		"an unknown field of a metric": {metric: join(text(5, string(point)), text(90, "x"))},
		"no data":                      {metric: text(1, "n")},
		"a point in the wrong type":    {metric: text(5, "\x08\x01")},
		"a gauge in the wrong type":    {metric: []byte("\x28\x01")},
		"half a point":                 {metric: text(5, "\x0a\x09\x21\x00")},
		"a group":                      {metric: join(text(5, string(point)), []byte("\x6b\x08\x01\x6c"))},
		"an open group":                {metric: join([]byte("\x6b"), text(5, string(point)))},
		"the end of no group":          {metric: join([]byte("\x6c"), text(5, string(point)))},
		"a broken histogram":           {metric: text(9, "\x0a\x7f")},
	} {
		t.Run(name, func(t *testing.T) {
			metric := c.metric
			if metric == nil {
				metric = nest(c.point, 1, 5)
			}
			// The next request must not be decoded by what this one left.
			var d Metrics
			requireSame(t, &d, nest(metric, 2, 2, 1))
			requireSame(t, &d, bigRequest(t, true))
		})
	}
}

// TestSharesNothingWithTheBody overwrites the body, which is read into again.
func TestSharesNothingWithTheBody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		md := requests().Draw(t, "request")
		body := encode(t, md)
		var d Metrics
		got, err := d.Decode(body)
		require.NoError(t, err)
		for i := range body {
			body[i] = 0xff
		}
		require.True(t, bytes.Equal(encode(t, md), encode(t, got)))
	})
}

// TestOneWidePointMakesNoOtherWide has one point of as many attributes as are decoded here, and very many that are left to pdata: they must
// not take memory for as many attributes each.
func TestOneWidePointMakesNoOtherWide(t *testing.T) {
	var attributes [][]byte
	for i := range mostAttributes {
		attributes = append(attributes, text(7, string(join(text(1, fmt.Sprint(i)), text(2, "\x0a\x01v")))))
	}
	odd := text(1, string(text(200, "")))
	for name, wide := range map[string][]byte{"point": join(attributes...), "exemplar": text(5, string(join(attributes...)))} {
		t.Run(name, func(t *testing.T) {
			body := nest(join(text(1, string(wide)), bytes.Repeat(odd, 10_000)), 5, 2, 2, 1)
			var d Metrics
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := d.Decode(body)
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100*len(body)))
			requireSame(t, &d, body)
		})
	}
}

// TestVeryManyAttributesAreForPdata has points of as many as are decoded here, and of one more: each takes a look at all others.
func TestVeryManyAttributesAreForPdata(t *testing.T) {
	for _, n := range []int{mostAttributes, mostAttributes + 1} {
		var attributes [][]byte
		for i := range n {
			attributes = append(attributes, text(7, string(join(text(1, fmt.Sprint(i)), text(2, "\x0a\x01v")))))
		}
		var d Metrics
		assert.Equal(t, n == mostAttributes, d.points.decode(join(attributes...), pmetric.NewNumberDataPoint()))
		requireSame(t, &d, nest(join(attributes...), 1, 5, 2, 2, 1))
	}
}

// TestTextsAreBounded decodes more values than are kept.
func TestTextsAreBounded(t *testing.T) {
	var s texts
	last := "short"
	assert.Len(t, s.again(&last, bytes.Repeat([]byte("x"), keptText+1)), keptText+1)
	assert.Equal(t, "short", last, "a text that is too long is not kept")
	long := bytes.Repeat([]byte("x"), keptText+1)
	assert.Equal(t, string(long), s.of(long))
	assert.Nil(t, s.slots, "a text that is too long is not kept")
	for i := range 4 * textSlots {
		v := fmt.Sprint(i)
		require.Equal(t, v, s.of([]byte(v)))
		require.Equal(t, v, s.of([]byte(v)))
	}
}

// TestKeepsNoLargeMemory decodes a request that is larger than others are.
func TestKeepsNoLargeMemory(t *testing.T) {
	var d Metrics
	var metrics [][]byte
	for i := range keptPoints + 1 {
		metrics = append(metrics, nest(join(text(1, fmt.Sprintf("metric_%090d", i)), nest(nil, 1, 5)), 2))
	}
	requireSame(t, &d, nest(join(metrics...), 2, 1))
	assert.Zero(t, cap(d.rest.bytes))
	assert.Zero(t, cap(d.rest.points))
	assert.Zero(t, cap(d.rest.counts))

	odd := text(1, string(text(7, ""))) // an attribute without a key
	requireSame(t, &d, nest(bytes.Repeat(odd, keptPoints+1), 5, 2, 2, 1))
	assert.Zero(t, cap(d.points.homes))
	big := nest(text(7, string(join(text(1, "k"), text(2, string(text(7, string(make([]byte, keptBytes)))))))), 1)
	requireSame(t, &d, nest(big, 5, 2, 2, 1))
	assert.Zero(t, cap(d.points.left))
	requireSame(t, &d, bigRequest(t, true))
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(bigRequest(f, true)[:2000])
	requests := requests()
	for i := range 20 {
		f.Add(encode(f, requests.Example(i)))
	}
	var d Metrics
	f.Fuzz(func(t *testing.T, body []byte) { requireSame(t, &d, body) })
}

// requireSame wants the answer that pdata gives.
func requireSame(t require.TestingT, d *Metrics, body []byte) {
	want, wantErr := decodeWhole(body)
	got, err := d.Decode(body)
	if wantErr != nil {
		require.Error(t, err, "pdata says %v", wantErr)
		return
	}
	require.NoError(t, err)
	require.Equal(t, want.DataPointCount(), got.DataPointCount())
	require.True(t, bytes.Equal(encode(t, want), encode(t, got)), "%x", body)
}

func encode(t require.TestingT, md pmetric.Metrics) []byte {
	b, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
	require.NoError(t, err)
	return b
}

// text is a field that has a length.
func text(num protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, num, protowire.BytesType), s)
}

// nest puts a message into a field of a message, and so on.
func nest(message []byte, nums ...protowire.Number) []byte {
	for _, num := range nums {
		message = text(num, string(message))
	}
	return message
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func BenchmarkDecode(b *testing.B) {
	for name, exemplars := range map[string]bool{"numbers": false, "numbers, half with exemplars": true} {
		body := bigRequest(b, exemplars)
		b.Run(name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			var d Metrics
			for b.Loop() {
				_, err := d.Decode(body)
				require.NoError(b, err)
			}
		})
		b.Run(name+"/pdata", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := decodeWhole(body)
				require.NoError(b, err)
			}
		})
	}
}
