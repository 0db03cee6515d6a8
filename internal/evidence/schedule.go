package evidence

import (
	"slices"
	"time"

	"github.com/quantivista/monitoring/internal/incident"
)

// begin gives the collection of an incident for which there is none.
func (s *Settings) begin(in *incident.Incident) Collection {
	return Collection{IncidentID: in.ID, Stage: Opening, StageAt: in.CreatedAt.Add(s.FirstAfter)}
}

// over says that the incident is over for so long that nothing more will arrive.
func (s *Settings) over(in *incident.Incident, now time.Time) bool {
	end := endedAt(in)
	return !end.IsZero() && !now.Before(end.Add(s.Settle))
}

// look says whether a look at all sources is due, and which stage is behind it. An incident that was reopened begins
// again, without a look.
func (s *Settings) look(c *Collection, in *incident.Incident, now time.Time) (due bool, next Collection) {
	next = *c
	switch over := s.over(in, now); {
	case c.Stage == Ended && endedAt(in).IsZero():
		next.Stage, next.StageAt = Opening, now.Add(s.FirstAfter)
	case c.Stage == Ended:
	case over && (c.Stage != Opening || !now.Before(c.StageAt)):
		next.Stage, next.StageAt = Ended, time.Time{}
		return true, next
	case c.StageAt.IsZero() || now.Before(c.StageAt):
	case c.Stage == Opening:
		next.Stage, next.StageAt = Developing, c.StageAt.Add(s.AgainAfter-s.FirstAfter)
		if !next.StageAt.After(now) { // the first look was late
			next.StageAt = now.Add(s.AgainAfter - s.FirstAfter)
		}
		return true, next
	default:
		next.Stage, next.StageAt = Watching, time.Time{}
		return true, next
	}
	return false, next
}

// retries gives the sources that are due again.
func retries(c *Collection, now time.Time) (due []Source) {
	for source, state := range c.Sources {
		if !state.RetryAt.IsZero() && !now.Before(state.RetryAt) {
			due = append(due, source)
		}
	}
	slices.Sort(due)
	return due
}

// note gives how a source stands behind an attempt. It is asked again later and later, and for some time only. One that
// is back is asked once more, since what waited for it in queues comes later: the longer the longer it was away.
func (s *Settings) note(before SourceState, now time.Time, err error) SourceState {
	if err == nil && !before.Away() {
		return SourceState{At: now}
	}
	after := SourceState{At: now, AwaySince: before.AwaySince, Attempts: before.Attempts + 1}
	if after.AwaySince.IsZero() {
		after.AwaySince = now
	}
	if err != nil {
		after.Reason = clip(err.Error())
	}
	if retry := now.Add(s.pause(after.Attempts)); retry.Before(after.AwaySince.Add(s.GiveUpAfter)) {
		after.RetryAt = retry
	}
	return after
}

// pause doubles with each attempt.
func (s *Settings) pause(attempts int) time.Duration {
	return min(s.RetryAfter<<min(attempts-1, 10), max(maxRetry, s.RetryAfter))
}

// dueAt gives when the collection is due by itself; zero for never.
func dueAt(c *Collection) time.Time {
	due := c.StageAt
	for _, state := range c.Sources {
		if !state.RetryAt.IsZero() && (due.IsZero() || state.RetryAt.Before(due)) {
			due = state.RetryAt
		}
	}
	return due
}

// windows gives the times to look at: all of a short incident, and of a long one its beginning and, behind its end, its
// end, too.
func (s *Settings) windows(c *Case, now time.Time) []Window {
	in := &c.Incident
	start := in.CreatedAt
	for i := range c.Alerts {
		if at := c.Alerts[i].LastStart(); at.Before(start) {
			start = at
		}
	}
	if longest := in.CreatedAt.Add(-s.MaxWindow); start.Before(longest) {
		start = longest
	}
	start = start.Add(-s.Lookback)
	end := now
	if over := endedAt(in); !over.IsZero() && over.Add(s.Settle).Before(end) {
		end = over.Add(s.Settle)
	}
	switch {
	case end.Sub(start) <= s.MaxWindow+s.Lookback:
		return []Window{{start, end}}
	case s.over(in, now):
		return []Window{{start, start.Add(s.MaxWindow + s.Lookback)}, {end.Add(-s.MaxWindow), end}}
	default:
		return []Window{{start, start.Add(s.MaxWindow + s.Lookback)}}
	}
}
