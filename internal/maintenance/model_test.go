package maintenance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rules draws a rule's text of every part that is taken.
func rules(t *rapid.T) string {
	freq := rapid.SampledFrom([]frequency{daily, weekly, monthly, yearly}).Draw(t, "freq")
	parts := []string{"FREQ=" + string(freq)}
	maybe := func(name string, gen *rapid.Generator[string]) bool {
		if !rapid.Bool().Draw(t, name+"?") {
			return false
		}
		parts = append(parts, name+"="+gen.Draw(t, name))
		return true
	}
	list := func(values ...string) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(values), 1, 3, rapid.ID).Draw(t, "list"), ",")
		})
	}
	maybe("INTERVAL", list("2", "3", "5").Filter(func(s string) bool { return len(s) == 1 }))
	maybe("WKST", rapid.SampledFrom([]string{"MO", "SU", "WE"}))
	by := maybe("BYMONTH", list("1", "2", "3", "6", "10", "12"))
	days := []string{"MO", "SU", "WE", "SA"}
	if freq == monthly || freq == yearly {
		days = append(days, "1MO", "-1SU", "2TU", "-5FR", "5WE")
	}
	by = maybe("BYDAY", list(days...)) || by
	if freq != weekly {
		by = maybe("BYMONTHDAY", list("1", "13", "29", "31", "-1", "-3")) || by
	}
	if freq == yearly {
		by = maybe("BYYEARDAY", list("1", "60", "366", "-1", "-366")) || by
	}
	by = maybe("BYHOUR", list("0", "2", "3", "23")) || by
	if by {
		maybe("BYSETPOS", list("1", "2", "-1", "-2"))
	}
	if rapid.Bool().Draw(t, "bounded") {
		if rapid.Bool().Draw(t, "count?") {
			parts = append(parts, fmt.Sprint("COUNT=", rapid.IntRange(1, 30).Draw(t, "count")))
		} else {
			parts = append(parts, fmt.Sprintf("UNTIL=20%02d0301", rapid.IntRange(12, 30).Draw(t, "until")))
		}
	}
	return strings.Join(parts, ";")
}

// slowStarts looks at every day from the start on, one by one, without any period: what belongs to the same one is found
// by comparing.
func slowStarts(r *rule, start time.Time, days int) []time.Time {
	hours := r.hours
	if len(hours) == 0 {
		hours = []int{start.Hour()}
	}
	week := func(d time.Time) int { return int(d.Unix()/86400+10_000*7+3-int64(r.weekStart-1)) / 7 } // 1970-01-01 was a Thursday
	y0, m0, _ := start.Date()
	first := start.Truncate(day)
	periods := map[string][]time.Time{}
	var order []string
	for d := first.Add(-366 * day); d.Before(first.Add(time.Duration(days+366) * day)); d = d.Add(day) {
		y, m, _ := d.Date()
		var apart int
		switch r.freq {
		case daily:
			apart = int(d.Sub(first) / day)
		case weekly:
			apart = week(d) - week(first)
		case monthly:
			apart = 12*(y-y0) + int(m) - int(m0)
		case yearly:
			apart = y - y0
		}
		if apart < 0 || apart%r.interval != 0 {
			continue
		}
		key := fmt.Sprint(apart)
		if len(order) == 0 || order[len(order)-1] != key {
			order = append(order, key)
		}
		if !slowHas(r, start, d) {
			continue
		}
		for _, h := range hours {
			periods[key] = append(periods[key], d.Add(time.Duration(h)*time.Hour+time.Duration(start.Minute())*time.Minute))
		}
	}
	var all []time.Time
	for _, key := range order {
		in := periods[key]
		for i, at := range in {
			picked := len(r.positions) == 0
			for _, p := range r.positions {
				picked = picked || p == i+1 || p == i-len(in)
			}
			if picked && !at.Before(start) {
				all = append(all, at)
			}
		}
	}
	return slices.DeleteFunc(all, func(at time.Time) bool { return at.After(first.Add(time.Duration(days) * day)) })
}

