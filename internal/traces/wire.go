package traces

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of jaeger.api_v3, field by field: no Go module has them generated. Traces are OTLP's TracesData, which
// pdata reads. The numbers are those of
// https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto.

func getTraceRequest(id string) []byte { return appendString(nil, 1, id) }

func findTracesRequest(q *Query) []byte {
	var b []byte
	b = appendString(b, 1, q.Service)
	b = appendString(b, 2, q.Operation)
	for _, key := range slices.Sorted(maps.Keys(q.Attributes)) {
		// An empty value is written: it is one that is searched for.
		entry := protowire.AppendTag(appendString(nil, 1, key), 2, protowire.BytesType)
		b = appendMessage(b, 3, protowire.AppendString(entry, q.Attributes[key]))
	}
	b = appendMessage(b, 4, secondsAndNanos(q.Start.Unix(), q.Start.Nanosecond()))
	b = appendMessage(b, 5, secondsAndNanos(q.End.Unix(), q.End.Nanosecond()))
	b = appendDuration(b, 6, q.MinDuration)
	b = appendDuration(b, 7, q.MaxDuration)
	b = protowire.AppendVarint(protowire.AppendTag(b, 8, protowire.VarintType), uint64(q.Limit))
	return appendMessage(nil, 1, b)
}

func getOperationsRequest(service string) []byte { return appendString(nil, 1, service) }

func appendString(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendMessage(b []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), message)
}

func appendDuration(b []byte, field protowire.Number, d time.Duration) []byte {
	if d == 0 {
		return b
	}
	return appendMessage(b, field, secondsAndNanos(int64(d/time.Second), int(d%time.Second)))
}

// secondsAndNanos is a google.protobuf.Timestamp or Duration.
func secondsAndNanos(seconds int64, nanos int) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(seconds))
	return protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(nanos))
}

// stringsOf gives the values of a repeated string or message.
func stringsOf(b []byte, field protowire.Number) ([]string, error) {
	var values []string
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, malformed(n)
		}
		b = b[n:]
		if number == field && kind == protowire.BytesType {
			value, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return nil, malformed(n)
			}
			values, b = append(values, string(value)), b[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return nil, malformed(n)
		}
		b = b[n:]
	}
	return values, nil
}

// operationsOf reads a GetOperationsResponse.
func operationsOf(b []byte) ([]Operation, error) {
	messages, err := stringsOf(b, 1)
	if err != nil {
		return nil, err
	}
	operations := make([]Operation, len(messages))
	for i, message := range messages {
		for field, into := range map[protowire.Number]*string{1: &operations[i].Name, 2: &operations[i].Kind} {
			values, err := stringsOf([]byte(message), field)
			if err != nil {
				return nil, err
			}
			if len(values) > 0 {
				*into = values[len(values)-1]
			}
		}
	}
	return operations, nil
}

func malformed(n int) error {
	return fmt.Errorf("%w: its answer cannot be read: %w", ErrUnavailable, protowire.ParseError(n))
}

// rawCodec hands messages to gRPC as the bytes that they are.
type rawCodec struct{}

// Name is that of protobuf, as the bytes are.
func (rawCodec) Name() string { return "proto" }

// Marshal takes *[]byte.
func (rawCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("cannot send a %T", v)
	}
	return *b, nil
}

// Unmarshal takes *[]byte.
func (rawCodec) Unmarshal(data []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("cannot receive a %T", v)
	}
	// gRPC takes its buffer back.
	*b = append((*b)[:0:0], data...)
	return nil
}
