package alert

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// History is what is stored of one label set, as far as new reports can touch it: rows by their start. Its state
// follows from the set of reports alone. Reports may come twice, in any order and from several reporters.
//
// A report is on the period that begins at its StartsAt. Of two reports on one period the later one holds. Periods
// whose starts are no further apart than the flap window make one row. Only the newest row can fire: a new
// one ends those before it.
type History struct {
	rows    []*Record
	removed map[string]string
	window  time.Duration
	newID   func() string
}

// NewHistory takes over rows of one label set: those whose newest period began within the window before the earliest
// report, or later, and the one before them unless it was reported to have ended.
func NewHistory(rows []*Record, window time.Duration, newID func() string) *History {
	slices.SortFunc(rows, func(a, b *Record) int { return a.StartsAt.Compare(b.StartsAt) })
	return &History{rows: rows, removed: map[string]string{}, window: window, newID: newID}
}

// Rows gives the rows by their start, the latest last.
func (h *History) Rows() []*Record { return h.rows }

// Removed gives the IDs of rows that turned out to be part of another, with the ID of that.
func (h *History) Removed() map[string]string { return h.removed }

// Add takes in one report.
func (h *History) Add(report *Alert) {
	p := Period{Start: report.StartsAt, Reported: report.UpdatedAt}
	if report.Status == Resolved {
		p.End = later(report.StartsAt, report.EndsAt)
	}
	row := h.rowFor(p.Start)
	if len(row.Periods) == 0 || newer(report, p, row) {
		row.describe(report)
	}
	row.add(p)
	h.judge()
}

// rowFor finds the row that a period belongs to. It joins two rows that the period connects, and makes one where
// there is none.
func (h *History) rowFor(start time.Time) *Record {
	var found *Record
	for i := 0; i < len(h.rows); i++ {
		row := h.rows[i]
		if start.Before(row.StartsAt.Add(-h.window)) || start.After(row.LastStart().Add(h.window)) {
			continue
		}
		if found == nil {
			found = row
			continue
		}
		h.merge(found, row)
		h.rows = slices.Delete(h.rows, i, i+1)
		i--
	}
	if found != nil {
		return found
	}
	row := &Record{ID: h.newID()}
	row.StartsAt = start
	at, _ := slices.BinarySearchFunc(h.rows, start, func(r *Record, t time.Time) int { return r.StartsAt.Compare(t) })
	h.rows = slices.Insert(h.rows, at, row)
	return row
}

// merge makes a later row part of an earlier one. The ID that is stored already stays.
func (h *History) merge(into, row *Record) {
	into.join(row)
	switch {
	case row.Version == 0:
		return
	case into.Version == 0:
		into.ID, into.Version, into.CreatedAt, into.ChangedAt = row.ID, row.Version, row.CreatedAt, row.ChangedAt
		return
	}
	for removed, id := range h.removed {
		if id == row.ID {
			h.removed[removed] = into.ID
		}
	}
	h.removed[row.ID] = into.ID
}

// newer says whether a report tells more recent things than the row has.
func newer(report *Alert, p Period, row *Record) bool {
	if c := comparePeriods(p, row.Reported()); c != 0 {
		return c > 0
	}
	return tieBreaker(report) > tieBreaker(&row.Alert)
}

// tieBreaker orders two reports of the same moment, from two reporters that saw it differently.
func tieBreaker(a *Alert) string {
	annotations, err := json.Marshal(a.Annotations)
	if err != nil { // a map of strings always marshals
		return ""
	}
	value := ""
	if a.Value != nil {
		value = formatValue(*a.Value)
	}
	return strings.Join([]string{expiry(a), string(a.Severity), a.RuleID, a.GeneratorURL, value, string(annotations)}, "\x00")
}

// expiry writes ExpiresAt so that of two texts the later time is the greater, and never the greatest: a report may be
// repeated to last longer.
func expiry(a *Alert) string {
	if a.ExpiresAt.IsZero() {
		return "~"
	}
	return a.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000000000")
}

// describe takes over what a report says beside status, start and end.
func (r *Record) describe(a *Alert) {
	c := a.Clone()
	r.ExpiresAt = c.ExpiresAt
	r.Labels, r.Annotations, r.Severity = c.Labels, c.Annotations, c.Severity
	r.Value, r.GeneratorURL, r.RuleID = c.Value, c.GeneratorURL, c.RuleID
}

// add puts a period among those of the row. One that is older than a dropped one is known already.
func (r *Record) add(p Period) {
	i, known := slices.BinarySearchFunc(r.Periods, p.Start, func(q Period, t time.Time) int { return q.Start.Compare(t) })
	switch {
	case known:
		if cmpReport(p, r.Periods[i]) > 0 {
			r.Periods[i] = p
		}
	case i == 0 && r.Dropped > 0:
		return
	default:
		r.Periods = slices.Insert(r.Periods, i, p)
	}
	for len(r.Periods) > maxPeriods {
		r.Periods = slices.Delete(r.Periods, 0, 1)
		r.Dropped++
	}
	if r.Dropped == 0 {
		r.StartsAt = r.Periods[0].Start
	}
}

// cmpReport orders two reports on one period.
func cmpReport(a, b Period) int {
	return cmp.Or(a.Reported.Compare(b.Reported), a.End.Compare(b.End))
}

// join takes in the periods of a later row, which ends to be.
func (r *Record) join(other *Record) {
	if comparePeriods(other.Reported(), r.Reported()) > 0 {
		r.describe(&other.Alert)
	}
	for _, p := range other.Periods {
		r.add(p)
	}
	r.Dropped += other.Dropped
	if other.ManualAt.After(r.ManualAt) {
		r.ManualAt, r.ResolvedBy = other.ManualAt, other.ResolvedBy
	}
}

// judge tells the status of every row from its periods and from the rows behind it.
func (h *History) judge() {
	for i, row := range h.rows {
		reported := row.Reported()
		row.UpdatedAt = reported.Reported
		if !row.ManualAt.IsZero() && row.LastStart().After(row.ManualAt) {
			row.ManualAt, row.ResolvedBy = time.Time{}, "" // it fired anew
		}
		switch {
		case !row.ManualAt.IsZero():
			row.Status, row.EndsAt = Resolved, later(row.StartsAt, row.ManualAt)
		case !reported.End.IsZero():
			row.Status, row.EndsAt = Resolved, reported.End
		case i < len(h.rows)-1:
			row.Status, row.EndsAt = Resolved, h.rows[i+1].StartsAt
		default:
			row.Status, row.EndsAt = Firing, time.Time{}
		}
	}
}

// Resolve ends the alert by hand: it stays resolved until it is reported to have begun after at.
func (r *Record) Resolve(at time.Time, by string) {
	r.ManualAt, r.ResolvedBy = later(r.LastStart(), at), by
	r.Status, r.EndsAt = Resolved, later(r.StartsAt, r.ManualAt)
}

// Reopen takes Resolve back. An alert that was reported to have ended fires anew, from at.
func (r *Record) Reopen(at time.Time) {
	r.ManualAt, r.ResolvedBy = time.Time{}, ""
	r.ExpiresAt = time.Time{} // a person says that it fires, for as long as nobody reports anything else
	if reported := r.Reported(); !reported.End.IsZero() {
		at = later(at, reported.Reported)
		r.add(Period{Start: at, Reported: at})
	}
	r.UpdatedAt = r.Reported().Reported
	r.Status, r.EndsAt = Firing, time.Time{}
}
