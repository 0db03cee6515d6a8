package otlpload

import (
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// Request is one marshalled OTLP request of one resource. Its items are data points, log records or spans.
type Request struct {
	Body  []byte
	Items int
}

// Lanes are requests to be sent in order; two lanes share no series, so that each may have a sender of its own.
type Lanes [][]Request

// Numbers gives the gauges and sums of a shape, spread over so many lanes.
func Numbers(shape Shape, lanes int) (Lanes, error) {
	return build(shape, lanes, func(r *resource, sample int) pmetric.Metrics {
		return r.sample(shape.time(sample))
	})
}

// Histograms gives ten histograms a resource at every time of a shape, in one lane.
func Histograms(shape Shape) (Lanes, error) {
	return build(shape, 1, func(r *resource, sample int) pmetric.Metrics {
		return r.histogram(shape.time(sample), 10, sample)
	})
}

func build(shape Shape, lanes int, metrics func(r *resource, sample int) pmetric.Metrics) (Lanes, error) {
	resources := make([]*resource, shape.Resources)
	for i := range resources {
		resources[i] = newResource(i, shape)
	}
	built := make(Lanes, lanes)
	for sample := range shape.Samples {
		for i, r := range resources {
			md := metrics(r, sample)
			body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
			if err != nil {
				return nil, err
			}
			lane := i % lanes
			built[lane] = append(built[lane], Request{Body: body, Items: md.DataPointCount()})
		}
	}
	return built, nil
}
