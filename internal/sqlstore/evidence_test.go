package sqlstore

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

func someEvidence() evidence.Evidence {
	return evidence.Evidence{
		Metrics: []evidence.Metric{{
			AlertID: "a", AlertName: "Slow", Severity: alert.High, StartsAt: noon, Expression: "x > 1", Query: "x",
			Threshold: &evidence.Threshold{Op: ">", Value: 1}, Start: noon, End: noon.Add(time.Hour), Step: time.Minute,
			Series: []evidence.Series{{Labels: map[string]string{"job": "shop"}, Points: []evidence.Point{{At: noon, Value: "NaN"}}}},
		}},
		Traces: []evidence.Trace{
			{TraceID: "b", Reason: evidence.Failed, Spans: 2, Kept: 1, Duration: time.Second, StartedAt: noon, OTLP: json.RawMessage(`{"resourceSpans": []}`)},
			{TraceID: "a", Reason: evidence.FromExemplar, Exemplar: &evidence.Exemplar{Series: "x", Value: 2, At: noon}},
		},
		Logs: []evidence.LogPattern{{Service: "shop", Pattern: "a <_>", Count: 3, FirstSeen: noon, LastSeen: noon, Example: "a \x00 5"}},
	}
}

// endIncident brings an incident into a status, at a time.
func endIncident(t *testing.T, s *Store, id string, status incident.Status, ended time.Time) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx incident.Tx) {
		in, err := tx.Incident(ctx, id)
		require.NoError(t, err)
		in.Status, in.ResolvedAt = status, time.Time{}
		if status == incident.Resolved {
			in.ResolvedAt = ended
		}
		_, err = tx.UpdateIncident(ctx, in)
		require.NoError(t, err)
	})
}

func TestEvidence(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		in, other := newIncident(t, s, incident.Incident{}), newIncident(t, s, incident.Incident{})
		kept, c, err := s.Evidence(t.Context(), in.ID)
		require.NoError(t, err)
		assert.Zero(t, kept)
		assert.Zero(t, c)
		_, _, err = s.Evidence(t.Context(), newID())
		require.ErrorIs(t, err, state.ErrNotFound)
		_, _, err = s.Evidence(t.Context(), "x")
		require.ErrorIs(t, err, state.ErrNotFound)

		claimed, err := s.ClaimEvidence(t.Context(), in.ID, "one", noon, noon.Add(time.Minute))
		require.NoError(t, err)
		assert.Equal(t, in.ID, claimed.Incident.ID)
		assert.Equal(t, evidence.Collection{IncidentID: in.ID}, claimed.Collection, "it has not begun")
		e := someEvidence()
		c = evidence.Collection{
			IncidentID: in.ID, Stage: evidence.Developing, StageAt: noon.Add(time.Hour), Start: noon, End: noon.Add(time.Minute), CollectedAt: noon, Told: true,
			Sources: map[evidence.Source]evidence.SourceState{evidence.Traces: {At: noon, Reason: "Jaeger is away", AwaySince: noon, Attempts: 1, RetryAt: noon.Add(time.Minute)}},
		}
		event := &incident.TimelineEvent{IncidentID: in.ID, Type: incident.System, Content: "Evidence collected", CreatedBy: incident.Author}
		require.NoError(t, s.SaveEvidence(t.Context(), "one", &c, &e, noon.Add(time.Minute), event))
		kept, stored, err := s.Evidence(t.Context(), in.ID)
		require.NoError(t, err)
		e.Logs[0].Example = "a \uFFFD 5"
		assert.JSONEq(t, string(e.Traces[0].OTLP), string(kept.Traces[0].OTLP))
		e.Traces[0].OTLP = kept.Traces[0].OTLP
		assert.Equal(t, e, kept)
		assert.Equal(t, c, stored)
		timeline, err := s.Timeline(t.Context(), in.ID, state.Page{})
		require.NoError(t, err)
		require.Len(t, timeline.Events, 1)

		require.ErrorIs(t, s.SaveEvidence(t.Context(), "one", &c, &e, noon, nil), state.ErrConflict, "it was given back")
		_, err = s.ClaimEvidence(t.Context(), in.ID, "two", noon, noon.Add(time.Minute))
		require.NoError(t, err)
		e.Traces, e.Logs = e.Traces[1:], nil
		require.NoError(t, s.SaveEvidence(t.Context(), "two", &c, &e, time.Time{}, nil))
		kept, _, err = s.Evidence(t.Context(), in.ID)
		require.NoError(t, err)
		assert.Equal(t, e, kept, "what is better takes the place of what was there")

		counts, err := s.EvidenceCounts(t.Context(), []string{in.ID, other.ID, "x"})
		require.NoError(t, err)
		assert.Equal(t, map[string]evidence.Counts{in.ID: {Metrics: 1, Traces: 1}}, counts)

		endIncident(t, s, in.ID, incident.Resolved, noon)
		forgotten, err := incident.Forget(t.Context(), s, noon.Add(time.Second))
		require.NoError(t, err)
		assert.Equal(t, 1, forgotten.Incidents)
		for _, table := range []string{"incident_evidence", "evidence_collections"} {
			left, err := s.db.NewSelect().Table(table).Count(t.Context())
			require.NoError(t, err)
			assert.Zero(t, left, table)
		}
	})
}

