package monitoringapiextension

import (
	"errors"
	"net/http"

	jsoniter "github.com/json-iterator/go"
	"github.com/prometheus/prometheus/promql"
	_ "github.com/prometheus/prometheus/web/api/v1" // registers the encoders of samples and series

	"github.com/quantivista/monitoring/internal/metricstore"
)

// flushAt bounds what is buffered of an answer that may be hundreds of megabytes.
const flushAt = 64 << 10

// queryResult writes a MetricsQueryResult series by series, with Prometheus' own encoders.
type queryResult metricstore.Result

// VisitQueryMetricsResponse answers the request. An error means that the client is gone.
func (q queryResult) VisitQueryMetricsResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	stream := jsoniter.NewStream(jsoniter.ConfigCompatibleWithStandardLibrary, w, flushAt)
	stream.WriteRaw(`{"status":"success","data":{"resultType":"`)
	stream.WriteRaw(string(q.Value.Type()))
	stream.WriteRaw(`","result":[`)
	switch v := q.Value.(type) {
	case promql.Matrix:
		writeEach(stream, v)
	case promql.Vector:
		writeEach(stream, v)
	default:
		// The contract wants objects, where Prometheus writes the bare point of a scalar or string.
		stream.WriteRaw(`{"metric":{},"value":`)
		stream.WriteVal(v)
		stream.WriteRaw(`}`)
	}
	stream.WriteRaw(`]}`)
	writeNotes(stream, "warnings", q.Warnings)
	writeNotes(stream, "infos", q.Infos)
	stream.WriteRaw("}\n")
	return errors.Join(stream.Error, stream.Flush())
}

// writeEach stops at the first error, which the stream keeps.
func writeEach[T any](stream *jsoniter.Stream, elements []T) {
	for i := range elements {
		if i > 0 {
			stream.WriteMore()
		}
		stream.WriteVal(elements[i])
		if stream.Buffered() >= flushAt && stream.Flush() != nil || stream.Error != nil {
			return
		}
	}
}

func writeNotes(stream *jsoniter.Stream, key string, notes []string) {
	if len(notes) > 0 {
		stream.WriteMore()
		stream.WriteObjectField(key)
		stream.WriteVal(notes)
	}
}
