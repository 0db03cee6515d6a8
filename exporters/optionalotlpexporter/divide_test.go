package optionalotlpexporter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadata"
	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadatatest"
)

// backend refuses for good each batch with a bad record in it, and everything while it is away.
type backend struct {
	bad      map[string]codes.Code
	away     func(requests int) bool
	requests int
	taken    []string
}

func (b *backend) consume(_ context.Context, ld plog.Logs) error {
	b.requests++
	if b.away != nil && b.away(b.requests) {
		return status.Error(codes.Unavailable, "away")
	}
	names := namesOf(ld)
	for _, name := range names {
		if code, ok := b.bad[name]; ok {
			return consumererror.NewPermanent(status.Error(code, name))
		}
	}
	b.taken = append(b.taken, names...)
	return nil
}

func namesOf(ld plog.Logs) (names []string) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				names = append(names, record.Body().Str())
			}
		}
	}
	return names
}

// records makes a batch of n, in resources and scopes of some.
func records(n int) (ld plog.Logs, names []string) {
	ld = plog.NewLogs()
	for len(names) < n {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutInt("first", int64(len(names)))
		for range 1 + rand.IntN(2) {
			sl := rl.ScopeLogs().AppendEmpty()
			for range 1 + rand.IntN(4) {
				if len(names) == n {
					break
				}
				names = append(names, fmt.Sprint(len(names)))
				sl.LogRecords().AppendEmpty().Body().SetStr(names[len(names)-1])
			}
		}
	}
	return ld, names
}

func newTestDivider(t *testing.T, b *backend) (*divider[plog.Logs], *componenttest.Telemetry) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	builder, err := metadata.NewTelemetryBuilder(telemetry.NewTelemetrySettings())
	require.NoError(t, err)
	return &divider[plog.Logs]{signal: logSignal, send: b.consume, telemetry: builder, logger: zap.NewNop()}, telemetry
}

// What the backend takes arrives once, whatever is beside it, and what it refuses is counted; none is both, or neither.
func TestOnlyWhatIsRefusedIsDropped(t *testing.T) {
	for range 200 {
		n := 1 + rand.IntN(60)
		batch, names := records(n)
		b := &backend{bad: map[string]codes.Code{}}
		for range rand.IntN(3) {
			b.bad[names[rand.IntN(n)]] = codes.ResourceExhausted
		}
		d, telemetry := newTestDivider(t, b)
		require.NoError(t, d.push(t.Context(), batch))
		want := slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, bad := b.bad[name]; return bad })
		assert.ElementsMatch(t, want, b.taken)
		assert.LessOrEqual(t, b.requests, maxRequests)
		assert.Equal(t, names, namesOf(batch), "others may read the batch")
		if len(b.bad) > 0 {
			metadatatest.AssertEqualExporterRefusedLogRecords(t, telemetry, []metricdata.DataPoint[int64]{
				{Value: int64(len(b.bad)), Attributes: attribute.NewSet(attribute.String("reason", "too_large"))},
			}, metricdatatest.IgnoreTimestamp())
		}
	}
}

// A backend that goes away meanwhile gets again what it has not taken, and nothing else.
func TestWhatWasNotTakenIsSentAgain(t *testing.T) {
	for range 200 {
		n := 2 + rand.IntN(60)
		batch, names := records(n)
		b := &backend{bad: map[string]codes.Code{names[rand.IntN(n)]: codes.InvalidArgument}}
		from := 1 + rand.IntN(12)
		b.away = func(requests int) bool { return requests == from }
		d, telemetry := newTestDivider(t, b)
		for attempts := 0; ; attempts++ {
			require.Less(t, attempts, 3)
			err := d.push(t.Context(), batch)
			if err == nil {
				break
			}
			require.False(t, consumererror.IsPermanent(err))
			if rest := (consumererror.Logs{}); errors.As(err, &rest) {
				batch = rest.Data()
			}
		}
		want := slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, bad := b.bad[name]; return bad })
		assert.ElementsMatch(t, want, b.taken)
		metadatatest.AssertEqualExporterRefusedLogRecords(t, telemetry, []metricdata.DataPoint[int64]{
			{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "invalid"))},
		}, metricdatatest.IgnoreTimestamp())
	}
}

// A backend that refuses everything is not stormed.
func TestABackendThatRefusesEverything(t *testing.T) {
	batch, names := records(5000)
	b := &backend{bad: map[string]codes.Code{}}
	for _, name := range names {
		b.bad[name] = codes.Unknown
	}
	d, telemetry := newTestDivider(t, b)
	require.NoError(t, d.push(t.Context(), batch))
	assert.LessOrEqual(t, b.requests, maxRequests)
	metadatatest.AssertEqualExporterRefusedLogRecords(t, telemetry, []metricdata.DataPoint[int64]{
		{Value: 5000, Attributes: attribute.NewSet(attribute.String("reason", "other"))},
	}, metricdatatest.IgnoreTimestamp())

	denied := &backend{bad: map[string]codes.Code{names[0]: codes.Unauthenticated}}
	d, _ = newTestDivider(t, denied)
	require.Error(t, d.push(t.Context(), batch), "credentials are wrong for all of a batch")
	assert.Equal(t, 1, denied.requests)
}

func TestPartOfTraces(t *testing.T) {
	td := twoSpans()
	td.ResourceSpans().At(0).Resource().Attributes().PutStr("service.name", "shop")
	for i, name := range []string{"first", "second"} {
		part := partOfTraces(td, i, i+1)
		require.Equal(t, 1, part.SpanCount())
		rs := part.ResourceSpans().At(0)
		assert.Equal(t, name, rs.ScopeSpans().At(0).Spans().At(0).Name())
		assert.Equal(t, map[string]any{"service.name": "shop"}, rs.Resource().Attributes().AsRaw())
	}
	assert.Equal(t, 2, td.SpanCount())
}
