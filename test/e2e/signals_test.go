package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const (
	// perSignal is how many spans, and how many lines, are in one request.
	perSignal = 5
	// signalsEach bounds the load, so that Loki gives all lines by one query.
	signalsEach = 25 * time.Millisecond
)

// signals sends spans that failed, each a trace of its own, and lines, for as long as a fault lasts, and remembers what
// was acknowledged.
type signals struct {
	c       *collector
	service string
	stop    chan struct{}
	done    sync.WaitGroup
	// noSpans has lines sent only.
	noSpans atomic.Bool

	mu     sync.Mutex
	traces []pcommon.TraceID
	lines  []string
	// refused counts requests that were not acknowledged.
	refused int
}

func startSignals(c *collector, service string) *signals {
	s := &signals{c: c, service: service, stop: make(chan struct{})}
	s.done.Go(func() {
		pace := time.NewTicker(signalsEach)
		defer pace.Stop()
		for n := 0; ; n += perSignal {
			select {
			case <-s.stop:
				return
			case <-pace.C:
			}
			if !s.noSpans.Load() {
				s.sendSpans()
			}
			s.sendLines(n)
		}
	})
	return s
}

func (s *signals) sendSpans() {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", s.service)
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	var ids []pcommon.TraceID
	for range perSignal {
		var id pcommon.TraceID
		_, _ = rand.Read(id[:]) // never fails
		span := spans.AppendEmpty()
		span.SetName("checkout")
		span.SetKind(ptrace.SpanKindServer)
		span.SetTraceID(id)
		span.SetSpanID(pcommon.SpanID(id[:8]))
		span.Status().SetCode(ptrace.StatusCodeError)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Millisecond)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		ids = append(ids, id)
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	s.acknowledged("/v1/traces", body, err, func() { s.traces = append(s.traces, ids...) })
}

func (s *signals) sendLines(first int) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", s.service)
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	var lines []string
	for n := range perSignal {
		lines = append(lines, fmt.Sprintf("line %d", first+n))
		record := records.AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		record.Body().SetStr(lines[n])
	}
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	s.acknowledged("/v1/logs", body, err, func() { s.lines = append(s.lines, lines...) })
}

// acknowledged notes what a request sent if it was taken. One that was not is not sent again.
func (s *signals) acknowledged(path string, body []byte, err error, note func()) {
	status := 0
	if err == nil {
		status, _, err = tryRequest(http.MethodPost, at(s.c.otlpHTTP, path), protobuf, body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || status != http.StatusOK {
		s.refused++
		return
	}
	note()
}

// counts gives how many spans and lines were acknowledged, and how many requests were not.
func (s *signals) counts() (spans, lines, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.traces), len(s.lines), s.refused
}

// awaitMore waits for so many further spans and lines.
func (s *signals) awaitMore(n int) {
	s.c.t.Helper()
	spans, lines, _ := s.counts()
	await(s.c.t, "spans and lines to be acknowledged", func() error {
		moreSpans, moreLines, _ := s.counts()
		if s.noSpans.Load() {
			return atLeast(moreLines-lines, n)
		}
		return atLeast(min(moreSpans-spans, moreLines-lines), n)
	})
}

// awaitRefusal waits until a request is not acknowledged.
func (s *signals) awaitRefusal() {
	s.c.t.Helper()
	_, _, before := s.counts()
	await(s.c.t, "a refusal", func() error {
		_, _, refused := s.counts()
		return atLeast(refused, before+1)
	})
}

// awaitDecided stops the spans and waits until a gateway, which holds traces in memory until it decides on them, has
// decided on all, and given all that it keeps to the queue.
func (s *signals) awaitDecided(gateway *collector) {
	s.c.t.Helper()
	s.noSpans.Store(true)
	await(s.c.t, "all traces to be sampled", func() error {
		decided, err := gateway.gauge("otelcol_processor_tail_sampling_global_count_traces_sampled", `sampled="true"`)
		if err != nil {
			return err
		}
		spans, _, _ := s.counts()
		return atLeast(int(decided), spans)
	})
	await(s.c.t, "all sampled traces to be offered to the queue", func() error {
		sampled, err := gateway.gauge("otelcol_processor_outgoing_items", `processor="transform/reason"`, `otel_signal="traces"`)
		if err != nil {
			return err
		}
		// Either is absent until it happens. A batch counts once the queue has it.
		queued, _ := gateway.gauge("otelcol_processor_batch_batch_send_size_sum", `processor="batch/sampled"`)
		refused, _ := gateway.gauge("otelcol_exporter_enqueue_failed_spans", "optional_otlp/jaeger")
		return atLeast(int(queued+refused), int(sampled))
	})
}

// end the load.
func (s *signals) end() {
	close(s.stop)
	s.done.Wait()
}

// requireLines wants every line that was acknowledged in Loki, once.
func (s *signals) requireLines(t *testing.T, l *loki) {
	t.Helper()
	_, lines, refused := s.counts()
	t.Logf("%d lines were acknowledged, %d requests were not", lines, refused)
	require.Less(t, lines, 5000, "what one query of Loki gives")
	await(t, "all lines in Loki", func() error {
		found, err := l.lines(fmt.Sprintf("{service_name=%q}", s.service))
		if err != nil {
			return err
		}
		slices.Sort(found)
		require.Len(t, slices.Compact(slices.Clone(found)), len(found), "each line once")
		absent := slices.DeleteFunc(slices.Clone(s.lines), func(line string) bool {
			_, there := slices.BinarySearch(found, line)
			return there
		})
		if len(absent) > 0 {
			return fmt.Errorf("%d lines are missing, such as %q", len(absent), absent[0])
		}
		return nil
	})
}

// requireTraces wants every trace that was acknowledged in Jaeger, but for so many that were counted as dropped.
func (s *signals) requireTraces(t *testing.T, j *jaeger, dropped int) {
	t.Helper()
	t.Logf("%d traces were acknowledged, %d dropped", len(s.traces), dropped)
	left := slices.Clone(s.traces)
	await(t, "all traces in Jaeger", func() error {
		left = slices.DeleteFunc(left, func(id pcommon.TraceID) bool { return j.hasTrace(id.String(), "checkout") == nil })
		if len(left) > dropped {
			return fmt.Errorf("%d traces are missing, such as %s", len(left), left[0])
		}
		return nil
	})
	require.Len(t, left, dropped, "what is counted as dropped is not there")
}
