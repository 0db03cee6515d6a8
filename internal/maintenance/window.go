package maintenance

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/quantivista/monitoring/internal/state"
)

// Definition is what people say of a window.
type Definition struct {
	Name        string
	Description string
	// Matchers select the alerts, all of them, in Alertmanager's syntax.
	Matchers []string
	// StartsAt and EndsAt are the window, or its first occurrence.
	StartsAt, EndsAt time.Time
	// TimeZone is the name of the IANA time zone whose clocks a recurring window follows.
	TimeZone string
	// Recurrence is a rule of RFC 5545, section 3.3.10, such as FREQ=WEEKLY;BYDAY=SU; empty for once.
	Recurrence string
}

// Window is a stored maintenance window.
type Window struct {
	Definition
	ID string
	// NotBefore bounds the starts of occurrences: those that began before it are over. Zero bounds nothing.
	NotBefore time.Time
	// CancelledAt is when the window was ended or called off; zero where nobody did.
	CancelledAt time.Time
	// OverAt is when the last occurrence ends, or ended; zero where they go on for ever.
	OverAt time.Time

	CreatedAt, UpdatedAt time.Time
	CreatedBy, UpdatedBy string
	// Version counts the writes of the window, from 1.
	Version int64
}

// State is where a window is at a time.
type State string

// A recurring window is active and upcoming in turns.
const (
	Active   State = "active"
	Upcoming State = "upcoming"
	Ended    State = "ended"
)

// Bounds of a definition.
const (
	maxName        = 255
	maxDescription = 4096
	maxLength      = 366 * day
)

// The years in which windows are.
var (
	earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// plan is a definition that was read.
type plan struct {
	selector selector
	schedule schedule
}

// read gives the plan, or every fault as a *state.FieldError, joined.
func (d *Definition) read() (*plan, error) {
	var errs []error
	fail := func(field string, err error) {
		errs = append(errs, &state.FieldError{Field: field, Message: err.Error()})
	}
	if n := utf8.RuneCountInString(d.Name); n == 0 || n > maxName {
		fail("name", fmt.Errorf("must have between 1 and %d characters, has %d", maxName, n))
	}
	if n := utf8.RuneCountInString(d.Description); n > maxDescription {
		fail("description", fmt.Errorf("must have at most %d characters, has %d", maxDescription, n))
	}
	if !storable(d.Name) {
		fail("name", errors.New("must be UTF-8 without NUL"))
	}
	if !storable(d.Description) {
		fail("description", errors.New("must be UTF-8 without NUL"))
	}
	p := &plan{schedule: schedule{first: Occurrence{d.StartsAt, d.EndsAt}}}
	var err error
	if p.selector, err = parseSelector(d.Matchers); err != nil {
		fail("matchers", err)
	}
	if p.schedule.zone, err = loadZone(d.TimeZone); err != nil {
		fail("timeZone", err)
	}
	switch {
	case d.StartsAt.Before(earliest) || d.StartsAt.After(latest):
		fail("startsAt", errors.New("must be in the years 2000 to 2199"))
	case !d.EndsAt.After(d.StartsAt):
		fail("endsAt", fmt.Errorf("must be after startsAt, %s", d.StartsAt.Format(time.RFC3339)))
	case d.EndsAt.After(latest):
		fail("endsAt", errors.New("must be in the years 2000 to 2199"))
	}
	if d.Recurrence != "" {
		r, err := parseRule(d.Recurrence)
		if err != nil {
			fail("recurrence", err)
		}
		if len(errs) == 0 {
			p.recur(r, fail)
		}
	}
	return p, errors.Join(errs...)
}

// recur makes a schedule recur, whose first occurrence and zone are set.
func (p *plan) recur(r *rule, fail func(string, error)) {
	s := &p.schedule
	e := &expansion{rule: r, start: localOf(s.first.Start, s.zone)}
	s.length = localOf(s.first.End, s.zone).Sub(e.start)
	until, err := readUntil(r.until, s.zone)
	if e.until = until; err != nil {
		fail("recurrence", err)
		return
	}
	var first time.Time
	e.each(e.start, e.start.Add(horizon), func(local time.Time) bool {
		first = local
		return false
	})
	switch {
	case !until.IsZero() && until.Before(e.start):
		fail("recurrence", errors.New("UNTIL must not be before startsAt"))
	case first.IsZero():
		fail("recurrence", fmt.Errorf("must have an occurrence at startsAt or later, has none within %d years", horizon/(366*day)))
	case !first.Equal(e.start):
		fail("startsAt", fmt.Errorf("must be an occurrence of recurrence: the first from there is %s", instantOf(first, s.zone).Format(time.RFC3339)))
	case s.length <= 0:
		fail("endsAt", fmt.Errorf("must be later than startsAt on the clocks of %s", s.zone))
	case s.length > maxLength:
		fail("endsAt", fmt.Errorf("must be at most %d days after startsAt where there is a recurrence", maxLength/day))
	}
	if r.count > 0 {
		e.until = e.start.Add(horizon) // a count that no one lives to see is none
	}
	s.recur = e
}

// readUntil gives the local time behind which no occurrence begins. A date is that whole day; a time without Z is
// local.
func readUntil(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse("20060102", text); err == nil {
		return t.Add(day - 1), nil
	}
	if t, err := time.Parse("20060102T150405", text); err == nil {
		return t, nil
	}
	t, err := time.Parse("20060102T150405Z", text)
	if err != nil {
		return t, fmt.Errorf("UNTIL must be a date such as 20261231, or a time such as 20261231T235959Z, is %q", text)
	}
	return localOf(t, zone), nil
}

// Validate gives every fault as a *state.FieldError, joined.
func (d *Definition) Validate() error {
	_, err := d.read()
	return err
}