func TestDueEvidence(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		low := newIncident(t, s, incident.Incident{CreatedAt: noon, Severity: alert.Low})
		high := newIncident(t, s, incident.Incident{CreatedAt: noon.Add(time.Second)})
		newIncident(t, s, incident.Incident{CreatedAt: noon.Add(time.Minute)})
		newIncident(t, s, incident.Incident{CreatedAt: noon.Add(-time.Minute)})
		due := evidence.Due{Now: noon.Add(30 * time.Second), CreatedFrom: noon, CreatedTo: noon.Add(time.Second), EndedBefore: noon, Limit: 10}
		wants := func(what string, ids ...string) {
			t.Helper()
			got, err := s.DueEvidence(t.Context(), due)
			require.NoError(t, err)
			assert.Equal(t, ids, got, what)
		}
		wants("the worst first, of those of their time", high.ID, low.ID)
		due.Limit = 1
		wants("so many at most", high.ID)
		due.Limit = 10

		take := func(id string, stage evidence.Stage, dueAt time.Time) {
			t.Helper()
			claimed, err := s.ClaimEvidence(t.Context(), id, "one", due.Now, due.Now.Add(time.Minute))
			require.NoError(t, err)
			_, err = s.ClaimEvidence(t.Context(), id, "two", due.Now, due.Now)
			require.ErrorIs(t, err, state.ErrConflict)
			claimed.Collection.Stage = stage
			if claimed.Collection.StageAt = dueAt; stage == evidence.Watching || stage == evidence.Ended {
				claimed.Collection.StageAt = time.Time{}
			}
			require.NoError(t, s.SaveEvidence(t.Context(), "one", &claimed.Collection, &claimed.Evidence, dueAt, nil))
		}
		take(high.ID, evidence.Developing, noon.Add(time.Hour))
		wants("its time has not come", low.ID)
		due.Now = noon.Add(time.Hour)
		wants("it has come", low.ID, high.ID)
		take(high.ID, evidence.Watching, time.Time{})
		wants("it waits for its end", low.ID)
		endIncident(t, s, high.ID, incident.Resolved, noon)
		wants("it has ended", low.ID, high.ID)
		due.EndedBefore = noon.Add(-time.Second)
		wants("not long enough ago", low.ID)
		due.EndedBefore = noon
		take(high.ID, evidence.Ended, time.Time{})
		wants("it stands", low.ID)
		endIncident(t, s, high.ID, incident.Open, noon)
		wants("it was reopened", low.ID, high.ID)
		take(high.ID, evidence.Watching, time.Time{})
		endIncident(t, s, high.ID, incident.Mitigated, noon)
		due.EndedBefore = time.Now().Add(time.Hour)
		wants("it is over, for now", low.ID, high.ID)

		_, err := s.ClaimEvidence(t.Context(), low.ID, "dead", due.Now, due.Now.Add(time.Minute))
		require.NoError(t, err)
		wants("another works on it", high.ID)
		due.Now = due.Now.Add(time.Minute)
		wants("which died", low.ID, high.ID)
	})
}

func TestOneWorkerHasTheEvidence(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		in := newIncident(t, s, incident.Incident{})
		var got, refused atomic.Int64
		var workers errgroup.Group
		for _, name := range []string{"a", "b", "c", "d"} {
			workers.Go(func() error {
				_, err := s.ClaimEvidence(t.Context(), in.ID, name, noon, noon.Add(time.Minute))
				switch {
				case err == nil:
					got.Add(1)
				case assert.ErrorIs(t, err, state.ErrConflict):
					refused.Add(1)
				}
				return nil
			})
		}
		require.NoError(t, workers.Wait())
		assert.EqualValues(t, 1, got.Load())
		assert.EqualValues(t, 3, refused.Load())
		c, e := evidence.Collection{IncidentID: in.ID, Stage: evidence.Ended}, someEvidence()
		require.ErrorIs(t, s.SaveEvidence(t.Context(), "nobody", &c, &e, noon, nil), state.ErrConflict)
		_, err := s.ClaimEvidence(t.Context(), in.ID, "late", noon.Add(time.Minute), noon.Add(2*time.Minute))
		require.NoError(t, err, "the lease has ended")
		_, err = s.ClaimEvidence(t.Context(), newID(), "late", noon, noon)
		require.ErrorIs(t, err, state.ErrNotFound)
		c.IncidentID = newID()
		require.ErrorIs(t, s.SaveEvidence(t.Context(), "late", &c, &e, noon, nil), state.ErrNotFound)
	})
}

func TestInvariantsOfEvidence(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		in := newIncident(t, s, incident.Incident{})
		_, err := s.ClaimEvidence(t.Context(), in.ID, "one", noon, noon.Add(time.Minute))
		require.NoError(t, err)
		refused(t, s, "evidence_collections_stage_at", `UPDATE evidence_collections SET stage_at = NULL`)
		refused(t, s, "evidence_collections_stage_check", `UPDATE evidence_collections SET stage = 'over', stage_at = NULL`)
		refused(t, s, "evidence_collections_lease", `UPDATE evidence_collections SET worker = ''`)
		refused(t, s, "incident_evidence_kind_check",
			`INSERT INTO incident_evidence (incident_id, kind, key, place, collected_at, data) VALUES (?, 'guess', 'k', 0, ?, '{}')`, in.ID, noon.Format(instantLayout))
	})
}
