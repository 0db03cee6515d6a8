package lokiexporter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/exporters/lokiexporter/internal/metadata"
	"github.com/quantivista/monitoring/exporters/lokiexporter/internal/metadatatest"
)

// unqueued sends in the caller's goroutine, so that an error is the test's.
func unqueued(endpoint string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = endpoint
	cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	cfg.RetryConfig.Enabled = false
	return cfg
}

type harness struct {
	exporter.Logs
	telemetry *componenttest.Telemetry
	logged    *observer.ObservedLogs
}

func startExporter(t testing.TB, cfg *Config) *harness {
	h := &harness{telemetry: componenttest.NewTelemetry()}
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = h.telemetry.NewTelemetrySettings()
	core, logged := observer.New(zap.WarnLevel)
	set.Logger, h.logged = zap.New(core), logged
	logs, err := NewFactory().CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	h.Logs = logs
	t.Cleanup(func() {
		require.NoError(t, logs.Shutdown(context.Background()))
		require.NoError(t, h.telemetry.Shutdown(context.Background()))
	})
	return h
}

func (h *harness) requireRefused(t *testing.T, refused map[string]int64) {
	t.Helper()
	var points []metricdata.DataPoint[int64]
	for reason, n := range refused {
		points = append(points, metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(attribute.String("reason", reason))})
	}
	metadatatest.AssertEqualExporterLokiRefusedLogRecords(t, h.telemetry, points, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func lines(texts ...string) plog.Logs {
	ld, records := newLogs("shop")
	for i, text := range texts {
		say(records, start.Add(time.Duration(i)), text)
	}
	return ld
}

func TestWithoutAnEndpointLogsAreCountedAndDroppedWithOneLogLine(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Hint = "set LOKI_ENDPOINT"
	h := startExporter(t, cfg)
	require.NoError(t, h.ConsumeLogs(t.Context(), lines("a", "b")))
	require.NoError(t, h.ConsumeLogs(t.Context(), lines("c")))
	require.Len(t, h.logged.All(), 1)
	assert.Equal(t, "Dropping logs: no endpoint is set; set LOKI_ENDPOINT", h.logged.All()[0].Message)
	metadatatest.AssertEqualExporterDiscardedLogRecords(t, h.telemetry, []metricdata.DataPoint[int64]{{Value: 3}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestEachTenantHasItsPush(t *testing.T) {
	loki := newFakeLoki(t)
	var tenants []string
	loki.handle = func(w http.ResponseWriter, r *http.Request, request *push.PushRequest) {
		tenants = append(tenants, fmt.Sprint(r.Header.Get("X-Scope-OrgID"), " ", len(request.Streams)))
		w.WriteHeader(http.StatusNoContent)
	}
	cfg := unqueued(loki.URL)
	cfg.Tenant.From = []Source{"resource.tenant"}
	h := startExporter(t, cfg)
	ld := lines("a")
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr("tenant", "red")
	lines("b").ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	require.NoError(t, h.ConsumeLogs(t.Context(), ld))
	assert.Equal(t, []string{" 1", "red 1"}, tenants)
}

// Loki has stored the good lines when it tells of the bad ones: nothing is sent twice.
func TestRefusedLinesAreCountedAndTheOthersAreStoredOnce(t *testing.T) {
	loki := newFakeLoki(t)
	loki.handle = func(w http.ResponseWriter, _ *http.Request, request *push.PushRequest) {
		bad := loki.keep(request, func(e push.Entry) bool { return e.Line != "old" })
		http.Error(w, fmt.Sprintf("%d errors like: entry for stream '{service_name=\"shop\"}' has timestamp too old: 2020-01-01T00:00:00Z, oldest acceptable timestamp is: 2026-11-17T00:00:00Z", bad), http.StatusBadRequest)
	}
	h := startExporter(t, unqueued(loki.URL))
	require.NoError(t, h.ConsumeLogs(t.Context(), lines("a", "old", "b", "old")))
	assert.Equal(t, map[string]int{"a": 1, "b": 1}, loki.stored())
	h.requireRefused(t, map[string]int64{"too_old": 2})
	require.Len(t, h.logged.All(), 1)
	assert.Contains(t, h.logged.All()[0].ContextMap()["refused"], "2 too_old")
}

func TestABatchOfWhichNothingIsTakenIsAPermanentError(t *testing.T) {
	for status, reason := range map[int]string{http.StatusUnauthorized: "denied", http.StatusNotFound: "other", 260: "blocked"} {
		loki := newFakeLoki(t)
		loki.handle = func(w http.ResponseWriter, _ *http.Request, _ *push.PushRequest) { http.Error(w, "no", status) }
		h := startExporter(t, unqueued(loki.URL))
		err := h.ConsumeLogs(t.Context(), lines("a", "b"))
		require.True(t, consumererror.IsPermanent(err), status)
		require.ErrorContains(t, err, fmt.Sprintf("Loki answered %d: no", status))
		h.requireRefused(t, map[string]int64{reason: 2})
	}
}

// A push that is refused as a whole, nothing of it stored, is halved until the line is found.
func TestAPoisonedLineIsFoundByHalving(t *testing.T) {
	loki := newFakeLoki(t)
	loki.handle = func(w http.ResponseWriter, _ *http.Request, request *push.PushRequest) {
		for _, s := range request.Streams {
			for _, e := range s.Entries {
				if e.Line == "poison" {
					http.Error(w, "couldn't parse push request", http.StatusBadRequest)
					return
				}
			}
		}
		loki.keep(request, func(push.Entry) bool { return true })
		w.WriteHeader(http.StatusNoContent)
	}
	h := startExporter(t, unqueued(loki.URL))
	require.NoError(t, h.ConsumeLogs(t.Context(), lines("a", "b", "poison", "c", "d")))
	assert.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}, loki.stored())
	h.requireRefused(t, map[string]int64{"other": 1})
}

func TestAPushThatIsTooLargeIsHalved(t *testing.T) {
	loki := newFakeLoki(t)
	loki.handle = func(w http.ResponseWriter, _ *http.Request, request *push.PushRequest) {
		if request.Size() > 2000 {
			http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
			return
		}
		loki.keep(request, func(push.Entry) bool { return true })
		w.WriteHeader(http.StatusNoContent)
	}
	h := startExporter(t, unqueued(loki.URL))
	require.NoError(t, h.ConsumeLogs(t.Context(), lines(strings.Repeat("a", 900), strings.Repeat("b", 3000), strings.Repeat("c", 900))))
	assert.Equal(t, map[string]int{strings.Repeat("a", 900): 1, strings.Repeat("c", 900): 1}, loki.stored())
	h.requireRefused(t, map[string]int64{"too_large": 1})
}

func TestWhatIsNotTakenForNowIsTheErrorsAndNothingElse(t *testing.T) {
	loki := newFakeLoki(t)
	pushes := 0
	loki.handle = func(w http.ResponseWriter, _ *http.Request, request *push.PushRequest) {
		pushes++
		if pushes == 2 {
			w.Header().Set("Retry-After", "7")
			http.Error(w, "ingestion rate limit exceeded", http.StatusTooManyRequests)
			return
		}
		loki.keep(request, func(push.Entry) bool { return true })
		w.WriteHeader(http.StatusNoContent)
	}
	cfg := unqueued(loki.URL)
	cfg.Limits.PushSize = 1
	h := startExporter(t, cfg)
	err := h.ConsumeLogs(t.Context(), lines("a", "b", "c"))
	require.False(t, consumererror.IsPermanent(err))
	require.ErrorContains(t, err, "Throttle (7s)")
	var left consumererror.Logs
	require.ErrorAs(t, err, &left)
	assert.Equal(t, []string{"b", "c"}, bodies(left.Data()))
	require.NoError(t, h.ConsumeLogs(t.Context(), left.Data()))
	assert.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1}, loki.stored())
}

