package maintenance

import (
	"slices"
	"time"
)

// Occurrence is one stretch of a window, End excluded.
type Occurrence struct{ Start, End time.Time }

// contains says whether the occurrence goes on at t.
func (o Occurrence) contains(t time.Time) bool { return !t.Before(o.Start) && t.Before(o.End) }

const (
	// horizon is how far ahead of a window's start, or of now, occurrences are looked for.
	horizon = 100 * 366 * day
	// maxSkip is more than what clocks were ever changed by at once: Samoa left out a day.
	maxSkip = 26 * time.Hour
	// firstSpan is how far ahead is looked at first, and then ever farther.
	firstSpan = 32 * day
)

// schedule says when a window is. Occurrences after the first keep the times of day of the window's zone, whatever its
// clocks do: the window of 22:00 to 06:00 is that in the nights in which clocks change, too, an hour shorter or longer.
// Where clocks skip the start, the occurrence comes later by what they skip, and is no shorter.
type schedule struct {
	first  Occurrence
	zone   *time.Location
	length time.Duration // in local time
	recur  *expansion    // nil for a window that is once
}

// starting gives the occurrences that begin in [from, to), rising, each once.
func (s *schedule) starting(from, to time.Time) []Occurrence {
	if s.recur == nil {
		if s.first.Start.Before(from) || !s.first.Start.Before(to) {
			return nil
		}
		return []Occurrence{s.first}
	}
	var found []Occurrence
	s.recur.each(localOf(from.Add(-maxSkip), s.zone), localOf(to.Add(maxSkip), s.zone), func(local time.Time) bool {
		o := s.occurrence(local)
		if !o.Start.Before(from) && o.Start.Before(to) {
			found = append(found, o)
		}
		return true
	})
	slices.SortFunc(found, func(a, b Occurrence) int { return a.Start.Compare(b.Start) })
	return slices.CompactFunc(found, func(a, b Occurrence) bool { return a.Start.Equal(b.Start) })
}

func (s *schedule) occurrence(local time.Time) Occurrence {
	if local.Equal(s.recur.start) {
		return s.first
	}
	start := instantOf(local, s.zone)
	return Occurrence{start, instantOf(localOf(start, s.zone).Add(s.length), s.zone)}
}

// covering gives the occurrences that go on at t, rising.
func (s *schedule) covering(t time.Time) []Occurrence {
	return slices.DeleteFunc(s.starting(t.Add(-s.longest()), t.Add(1)), func(o Occurrence) bool { return !o.contains(t) })
}

// next gives the first occurrence that begins after t.
func (s *schedule) next(t time.Time) (Occurrence, bool) {
	from := t.Add(1)
	if from.Before(s.first.Start) {
		from = s.first.Start
	}
	end := from.Add(horizon)
	for span := firstSpan; from.Before(end); span *= 4 {
		to := from.Add(span)
		if found := s.starting(from, to); len(found) > 0 {
			return found[0], true
		}
		from = to
	}
	return Occurrence{}, false
}

// last gives the last start, and the last end; false where they go on for ever.
func (s *schedule) last() (Occurrence, bool) {
	if s.recur == nil {
		return s.first, true
	}
	if s.recur.count == 0 && s.recur.until.IsZero() {
		return Occurrence{}, false
	}
	var local time.Time
	s.recur.each(s.recur.start, s.recur.start.Add(horizon), func(t time.Time) bool {
		local = t
		return true
	})
	start := instantOf(local, s.zone)
	var last Occurrence
	for _, o := range s.starting(start.Add(-s.longest()), start.Add(maxSkip)) {
		last.Start = o.Start
		if o.End.After(last.End) {
			last.End = o.End
		}
	}
	return last, true
}

// longest bounds the length of an occurrence.
func (s *schedule) longest() time.Duration {
	return max(s.length, s.first.End.Sub(s.first.Start)) + maxSkip
}
