package maintenance

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/state"
)

// at reads an RFC 3339 time.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	read, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return read
}

// window gives a window of two hours from a start on.
func window(t testing.TB, start, zone, recurrence string) Window {
	t.Helper()
	return Window{Definition: Definition{
		Name: "Patches", Matchers: []string{`service="db"`}, TimeZone: zone, Recurrence: recurrence,
		StartsAt: at(t, start), EndsAt: at(t, start).Add(2 * time.Hour),
	}}
}

func times(t testing.TB, w Window) *Times {
	t.Helper()
	read, err := Read(w)
	require.NoError(t, err)
	return read
}

func shown(zone *time.Location, list []Occurrence) (texts []string) {
	for _, o := range list {
		texts = append(texts, o.Start.In(zone).Format("Jan 2 15:04")+" - "+o.End.In(zone).Format("Jan 2 15:04 MST"))
	}
	return texts
}

// A window keeps its times of day when clocks change.
func TestWindowsKeepTheirTimesOfDay(t *testing.T) {
	for name, c := range map[string]struct {
		start, end, zone, rule string
		want                   []string
	}{
		"over the night of a lost hour": {"2026-03-27T22:00:00+01:00", "2026-03-28T06:00:00+01:00", "Europe/Berlin", "FREQ=DAILY;COUNT=3", []string{
			"Mar 27 22:00 - Mar 28 06:00 CET", "Mar 28 22:00 - Mar 29 06:00 CEST", "Mar 29 22:00 - Mar 30 06:00 CEST",
		}},
		"in the lost hour: later, and no shorter": {"2026-03-28T02:00:00+01:00", "2026-03-28T03:00:00+01:00", "Europe/Berlin", "FREQ=DAILY;COUNT=3", []string{
			"Mar 28 02:00 - Mar 28 03:00 CET", "Mar 29 03:00 - Mar 29 04:00 CEST", "Mar 30 02:00 - Mar 30 03:00 CEST",
		}},
		"over the hour that comes twice": {"2026-10-24T22:00:00+02:00", "2026-10-25T06:00:00+01:00", "Europe/Berlin", "FREQ=DAILY;COUNT=2", []string{
			"Oct 24 22:00 - Oct 25 06:00 CET", "Oct 25 22:00 - Oct 26 06:00 CET",
		}},
		"in the hour that comes twice: the first": {"2026-10-24T02:30:00+02:00", "2026-10-24T02:45:00+02:00", "Europe/Berlin", "FREQ=DAILY;COUNT=2", []string{
			"Oct 24 02:30 - Oct 24 02:45 CEST", "Oct 25 02:30 - Oct 25 02:45 CEST",
		}},
		"whole days": {"2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "Europe/Berlin", "FREQ=DAILY;COUNT=3", []string{
			"Mar 28 00:00 - Mar 29 00:00 CET", "Mar 29 00:00 - Mar 30 00:00 CEST", "Mar 30 00:00 - Mar 31 00:00 CEST",
		}},
		"a day that never was": {"2011-12-29T10:00:00-10:00", "2011-12-29T12:00:00-10:00", "Pacific/Apia", "FREQ=DAILY;COUNT=4", []string{
			"Dec 29 10:00 - Dec 29 12:00 -10", "Dec 31 10:00 - Dec 31 12:00 +14", "Jan 1 10:00 - Jan 1 12:00 +14",
		}},
		"half an hour": {"2026-10-03T02:15:00+10:30", "2026-10-03T02:45:00+10:30", "Australia/Lord_Howe", "FREQ=DAILY;COUNT=2", []string{
			"Oct 3 02:15 - Oct 3 02:45 +1030", "Oct 4 02:45 - Oct 4 03:15 +11",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := window(t, c.start, c.zone, c.rule)
			w.EndsAt = at(t, c.end)
			tm := times(t, w)
			assert.Equal(t, c.want, shown(zone(t, c.zone), tm.Between(w.StartsAt, w.StartsAt.Add(30*day), 100)))
			assert.Equal(t, tm.Between(w.StartsAt, w.StartsAt.Add(30*day), 100)[len(c.want)-1].End, tm.OverAt())
		})
	}
}

