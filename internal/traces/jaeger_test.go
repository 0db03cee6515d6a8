package traces

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a Jaeger: what it was asked last, and what it answers.
type fake struct {
	method  string
	request []byte
	answers [][]byte
	err     error
	hang    bool
}

func (f *fake) handle(_ any, stream grpc.ServerStream) error {
	f.method, _ = grpc.MethodFromServerStream(stream)
	if err := stream.RecvMsg(&f.request); err != nil {
		return err
	}
	if f.hang {
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	for i := range f.answers {
		if err := stream.SendMsg(&f.answers[i]); err != nil {
			return err
		}
	}
	return f.err
}

// ask starts the fake.
func (f *fake) ask(t *testing.T, timeout time.Duration) *Jaeger {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(grpc.ForceServerCodec(rawCodec{}), grpc.UnknownServiceHandler(f.handle))
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-done)
	})
	return dial(t, listener.Addr().String(), timeout)
}

func dial(t *testing.T, address string, timeout time.Duration) *Jaeger {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return NewJaeger(conn, "jaeger:16685", timeout)
}

// spansOf makes a chunk with a span of each trace.
func spansOf(t *testing.T, service string, ids ...byte) []byte {
	t.Helper()
	b, err := new(ptrace.ProtoMarshaler).MarshalTraces(tracesOf(service, ids...))
	require.NoError(t, err)
	return b
}

// tracesOf has a span that starts at its trace's number and takes ten times as long.
func tracesOf(service string, ids ...byte) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("test")
	for _, id := range ids {
		span := ss.Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{id})
		span.SetSpanID(pcommon.SpanID{id})
		span.SetStartTimestamp(pcommon.Timestamp(id))
		span.SetEndTimestamp(pcommon.Timestamp(id) * 11)
	}
	return td
}

func TestFind(t *testing.T) {
	f := &fake{answers: [][]byte{spansOf(t, "shop", 1, 3), spansOf(t, "stock", 3, 2)}}
	q := Query{
		Service: "shop", Operation: "GET /", Attributes: map[string]string{"error": "true", "b": ""},
		Start: time.Unix(1, 2), End: time.Unix(3, 4), MinDuration: 1500 * time.Millisecond, MaxDuration: time.Minute, Limit: 2,
	}
	found, err := f.ask(t, time.Minute).Find(t.Context(), &q)
	require.NoError(t, err)
	require.Len(t, found, 2, "the limit holds")
	assert.Equal(t, []byte{3, 2}, []byte{ID(found[0])[0], ID(found[1])[0]})
	assert.Equal(t, 2, found[0].SpanCount())
	assert.Equal(t, "test", found[0].ResourceSpans().At(1).ScopeSpans().At(0).Scope().Name())

	assert.Equal(t, "/jaeger.api_v3.QueryService/FindTraces", f.method)
	asked, err := stringsOf(f.request, 1)
	require.NoError(t, err)
	require.Len(t, asked, 1)
	field := func(n protowire.Number) []string {
		values, err := stringsOf([]byte(asked[0]), n)
		require.NoError(t, err)
		return values
	}
	assert.Equal(t, []string{"shop"}, field(1))
	assert.Equal(t, []string{"GET /"}, field(2))
	assert.Equal(t, []string{"\x0a\x01b\x12\x00", "\x0a\x05error\x12\x04true"}, field(3))
	assert.Equal(t, []string{"\x08\x01\x10\x02"}, field(4))
	assert.Equal(t, []string{"\x08\x03\x10\x04"}, field(5))
	assert.Equal(t, []string{"\x08\x01\x10\x80\xca\xb5\xee\x01"}, field(6))
	assert.Equal(t, []string{"\x08\x3c\x10\x00"}, field(7))
}