func TestALokiThatIsAwayIsTriedAgain(t *testing.T) {
	loki := newFakeLoki(t)
	loki.Close()
	h := startExporter(t, unqueued(loki.URL))
	err := h.ConsumeLogs(t.Context(), lines("a"))
	require.Error(t, err)
	require.False(t, consumererror.IsPermanent(err))
}

// Whatever Loki answers, and however often: each good line is stored once, each bad one is counted once.
func TestEveryGoodLineIsStoredOnce(t *testing.T) {
	loki := newFakeLoki(t)
	rapid.Check(t, func(t *rapid.T) {
		loki.clear()
		old := rapid.IntRange(2, 5).Draw(t, "every nth is old")
		poisoned := rapid.IntRange(3, 9).Draw(t, "every nth is poison")
		trouble := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 429, 500, 503, 408}), 0, 40).Draw(t, "answers")
		wrong := func(e push.Entry, nth int) bool { return (int(e.Line[5]-'0')+10*int(e.Line[4]-'0'))%nth == nth-1 }
		loki.handle = func(w http.ResponseWriter, _ *http.Request, request *push.PushRequest) {
			if len(trouble) > 0 {
				status := trouble[0]
				if trouble = trouble[1:]; status != 0 {
					http.Error(w, "not now", status)
					return
				}
			}
			poison := false
			for _, s := range request.Streams {
				for _, e := range s.Entries {
					poison = poison || wrong(e, poisoned)
				}
			}
			if poison {
				http.Error(w, "something that nobody knows", http.StatusBadRequest)
				return
			}
			if bad := loki.keep(request, func(e push.Entry) bool { return !wrong(e, old) }); bad > 0 {
				http.Error(w, fmt.Sprintf("%d errors like: entry for stream '{}' has timestamp too old: x", bad), http.StatusBadRequest)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}
		cfg := unqueued(loki.URL)
		cfg.Limits.PushSize = rapid.SampledFrom([]int{1, 300, 3000, 0}).Draw(t, "push_size")
		e, err := newLokiExporter(cfg, exportertest.NewNopSettings(metadata.Type))
		require.NoError(t, err)
		require.NoError(t, e.start(context.Background(), componenttest.NewNopHost()))
		defer func() { require.NoError(t, e.shutdown(context.Background())) }()

		ld := drawLogs(t)
		want := map[string]int{}
		for _, body := range bodies(ld) {
			if entry := (push.Entry{Line: body}); !wrong(entry, old) && !wrong(entry, poisoned) {
				want[body] = 1
			}
		}
		refused := newTally()
		rest := ld
		left := e.convert(context.Background(), rest)
		for round := 0; len(left) > 0; round++ {
			require.Less(t, round, 100)
			left, err = e.deliver(context.Background(), left, refused)
			if err != nil {
				rest = remaining(rest, left)
				left = e.convert(context.Background(), rest)
			}
		}
		require.Equal(t, want, loki.stored())
		require.Equal(t, ld.LogRecordCount()-len(want), refused.total())
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "12": 12 * time.Second, "-1": 0, "soon": 0, "Tue, 24 Nov 2026 17:00:30 GMT": 30 * time.Second,
	} {
		assert.Equal(t, want, retryAfter(value, now), value)
	}
	err := later(answer{status: 503, retryAfter: "Tue, 24 Nov 2026 16:00:00 GMT"}, now)
	require.NotContains(t, err.Error(), "Throttle", "the time is past")
	require.NotErrorIs(t, err, errors.ErrUnsupported)
}
