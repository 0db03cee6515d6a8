package promclient

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
)

// Boundaries of a bucket in the API's JSON.
const (
	leftOpen  = 0 // positive buckets, and custom ones
	rightOpen = 1 // negative buckets
	closed    = 3 // the zero bucket
)

var errNoHistogram = errors.New("a histogram is missing")

// floatHistogram builds a histogram from the buckets that the API writes: those that are not empty, with their
// bounds. Growth by a constant factor tells an exponential schema; everything else has custom buckets.
func floatHistogram(s *model.SampleHistogram) (*histogram.FloatHistogram, error) {
	if s == nil {
		return nil, errNoHistogram
	}
	h := &histogram.FloatHistogram{Count: float64(s.Count), Sum: float64(s.Sum)}
	if len(s.Buckets) == 0 {
		return h, nil
	}
	var positive, negative []bucket
	for _, b := range s.Buckets {
		lower, upper, count := float64(b.Lower), float64(b.Upper), float64(b.Count)
		switch {
		case b.Boundaries == leftOpen, math.IsInf(lower, -1): // the first custom bucket is closed
			positive = append(positive, bucket{lower, upper, count})
		case b.Boundaries == closed:
			h.ZeroThreshold, h.ZeroCount = upper, count
		case b.Boundaries == rightOpen:
			negative = append(negative, bucket{-upper, -lower, count})
		default:
			return nil, fmt.Errorf("a histogram's bucket has boundaries %d", b.Boundaries)
		}
	}
	slices.Reverse(negative)
	schema, ok := exponentialSchema(append(slices.Clone(positive), negative...))
	if !ok {
		if len(negative) > 0 || h.ZeroCount > 0 {
			return nil, errors.New("a histogram's buckets are neither exponential nor custom")
		}
		return h, customBuckets(h, positive)
	}
	h.Schema = schema
	var err error
	if h.PositiveSpans, h.PositiveBuckets, err = exponentialBuckets(positive, schema); err != nil {
		return nil, err
	}
	h.NegativeSpans, h.NegativeBuckets, err = exponentialBuckets(negative, schema)
	return h, err
}

// bucket by its bounds' distances from zero.
type bucket struct{ lower, upper, count float64 }

// exponentialSchema gives the schema whose buckets grow by 2^(2^-schema), if these all do.
func exponentialSchema(buckets []bucket) (int32, bool) {
	const none = math.MinInt32
	schema := int32(none)
	for _, b := range buckets {
		growth := math.Log2(b.upper / b.lower)
		s := int32(math.Round(-math.Log2(growth)))
		if b.lower <= 0 || math.IsInf(b.upper, 1) || s < histogram.ExponentialSchemaMin || s > histogram.ExponentialSchemaMax ||
			math.Abs(growth/math.Exp2(-float64(s))-1) > 1e-6 {
			return 0, false
		}
		if schema != none && s != schema {
			return 0, false
		}
		schema = s
	}
	if schema == none { // the zero bucket only
		schema = 0
	}
	return schema, true
}

// exponentialBuckets gives spans and absolute counts, as a float histogram keeps them. Its buckets have their upper bound at 2^(index * 2^-schema).
func exponentialBuckets(buckets []bucket, schema int32) ([]histogram.Span, []float64, error) {
	var (
		spans  []histogram.Span
		counts []float64
		next   int32
	)
	for _, b := range buckets {
		index := int32(math.Round(math.Log2(b.upper) * math.Exp2(float64(schema))))
		switch gap := index - next; {
		case len(spans) == 0 || gap > 0:
			spans = append(spans, histogram.Span{Offset: gap, Length: 1})
		case gap == 0:
			spans[len(spans)-1].Length++
		default:
			return nil, nil, errors.New("a histogram's buckets are not sorted")
		}
		counts = append(counts, b.count)
		next = index + 1
	}
	return spans, counts, nil
}

// customBuckets fills the gaps between buckets by empty ones.
func customBuckets(h *histogram.FloatHistogram, buckets []bucket) error {
	h.Schema = histogram.CustomBucketsSchema
	last := math.Inf(-1)
	for _, b := range buckets {
		if b.lower < last || b.upper <= b.lower || math.IsNaN(b.lower) || math.IsNaN(b.upper) {
			return errors.New("a histogram's buckets are not sorted")
		}
		if b.lower > last {
			h.CustomValues = append(h.CustomValues, b.lower)
			h.PositiveBuckets = append(h.PositiveBuckets, 0)
		}
		h.PositiveBuckets = append(h.PositiveBuckets, b.count)
		if !math.IsInf(b.upper, 1) {
			h.CustomValues = append(h.CustomValues, b.upper)
		}
		last = b.upper
	}
	h.PositiveSpans = []histogram.Span{{Length: uint32(len(h.PositiveBuckets))}}
	return nil
}