func TestGet(t *testing.T) {
	f := &fake{answers: [][]byte{spansOf(t, "shop", 1), spansOf(t, "stock", 1)}}
	j := f.ask(t, time.Minute)
	td, err := j.Get(t.Context(), pcommon.TraceID{1})
	require.NoError(t, err)
	assert.Equal(t, 2, td.SpanCount())
	ids, err := stringsOf(f.request, 1)
	require.NoError(t, err)
	assert.Equal(t, []string{"01000000000000000000000000000000"}, ids)

	for _, gone := range []fake{{}, {err: errors.New("trace not found")}, {err: status.Error(codes.NotFound, "")}} {
		f.answers, f.err = gone.answers, gone.err
		_, err = j.Get(t.Context(), pcommon.TraceID{1})
		require.ErrorIs(t, err, ErrNotFound)
		require.ErrorContains(t, err, "Jaeger at jaeger:16685 has no trace 0100")
	}
}

func TestServicesAndOperations(t *testing.T) {
	message := func(field protowire.Number, s string) []byte { return appendString(nil, field, s) }
	f := &fake{answers: [][]byte{append(message(1, "stock"), message(1, "shop")...)}}
	j := f.ask(t, time.Minute)
	names, err := j.Services(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"shop", "stock"}, names)

	operation := appendMessage(nil, 1, append(message(1, "GET /"), message(2, "server")...))
	f.answers = [][]byte{append(operation, appendMessage(nil, 1, message(1, "A"))...)}
	operations, err := j.Operations(t.Context(), "shop")
	require.NoError(t, err)
	assert.Equal(t, []Operation{{"A", ""}, {"GET /", "server"}}, operations)

	f.answers = [][]byte{{0xff}}
	_, err = j.Operations(t.Context(), "shop")
	require.ErrorIs(t, err, ErrUnavailable)
}

func TestErrorsOfJaeger(t *testing.T) {
	for name, tt := range map[string]struct {
		fake fake
		want error
		says string
	}{
		"invalid":     {fake{err: status.Error(codes.InvalidArgument, "missing query")}, ErrRefused, "Jaeger at jaeger:16685 refuses the query: missing query"},
		"any other":   {fake{err: errors.New("disk full")}, ErrUnavailable, "Jaeger at jaeger:16685 failed: disk full"},
		"slow":        {fake{hang: true}, ErrTimeout, "Jaeger at jaeger:16685 did not answer within 50ms"},
		"no traces":   {fake{answers: [][]byte{{0xff, 0xff}}}, ErrUnavailable, "cannot be read"},
		"too large":   {fake{answers: [][]byte{make([]byte, MaxAnswer+1)}}, ErrTooLarge, "too large for one answer of Jaeger"},
		"larger":      {fake{answers: [][]byte{large(), large(), large()}}, ErrTooLarge, `64 MiB together; lower "limit"`},
		"unavailable": {fake{err: status.Error(codes.Unavailable, "starting")}, ErrUnavailable, "Jaeger at jaeger:16685 cannot be reached: starting"},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := time.Minute
			if tt.fake.hang {
				timeout = 50 * time.Millisecond
			}
			_, err := tt.fake.ask(t, timeout).Find(t.Context(), &Query{Service: "shop", Limit: 1})
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.says)
		})
	}
}

// large is a chunk of unknown fields.
func large() []byte { return appendMessage(nil, 100, make([]byte, MaxAnswer/3)) }

func TestJaegerIsAway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	_, err = dial(t, listener.Addr().String(), time.Minute).Services(t.Context())
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "connection refused")
}

func TestTheCallerGoesAway(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&fake{}).ask(t, time.Minute).Services(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestWorst(t *testing.T) {
	f := &fake{answers: [][]byte{spansOf(t, "shop", 1, 4, 2), spansOf(t, "other", 9)}}
	failed, slow, err := Worst(t.Context(), f.ask(t, time.Minute), "shop", time.Unix(0, 0), time.Unix(1, 0), 1)
	require.NoError(t, err)
	require.Len(t, failed, 1)
	assert.Equal(t, byte(9), ID(failed[0])[0], "the newest")
	require.Len(t, slow, 1)
	assert.Equal(t, byte(4), ID(slow[0])[0], "the longest of the others")

	f.err = errors.New("broken")
	_, _, err = Worst(t.Context(), f.ask(t, time.Minute), "shop", time.Unix(0, 0), time.Unix(1, 0), 1)
	require.ErrorIs(t, err, ErrUnavailable)
}
