package decode

import "google.golang.org/protobuf/encoding/protowire"

// Fields on the way to a data point, by opentelemetry/proto/metrics/v1/metrics.proto.
const (
	resourceMetrics protowire.Number = 1 // of ExportMetricsServiceRequest
	scopeMetrics    protowire.Number = 2 // of ResourceMetrics
	metrics         protowire.Number = 2 // of ScopeMetrics
	gauge           protowire.Number = 5 // of Metric
	sum             protowire.Number = 7
	histogram       protowire.Number = 9
	exponential     protowire.Number = 10
	summary         protowire.Number = 11
	dataPoints      protowire.Number = 1 // of Gauge and Sum
)

// skeleton is a request without the data points of its gauges and sums.
type skeleton struct {
	bytes  message
	points [][]byte // what was left out, in the request's memory
	counts []int    // of points left out, of each metric
}

// strip says whether it could be made. It is not where a message on the way to the points is broken.
func (s *skeleton) strip(request []byte) bool {
	return s.nested(request, resourceMetrics, func(rm []byte) bool {
		return s.nested(rm, scopeMetrics, func(sm []byte) bool {
			return s.nested(sm, metrics, s.metric)
		})
	})
}

// forget lets go of the request.
func (s *skeleton) forget() {
	clear(s.points)
	s.bytes.reset()
	s.points, s.counts = s.points[:0], s.counts[:0]
	if cap(s.points) > keptPoints {
		s.points = nil
	}
	if cap(s.counts) > keptPoints {
		s.counts = nil
	}
}

// nested copies a message; the values of one of its fields, all of which are messages, are left to copyInner.
func (s *skeleton) nested(b []byte, num protowire.Number, copyInner func([]byte) bool) bool {
	for len(b) > 0 {
		f, ok := nextField(b)
		if !ok {
			return false
		}
		b = b[f.size:]
		if f.num != num {
			s.bytes = append(s.bytes, f.raw...)
			continue
		}
		if f.typ != protowire.BytesType {
			return false
		}
		start := s.bytes.open(num)
		if !copyInner(f.value) {
			return false
		}
		s.bytes.close(start)
	}
	return true
}

// metric copies a metric without its points, where it has a gauge or a sum and nothing beside it.
func (s *skeleton) metric(m []byte) bool {
	data, ok := dataField(m)
	if !ok {
		return false
	}
	before := len(s.points)
	if data != gauge && data != sum {
		s.bytes = append(s.bytes, m...)
	} else if !s.nested(m, data, s.pointless) {
		return false
	}
	s.counts = append(s.counts, len(s.points)-before)
	return true
}

// pointless copies a gauge or a sum without its points.
func (s *skeleton) pointless(data []byte) bool {
	for len(data) > 0 {
		f, ok := nextField(data)
		if !ok {
			return false
		}
		data = data[f.size:]
		switch {
		case f.num != dataPoints:
			s.bytes = append(s.bytes, f.raw...)
		case f.typ == protowire.BytesType:
			s.points = append(s.points, f.value)
		default:
			return false
		}
	}
	return true
}

// dataField returns the one field of a metric that holds its data, or 0 where there are none or several: then the
// last counts.
func dataField(m []byte) (data protowire.Number, ok bool) {
	several := false
	for len(m) > 0 {
		f, ok := nextField(m)
		if !ok {
			return 0, false
		}
		m = m[f.size:]
		switch f.num {
		case gauge, sum, histogram, exponential, summary:
			several = data != 0
			data = f.num
		}
		if several {
			return 0, true
		}
	}
	return data, true
}