func TestLifeOfAWindow(t *testing.T) {
	w := window(t, "2026-12-06T02:00:00+01:00", "Europe/Berlin", "FREQ=WEEKLY;UNTIL=20261220")
	tm := times(t, w)
	states := func(tm *Times) (list []State) {
		for _, text := range []string{"2026-12-06T01:59:59+01:00", "2026-12-06T02:00:00+01:00", "2026-12-06T03:59:59+01:00", "2026-12-06T04:00:00+01:00",
			"2026-12-20T02:00:00+01:00", "2026-12-20T04:00:00+01:00"} {
			list = append(list, tm.State(at(t, text)))
		}
		return list
	}
	assert.Equal(t, []State{Upcoming, Active, Active, Upcoming, Active, Ended}, states(tm))
	assert.Equal(t, at(t, "2026-12-20T04:00:00+01:00"), tm.OverAt().In(w.StartsAt.Location()))
	next, ok := tm.Next(w.StartsAt)
	require.True(t, ok)
	assert.Equal(t, "2026-12-13T02:00:00+01:00", next.Start.Format(time.RFC3339))
	assert.True(t, tm.Matches(map[string]string{"service": "db", "x": "y"}))
	assert.False(t, tm.Matches(map[string]string{"service": "web"}))

	w.NotBefore = at(t, "2026-12-06T03:00:00+01:00")
	assert.Equal(t, []State{Upcoming, Upcoming, Upcoming, Upcoming, Active, Ended}, states(times(t, w)), "the first is over early")
	w.NotBefore = at(t, "2026-12-20T03:00:00+01:00")
	assert.Equal(t, w.NotBefore, times(t, w).OverAt(), "the last is over early")
	w.CancelledAt = at(t, "2026-12-06T03:00:00+01:00")
	assert.Equal(t, []State{Ended, Ended, Ended, Ended, Ended, Ended}, states(times(t, w)))
	assert.Equal(t, w.CancelledAt, times(t, w).OverAt())

	endless := times(t, window(t, "2026-12-06T02:00:00+01:00", "UTC", "FREQ=WEEKLY"))
	assert.Zero(t, endless.OverAt())
	assert.Equal(t, Upcoming, endless.State(at(t, "2099-01-01T00:00:00Z")))
	assert.Len(t, endless.Between(at(t, "2026-01-01T00:00:00Z"), at(t, "2099-01-01T00:00:00Z"), 5), 5)
	rare := times(t, window(t, "2028-02-29T02:00:00Z", "UTC", "FREQ=YEARLY"))
	next, ok = rare.Next(at(t, "2097-01-01T00:00:00Z"))
	require.True(t, ok, "2100 has no leap day")
	assert.Equal(t, at(t, "2104-02-29T02:00:00Z"), next.Start)
}

