package evidence

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestStages lives through an incident that is mitigated, resolved and reopened.
func TestStages(t *testing.T) {
	s := DefaultSettings()
	in := incident.Incident{ID: "i", Status: incident.Open, CreatedAt: noon}
	c := s.begin(&in)
	at := func(after time.Duration, due bool, stage Stage) {
		t.Helper()
		var got bool
		got, c = s.look(&c, &in, noon.Add(after))
		assert.Equal(t, due, got, "after %s", after)
		assert.Equal(t, stage, c.Stage, "after %s", after)
	}
	at(29*time.Second, false, Opening)
	at(31*time.Second, true, Developing)
	at(5*time.Minute-time.Second, false, Developing)
	at(5*time.Minute, true, Watching)
	at(time.Hour, false, Watching)
	in.Status, in.MitigatedAt = incident.Mitigated, noon.Add(time.Hour)
	at(time.Hour+29*time.Second, false, Watching)
	at(time.Hour+30*time.Second, true, Ended)
	at(2*time.Hour, false, Ended)
	in.Status = incident.Open
	at(2*time.Hour, false, Opening)
	at(2*time.Hour+30*time.Second, true, Developing)
	in.Status, in.ResolvedAt = incident.Resolved, noon.Add(2*time.Hour)
	at(2*time.Hour+31*time.Second, true, Ended)
}

// TestEveryIncidentEnds looks whenever something is due: that comes to an end, with a look behind the end of the incident,
// and never looks without end.
func TestEveryIncidentEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := DefaultSettings()
		in := incident.Incident{ID: "i", Status: incident.Open, CreatedAt: noon}
		end := noon.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "end")) * time.Second)
		away := rapid.SliceOfN(rapid.Bool(), 1, 60).Draw(t, "away")
		c, now := s.begin(&in), noon
		looks, last := 0, time.Time{}
		for i := range 500 {
			if !now.Before(end) {
				in.Status, in.ResolvedAt = incident.Resolved, end
			}
			due, next := s.look(&c, &in, now)
			if asked := retries(&c, now); due || len(asked) > 0 {
				looks++
				last = now
				var err error
				if away[i%len(away)] {
					err = errors.New("away")
				}
				next.Sources = map[Source]SourceState{Traces: s.note(c.Sources[Traces], now, err)}
			}
			c = next
			at := dueAt(&c)
			if c.Stage == Ended && at.IsZero() {
				break
			}
			if at.IsZero() {
				at = end.Add(s.Settle)
			}
			if over := end.Add(s.Settle); c.Stage != Ended && c.Stage != Opening && at.After(over) {
				at = over
			}
			if !at.After(now) {
				at = now.Add(s.Interval)
			}
			now = at
		}
		assert.Equal(t, Ended, c.Stage)
		assert.False(t, last.Before(end.Add(s.Settle)) && last.Before(noon.Add(s.FirstAfter)))
		assert.Less(t, looks, 200)
	})
}

func TestRetries(t *testing.T) {
	s := DefaultSettings()
	state, now := SourceState{}, noon
	var pauses []time.Duration
	for {
		state = s.note(state, now, errors.New("away"))
		assert.True(t, state.Away())
		assert.Equal(t, noon, state.AwaySince)
		if state.RetryAt.IsZero() {
			break
		}
		pauses = append(pauses, state.RetryAt.Sub(now))
		now = state.RetryAt
	}
	assert.Equal(t, []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}, pauses[:5])
	assert.WithinDuration(t, noon.Add(s.GiveUpAfter), now, 15*time.Minute)
	gone := s.note(SourceState{}, noon, errors.New("away"))
	back := s.note(gone, noon.Add(time.Minute), nil)
	assert.False(t, back.Away())
	assert.Equal(t, noon.Add(3*time.Minute), back.RetryAt, "what waited in queues comes later")
	assert.Equal(t, SourceState{At: now}, s.note(back, now, nil))
}

func TestWindows(t *testing.T) {
	s := DefaultSettings()
	c := Case{Incident: incident.Incident{Status: incident.Open, CreatedAt: noon}}
	began := func(at time.Time) alert.Record { return alert.Record{Periods: []alert.Period{{Start: at}}} }
	c.Alerts = []alert.Record{began(noon.Add(-time.Minute)), began(noon.Add(time.Minute))}
	start := noon.Add(-16 * time.Minute)
	assert.Equal(t, []Window{{start, noon.Add(5 * time.Minute)}}, s.windows(&c, noon.Add(5*time.Minute)))
	assert.Equal(t, []Window{{start, start.Add(75 * time.Minute)}}, s.windows(&c, noon.Add(5*time.Hour)))
	c.Incident.Status, c.Incident.MitigatedAt = incident.Mitigated, noon.Add(4*time.Hour)
	end := noon.Add(4*time.Hour + 30*time.Second)
	assert.Equal(t, []Window{{start, start.Add(75 * time.Minute)}, {end.Add(-time.Hour), end}}, s.windows(&c, noon.Add(5*time.Hour)))
	c.Alerts = append(c.Alerts, began(noon.Add(-100*time.Hour)))
	assert.Equal(t, noon.Add(-75*time.Minute), s.windows(&c, noon)[0].Start, "one that has fired for days says nothing of these")
}
