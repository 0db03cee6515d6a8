package traces

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// MaxAnswer bounds the traces of one answer, as they come.
const MaxAnswer = 64 << 20

const service = "/jaeger.api_v3.QueryService/"

// Jaeger asks a Jaeger's query service.
type Jaeger struct {
	conn    grpc.ClientConnInterface
	name    string
	timeout time.Duration
}

var _ Reader = (*Jaeger)(nil)

// NewJaeger asks over a connection, which stays the caller's. The endpoint is what errors name. No call takes longer than
// the time-out.
func NewJaeger(conn grpc.ClientConnInterface, endpoint string, timeout time.Duration) *Jaeger {
	return &Jaeger{conn: conn, name: "Jaeger at " + endpoint, timeout: timeout}
}

// Services implements Reader.
func (j *Jaeger) Services(ctx context.Context) ([]string, error) {
	answer, err := j.call(ctx, "GetServices", nil)
	if err != nil {
		return nil, err
	}
	names, err := stringsOf(answer, 1)
	slices.Sort(names)
	return names, err
}

// Operations implements Reader.
func (j *Jaeger) Operations(ctx context.Context, of string) ([]Operation, error) {
	answer, err := j.call(ctx, "GetOperations", getOperationsRequest(of))
	if err != nil {
		return nil, err
	}
	operations, err := operationsOf(answer)
	slices.SortFunc(operations, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return operations, err
}

// Find implements Reader.
func (j *Jaeger) Find(ctx context.Context, q *Query) ([]ptrace.Traces, error) {
	td, err := j.stream(ctx, "FindTraces", findTracesRequest(q))
	if err != nil {
		return nil, err
	}
	found := Split(td)
	slices.SortStableFunc(found, func(a, b ptrace.Traces) int { return cmp.Compare(Start(b), Start(a)) })
	return found[:min(len(found), q.Limit)], nil
}

// Get implements Reader.
func (j *Jaeger) Get(ctx context.Context, id pcommon.TraceID) (ptrace.Traces, error) {
	td, err := j.stream(ctx, "GetTrace", getTraceRequest(id.String()))
	if err == nil && td.SpanCount() == 0 || errors.Is(err, ErrNotFound) {
		return td, fmt.Errorf("%w: %s has no trace %s (any more)", ErrNotFound, j.name, id)
	}
	return td, err
}

func (j *Jaeger) options() []grpc.CallOption {
	return []grpc.CallOption{grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(MaxAnswer)}
}

func (j *Jaeger) call(ctx context.Context, method string, request []byte) (answer []byte, _ error) {
	bounded, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	err := j.conn.Invoke(bounded, service+method, &request, &answer, j.options()...)
	return answer, j.explain(ctx, err)
}

// stream puts the traces of all messages together.
func (j *Jaeger) stream(ctx context.Context, method string, request []byte) (ptrace.Traces, error) {
	bounded, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	all, size := ptrace.NewTraces(), 0
	stream, err := j.conn.NewStream(bounded, &grpc.StreamDesc{ServerStreams: true}, service+method, j.options()...)
	if err == nil {
		err = stream.SendMsg(&request)
	}
	if err == nil || errors.Is(err, io.EOF) { // After EOF, receiving tells why.
		err = stream.CloseSend()
	}
	for err == nil {
		var chunk []byte
		if err = stream.RecvMsg(&chunk); err != nil {
			break
		}
		if size += len(chunk); size > MaxAnswer {
			return all, fmt.Errorf("%w: they have more than %d MiB together; lower \"limit\" or shorten the time", ErrTooLarge, MaxAnswer>>20)
		}
		td, faulty := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(chunk)
		if faulty != nil {
			return all, fmt.Errorf("%w: the answer of %s cannot be read: %w", ErrUnavailable, j.name, faulty)
		}
		td.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
	}
	if errors.Is(err, io.EOF) {
		return all, nil
	}
	return all, j.explain(ctx, err)
}

// explain gives what became of a call an error of this package. ctx is the caller's.
func (j *Jaeger) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	told := status.Convert(err)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("asking %s: %w", j.name, ctx.Err())
	case told.Code() == codes.DeadlineExceeded:
		return failure{ErrTimeout, fmt.Sprintf("%s did not answer within %s", j.name, j.timeout)}
	case told.Code() == codes.Unavailable:
		return failure{ErrUnavailable, fmt.Sprintf("%s cannot be reached: %s", j.name, told.Message())}
	case told.Code() == codes.ResourceExhausted:
		return failure{ErrTooLarge, fmt.Sprintf("the traces are too large for one answer of %s: %s; lower \"limit\" or shorten the time", j.name, told.Message())}
	case told.Code() == codes.InvalidArgument, told.Code() == codes.OutOfRange:
		return failure{ErrRefused, fmt.Sprintf("%s refuses the query: %s", j.name, told.Message())}
	case told.Code() == codes.NotFound, strings.Contains(told.Message(), "trace not found"): // Jaeger's stores answer Unknown.
		return failure{ErrNotFound, fmt.Sprintf("%s: %s", j.name, told.Message())}
	default:
		return failure{ErrUnavailable, fmt.Sprintf("%s failed: %s", j.name, told.Message())}
	}
}

// failure is an error of this package in the words of a call.
type failure struct {
	kind    error
	message string
}

// Error names Jaeger.
func (f failure) Error() string { return f.message }

// Unwrap gives the error of this package.
func (f failure) Unwrap() error { return f.kind }