// Occurrences that overlap are one stretch of time.
func TestOverlappingOccurrences(t *testing.T) {
	w := window(t, "2026-12-06T00:00:00Z", "UTC", "FREQ=DAILY;COUNT=3")
	w.EndsAt = w.StartsAt.Add(36 * time.Hour)
	tm := times(t, w)
	current, ok := tm.At(at(t, "2026-12-07T06:00:00Z"))
	require.True(t, ok)
	assert.Equal(t, at(t, "2026-12-08T12:00:00Z"), current.End.UTC())
	assert.Equal(t, at(t, "2026-12-09T12:00:00Z"), tm.OverAt().UTC())
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	good := window(t, "2026-12-06T02:00:00+01:00", "Europe/Berlin", "FREQ=WEEKLY").Definition
	require.NoError(t, good.Validate())
	for name, c := range map[string]struct {
		change        func(*Definition)
		field, detail string
	}{
		"no name":                   {func(d *Definition) { d.Name = "" }, "name", "between 1 and 255"},
		"a long description":        {func(d *Definition) { d.Description = strings.Repeat("x", 5000) }, "description", "4096"},
		"no matcher":                {func(d *Definition) { d.Matchers = nil }, "matchers", "empty value"},
		"a matcher of everything":   {func(d *Definition) { d.Matchers = []string{`service=~".*"`} }, "matchers", "empty value"},
		"no operator":               {func(d *Definition) { d.Matchers = []string{`service`} }, "matchers", "operator"},
		"a wrong expression":        {func(d *Definition) { d.Matchers = []string{`service=~"("`} }, "matchers", "missing closing )"},
		"many matchers":             {func(d *Definition) { d.Matchers = []string{strings.Repeat(`a="b",`, 33)} }, "matchers", "at most 32"},
		"ends before it starts":     {func(d *Definition) { d.EndsAt = d.StartsAt.Add(-time.Hour) }, "endsAt", "after startsAt"},
		"ends when it starts":       {func(d *Definition) { d.EndsAt = d.StartsAt }, "endsAt", "after startsAt"},
		"no start":                  {func(d *Definition) { d.StartsAt = time.Time{} }, "startsAt", "2000 to 2199"},
		"a far end":                 {func(d *Definition) { d.EndsAt = d.EndsAt.AddDate(500, 0, 0) }, "endsAt", "2000 to 2199"},
		"an unknown zone":           {func(d *Definition) { d.TimeZone = "Europe/Bonn" }, "timeZone", "Europe/Bonn"},
		"a rule of seconds":         {func(d *Definition) { d.Recurrence = "FREQ=SECONDLY" }, "recurrence", "DAILY"},
		"a rule that never is":      {func(d *Definition) { d.Recurrence = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30" }, "recurrence", "none within 100 years"},
		"an end before the start":   {func(d *Definition) { d.Recurrence = "FREQ=DAILY;UNTIL=20200101" }, "recurrence", "UNTIL must not be before"},
		"an end that is none":       {func(d *Definition) { d.Recurrence = "FREQ=DAILY;UNTIL=soon" }, "recurrence", "UNTIL must be a date"},
		"a start off the rule":      {func(d *Definition) { d.Recurrence = "FREQ=WEEKLY;BYDAY=MO" }, "startsAt", "2026-12-07T02:00:00+01:00"},
		"years long, and it recurs": {func(d *Definition) { d.EndsAt = d.StartsAt.AddDate(2, 0, 0) }, "endsAt", "at most 366 days"},
		"backwards on the clock": {func(d *Definition) {
			d.StartsAt, d.EndsAt = at(t, "2026-10-25T02:30:00+02:00"), at(t, "2026-10-25T02:15:00+01:00")
		}, "endsAt", "on the clocks of Europe/Berlin"},
	} {
		t.Run(name, func(t *testing.T) {
			d := good
			c.change(&d)
			var fault *state.FieldError
			err := d.Validate()
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, c.field, fault.Field)
			assert.Contains(t, fault.Message, c.detail)
		})
	}
	err := (&Definition{}).Validate()
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	assert.Len(t, joined.Unwrap(), 4, "all faults at once: name, matchers, timeZone, startsAt")
}

// Whatever is taken has occurrences, quickly, that are in order and have a length.
func FuzzRecurrence(f *testing.F) {
	for _, seed := range []string{"FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU,MO;WKST=SU;INTERVAL=2", "FREQ=MONTHLY;BYDAY=-1SU,5FR;COUNT=7", "FREQ=YEARLY;BYYEARDAY=-366;UNTIL=20300101",
		"FREQ=MONTHLY;BYMONTHDAY=31,-1;BYSETPOS=1,-1;BYHOUR=2,3", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU", "RRULE:FREQ=YEARLY;BYDAY=53MO", "FREQ=SECONDLY;COUNT=1000000000"} {
		f.Add(seed, int64(1_774_746_000), uint8(0), int64(7200))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64, in uint8, seconds int64) {
		start := time.Unix(unix, 0)
		d := Definition{
			Name: "x", Matchers: []string{`a="b"`}, StartsAt: start, EndsAt: start.Add(time.Duration(seconds) * time.Second),
			TimeZone: oddZones[int(in)%len(oddZones)], Recurrence: text,
		}
		tm, err := Read(Window{Definition: d})
		if err != nil {
			return
		}
		first, ok := tm.At(start)
		require.True(t, ok)
		require.Equal(t, Active, tm.State(start))
		over := tm.OverAt()
		require.True(t, over.IsZero() || !over.Before(first.Start), "%s %s", over, first)
		previous := first.Start.Add(-1)
		for _, o := range tm.Between(start, start.AddDate(2, 0, 0), 100) {
			require.True(t, o.End.After(o.Start), o)
			require.False(t, o.Start.Before(previous), o)
			previous = o.Start
		}
	})
}

// Whatever is taken is read again from the form that is stored, and means the same.
func FuzzMatchers(f *testing.F) {
	for _, seed := range []string{`a="b"`, `{a=~"b.*",c!="d"}`, `"x.y"!~"("`, `{}`, `a="\xff"`, ``, `a=b,`, `"ü"=~"[^a]+"`, `a="\n\"\\"`} {
		f.Add(seed, "a", "b")
	}
	f.Fuzz(func(t *testing.T, text, name, value string) {
		s, err := parseSelector([]string{text})
		if err != nil {
			return
		}
		again, err := parseSelector(s.texts())
		require.NoError(t, err)
		require.Equal(t, s.texts(), again.texts())
		set := map[string]string{name: value}
		require.Equal(t, s.matches(set), again.matches(set))
		require.False(t, s.matches(nil))
	})
}