// slowHas walks to the ends of month and year to count days.
func slowHas(r *rule, start, d time.Time) bool {
	fits := func(list []int, of func(int) bool) bool { return len(list) == 0 || slices.ContainsFunc(list, of) }
	// nth finds the nth day of those that begin at one, that are counted and that end before another.
	nth := func(n int, from, to time.Time, counted func(time.Time) bool) (found time.Time) {
		step := day
		if n < 0 {
			from, to, n, step = to.Add(-day), from.Add(-day), -n, -day
		}
		for x := from; !x.Equal(to); x = x.Add(step) {
			if counted(x) {
				n--
				if n == 0 {
					return x
				}
			}
		}
		return found
	}
	month := [2]time.Time{d.AddDate(0, 0, 1-d.Day()), d.AddDate(0, 0, 1-d.Day()).AddDate(0, 1, 0)}
	year := [2]time.Time{time.Date(d.Year(), 1, 1, 0, 0, 0, 0, time.UTC), time.Date(d.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)}
	every := func(time.Time) bool { return true }
	ok := fits(r.months, func(n int) bool { return time.Month(n) == d.Month() }) &&
		fits(r.monthDays, func(n int) bool { return nth(n, month[0], month[1], every).Equal(d) }) &&
		fits(r.yearDays, func(n int) bool { return nth(n, year[0], year[1], every).Equal(d) })
	if len(r.days) > 0 {
		within := month
		if r.freq == yearly && len(r.months) == 0 {
			within = year
		}
		ok = ok && slices.ContainsFunc(r.days, func(n nthDay) bool {
			same := func(x time.Time) bool { return x.Weekday() == n.day }
			return same(d) && (n.n == 0 || nth(n.n, within[0], within[1], same).Equal(d))
		})
	}
	if len(r.days)+len(r.monthDays)+len(r.yearDays) == 0 {
		switch r.freq {
		case weekly:
			ok = ok && d.Weekday() == start.Weekday()
		case monthly:
			ok = ok && d.Day() == start.Day()
		case yearly:
			ok = ok && d.Day() == start.Day() && (len(r.months) > 0 || d.Month() == start.Month())
		}
	}
	return ok
}

// TestOccurrencesAreThoseOfTheModel compares what a schedule gives in any stretch of time with a search through every
// day and every minute, around changes of clocks.
func TestOccurrencesAreThoseOfTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rules(t)
		r, err := parseRule(text)
		if err != nil {
			t.Fatalf("%s: %s", text, err)
		}
		in := zone(t, rapid.SampledFrom(oddZones).Draw(t, "zone"))
		start := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 16*366*24*4).Draw(t, "start")) * 15 * time.Minute)
		until, err := readUntil(r.until, in)
		if err != nil {
			t.Fatal(err)
		}
		const days = 4 * 366
		want := slowStarts(r, start, days)
		if !until.IsZero() {
			want = slices.DeleteFunc(want, func(at time.Time) bool { return at.After(until) })
		}
		if r.count > 0 && len(want) > r.count {
			want = want[:r.count]
		}
		var got []time.Time
		e := &expansion{rule: r, start: start, until: until}
		e.each(start, start.Truncate(day).Add(days*day), func(at time.Time) bool {
			got = append(got, at)
			return true
		})
		if !slices.EqualFunc(want, got, time.Time.Equal) {
			t.Fatalf("%s from %s: want %v, got %v", text, start, want, got)
		}
		if len(want) == 0 {
			return
		}
		e.start = want[0] // a window begins with an occurrence, which is at a time that there is
		if !localOf(instantOf(e.start, in), in).Equal(e.start) {
			return
		}
		if r.count > 0 {
			e.until = e.start.Add(horizon)
		}
		checkSchedule(t, e, in, want)
	})
}

// checkSchedule compares the schedule of local starts in a zone with what walking minutes gives, and looks from several
// times.
func checkSchedule(t *rapid.T, e *expansion, in *time.Location, locals []time.Time) {
	length := time.Duration(rapid.IntRange(1, 300).Draw(t, "length")) * 15 * time.Minute
	s := &schedule{zone: in, length: length, recur: e}
	s.first = Occurrence{instantOf(e.start, in), instantOf(e.start, in)}
	s.first.End = instantOf(localOf(s.first.Start, in).Add(length), in)
	if len(locals) > 12 {
		locals = locals[:12]
	}
	want := map[int64]Occurrence{}
	for _, local := range locals {
		at := slowInstantOf(local, in)
		end := slowInstantOf(localOf(at, in).Add(length), in)
		if !end.After(at) {
			t.Fatalf("%s to %s is no time", at, end)
		}
		want[at.Unix()] = Occurrence{at, end}
	}
	last := slowInstantOf(locals[len(locals)-1], in)
	got := s.starting(s.first.Start.Add(-time.Hour), last.Add(-maxSkip))
	for _, o := range got {
		if w := want[o.Start.Unix()]; !w.Start.Equal(o.Start) || !w.End.Equal(o.End) {
			t.Fatalf("%v is not of %v", o, w)
		}
	}
	for unix, w := range want {
		if w.Start.Before(last.Add(-maxSkip)) && !slices.ContainsFunc(got, func(o Occurrence) bool { return o.Start.Unix() == unix }) {
			t.Fatalf("%v is missing", w)
		}
	}
	at := s.first.Start.Add(time.Duration(rapid.IntRange(-1000, 5000).Draw(t, "at")) * 13 * time.Minute)
	for _, o := range s.covering(at) {
		if !o.contains(at) {
			t.Fatalf("%v does not contain %s", o, at)
		}
	}
	for _, o := range got {
		if o.contains(at) && !slices.Contains(s.covering(at), o) {
			t.Fatalf("%v covers %s", o, at)
		}
	}
	if next, ok := s.next(at); ok && (!next.Start.After(at) || len(s.starting(at.Add(1), next.Start)) > 0) {
		t.Fatalf("%v is not the next one after %s", next, at)
	}
	if end, ok := s.last(); ok {
		if next, more := s.next(end.Start); more {
			t.Fatalf("%v is not the last one: %v is", end, next)
		}
	}
}
