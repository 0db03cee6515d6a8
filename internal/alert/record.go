package alert

import (
	"slices"
	"time"
)

// Record is a stored alert: all firing periods of one label set that began close to each other, as one.
//
// StartsAt is the start of the first period. EndsAt is the end of the last, zero while the alert fires. Everything
// else of the Alert is as last reported.
type Record struct {
	Alert
	ID string
	// Periods are the reported ones, by start. Of a long row of them the oldest are only counted, in Dropped.
	Periods []Period
	Dropped int
	// ManualAt and ResolvedBy tell who resolved the alert by hand, and when; zero where nobody did.
	ManualAt   time.Time
	ResolvedBy string
	// CreatedAt and ChangedAt are when the row was first and last written.
	CreatedAt, ChangedAt time.Time
	// Version counts the writes of the row, from 1.
	Version int64
}

// Period is one stretch in which the condition held, as one reporter saw it.
type Period struct {
	Start time.Time
	// End is zero while the period lasts.
	End time.Time
	// Reported is the time of the report that this is from, the latest on the period.
	Reported time.Time
}

// Clone gives a copy that shares nothing with the record.
func (r *Record) Clone() *Record {
	c := *r
	c.Alert, c.Periods = *r.Alert.Clone(), slices.Clone(r.Periods)
	return &c
}

// maxPeriods bounds what a row keeps of an alert that flaps for days.
const maxPeriods = 64

// Description is the annotation that tells people most.
func (a *Alert) Description() string {
	if d := a.Annotations["description"]; d != "" {
		return d
	}
	return a.Annotations["summary"]
}

// Flaps says how often the alert fired again after it had resolved. Periods that overlap are one, seen by several
// reporters.
func (r *Record) Flaps() int {
	components := r.Dropped
	var until time.Time // of the component; zero before the first
	for i, p := range r.Periods {
		if i == 0 || p.Start.After(until) {
			components++
			until = p.Start
		}
		if p.End.IsZero() && i+1 < len(r.Periods) && p.Start.Before(r.Periods[i+1].Start) {
			// Not told to have ended: it lasts until the next one starts.
			until = later(until, r.Periods[i+1].Start)
			continue
		}
		until = later(until, p.End)
	}
	return max(0, components-1)
}

// LastStart is the start of the newest period.
func (r *Record) LastStart() time.Time { return r.Periods[len(r.Periods)-1].Start }

// Reported gives the period of the latest report, which tells the status. Of two reports of one time the one of the
// later period holds, and of one period the one that ends it.
func (r *Record) Reported() Period {
	return slices.MaxFunc(r.Periods, comparePeriods)
}

func comparePeriods(a, b Period) int {
	if c := a.Reported.Compare(b.Reported); c != 0 {
		return c
	}
	if c := a.Start.Compare(b.Start); c != 0 {
		return c
	}
	return a.End.Compare(b.End) // zero is before every time
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
