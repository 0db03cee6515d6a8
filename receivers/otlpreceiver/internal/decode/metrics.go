// Package decode reads the metrics of OTLP's protobuf encoding. What it gives is what pdata's own decoder gives, for
// a third of its garbage: data points of gauges and sums, of which a request has thousands, are read here, and all
// else by pdata.
package decode

import (
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// Above these, what one request needed is not kept for the next.
const (
	keptBytes  = 1 << 20
	keptPoints = 1 << 16
)

// Metrics decodes requests, one after the other. It keeps the texts it has seen, so that one Metrics should
// decode many requests. It is not safe for concurrent use, and its zero value is ready for it.
//
// A request is decoded in two steps. The first copies it without the data points of its gauges and sums, and
// pdata decodes the copy. The second decodes the points into the places that they were taken from. What is not as
// every SDK writes it, be it rare or wrong, is left to pdata in both: so it decides what is valid, and how it fails.
type Metrics struct {
	rest   skeleton
	points pointDecoder
}

// Decode returns the metrics of an ExportMetricsServiceRequest. They share no memory with the body. Errors are
// those of pdata, of a body that is no such message.
func (d *Metrics) Decode(body []byte) (pmetric.Metrics, error) {
	defer d.rest.forget()
	if !d.rest.strip(body) {
		return decodeWhole(body)
	}
	md, err := decodeWhole(d.rest.bytes)
	if err != nil {
		return pmetric.Metrics{}, err
	}
	d.fill(md)
	return md, d.points.decodeLeft()
}

func decodeWhole(body []byte) (pmetric.Metrics, error) {
	req := pmetricotlp.NewExportRequest()
	if err := req.UnmarshalProto(body); err != nil {
		return pmetric.Metrics{}, err
	}
	return req.Metrics(), nil
}

// fill decodes the points that were taken from the request into the metrics they belong to. pdata and the skeleton
// have come by the metrics in the same order.
func (d *Metrics) fill(md pmetric.Metrics) {
	points, counts := d.rest.points, d.rest.counts
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				n := counts[0]
				counts = counts[1:]
				if n > 0 {
					d.points.decodeAll(points[:n], numbers(m))
					points = points[n:]
				}
			}
		}
	}
}

func numbers(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() == pmetric.MetricTypeSum {
		return m.Sum().DataPoints()
	}
	return m.Gauge().DataPoints()
}
