package evidence

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
)

func drawEvidence(t *rapid.T, name string) Evidence {
	times := rapid.Custom(func(t *rapid.T) time.Time {
		return noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "s")) * time.Second)
	})
	names := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
	return Evidence{
		Metrics: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Metric {
			m := Metric{AlertID: names.Draw(t, "alert"), Severity: alert.High, End: times.Draw(t, "end")}
			if rapid.Bool().Draw(t, "series") {
				m.Series = []Series{{Points: []Point{}}}
			}
			return m
		}), 0, 8).Draw(t, name+" metrics"),
		Traces: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Trace {
			id := names.Draw(t, "id")
			// What is known of a trace is one thing: its spans only become more.
			tr := Trace{TraceID: id, Reason: Slow, Spans: rapid.IntRange(1, 2).Draw(t, "spans"), RootOperation: id[:1], Duration: time.Duration(id[0])}
			if id > "c" {
				tr.Reason, tr.Errors = Failed, 1
			}
			if rapid.Bool().Draw(t, "exemplar") {
				tr.Reason, tr.Exemplar = FromExemplar, &Exemplar{At: noon.Add(time.Duration(id[0]))}
				if rapid.Bool().Draw(t, "only") {
					tr = Trace{TraceID: id, Reason: FromExemplar, Exemplar: tr.Exemplar}
				}
			}
			return tr
		}), 0, 8).Draw(t, name+" traces"),
		Logs: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) LogPattern {
			at := times.Draw(t, "at")
			return LogPattern{Service: "shop", Pattern: names.Draw(t, "pattern"), Count: rapid.IntRange(1, 9).Draw(t, "count"), FirstSeen: at, LastSeen: at.Add(time.Second)}
		}), 0, 8).Draw(t, name+" logs"),
	}
}

func TestMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Budget{Metrics: rapid.IntRange(0, 7).Draw(t, "m"), Exemplars: rapid.IntRange(0, 7).Draw(t, "e"), Traces: rapid.IntRange(0, 7).Draw(t, "t"),
			LogPatterns: rapid.IntRange(0, 7).Draw(t, "l"), Bytes: 1 << 20}
		x, y := drawEvidence(t, "x"), drawEvidence(t, "y")
		kept := Merge(&Evidence{}, &x, &b)
		merged := Merge(&kept, &y, &b)
		assert.LessOrEqual(t, len(merged.Metrics), b.Metrics)
		assert.LessOrEqual(t, len(merged.Traces), b.Exemplars+b.Traces)
		assert.LessOrEqual(t, len(merged.Logs), b.LogPatterns)
		again := Merge(&merged, &Evidence{}, &b)
		assert.Equal(t, merged, again, "nothing changes nothing")
		if min(b.Traces, b.Exemplars) >= 6 {
			again = Merge(&merged, &y, &b)
			assert.Equal(t, merged.Counts(), again.Counts(), "a replay changes nothing")
		}
		seen := map[string]bool{}
		for _, tr := range merged.Traces {
			assert.False(t, seen[tr.TraceID], "each once")
			seen[tr.TraceID] = true
			assert.Equal(t, tr.Exemplar != nil, tr.Reason == FromExemplar)
		}
	})
}

func TestMergePrefers(t *testing.T) {
	b := DefaultSettings().Budget
	b.Traces = 3
	kept := Evidence{Traces: []Trace{
		{TraceID: "slow", Reason: Slow, Spans: 1, Duration: time.Hour},
		{TraceID: "failed", Reason: Failed, Errors: 1, Spans: 1, Duration: 2, Failures: []Failure{{Operation: "pay"}}},
		{TraceID: "alike", Reason: Failed, Errors: 1, Spans: 1, Duration: 1, Failures: []Failure{{Operation: "pay"}}},
		{TraceID: "named", Reason: FromExemplar, Exemplar: &Exemplar{At: noon}},
	}, Metrics: []Metric{{AlertID: "a", Series: []Series{{}}}}}
	found := Evidence{Traces: []Trace{
		{TraceID: "other", Reason: Failed, Errors: 2, Spans: 1, Duration: 1, Failures: []Failure{{Operation: "ship"}}},
		{TraceID: "named", Reason: Slow, Spans: 5},
	}, Metrics: []Metric{{AlertID: "a", Note: "nothing"}}}
	merged := Merge(&kept, &found, &b)
	var ids []string
	for _, tr := range merged.Traces {
		ids = append(ids, tr.TraceID)
	}
	assert.Equal(t, []string{"named", "failed", "other", "alike"}, ids, "exemplars, errors of each kind, then more of a kind")
	assert.Equal(t, 5, merged.Traces[0].Spans)
	assert.Equal(t, FromExemplar, merged.Traces[0].Reason)
	assert.Len(t, merged.Metrics[0].Series, 1, "what was seen is kept")
}

func TestMergeFitsIntoBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := DefaultSettings().Budget
		b.Bytes = rapid.IntRange(0, 40_000).Draw(t, "bytes")
		e := drawEvidence(t, "e")
		for i := range e.Traces {
			e.Traces[i].OTLP = json.RawMessage(`"` + strings.Repeat("x", 3000) + `"`)
		}
		merged := Merge(&Evidence{}, &e, &b)
		data, err := json.Marshal(merged)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(data), b.Bytes+100)
	})
}
