package maintenance

import (
	"slices"
	"time"
)

const day = 24 * time.Hour

// expansion is a rule from its first occurrence on, in local time.
type expansion struct {
	*rule
	start time.Time
	until time.Time // the last start that may be; zero for any
}

// each calls yield with the starts in [from, to], rising, until it answers false. The work grows with to - from, and
// with the count of a rule that has one.
func (e *expansion) each(from, to time.Time, yield func(time.Time) bool) {
	if !e.until.IsZero() && e.until.Before(to) {
		to = e.until
	}
	counted := 0
	for n := e.firstPeriod(from); ; n++ {
		first, behind := e.period(n)
		if first.After(to) {
			return
		}
		for _, at := range e.within(first, behind) {
			if at.Before(e.start) {
				continue
			}
			counted++
			if at.After(to) || (e.count > 0 && counted > e.count) {
				return
			}
			if !at.Before(from) && !yield(at) {
				return
			}
		}
	}
}

// firstPeriod gives a number not behind the period of from. What is counted must be counted from the start.
func (e *expansion) firstPeriod(from time.Time) int {
	if e.count > 0 || !from.After(e.start) {
		return 0
	}
	// A period is at most this long, and begins up to one of it before the start.
	longest := map[frequency]time.Duration{daily: day, weekly: 7 * day, monthly: 31 * day, yearly: 366 * day}[e.freq]
	return max(0, int(from.Sub(e.start)/(longest*time.Duration(e.interval)))-1)
}

// period gives the first day of the nth period, and the first one behind it.
func (e *expansion) period(n int) (first, behind time.Time) {
	y, m, d := e.start.Date()
	n *= e.interval
	switch e.freq {
	case yearly:
		return date(y+n, 1, 1), date(y+n+1, 1, 1)
	case monthly:
		return date(y, m+time.Month(n), 1), date(y, m+time.Month(n)+1, 1)
	case weekly:
		d -= (int(e.start.Weekday()) - int(e.weekStart) + 7) % 7
		return date(y, m, d+7*n), date(y, m, d+7*n+7)
	default:
		return date(y, m, d+n), date(y, m, d+n+1)
	}
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// within gives all starts of a period, rising.
func (e *expansion) within(first, behind time.Time) []time.Time {
	hours, minutes := e.hours, e.minutes
	if len(hours) == 0 {
		hours = []int{e.start.Hour()}
	}
	if len(minutes) == 0 {
		minutes = []int{e.start.Minute()}
	}
	rest := time.Duration(e.start.Second())*time.Second + time.Duration(e.start.Nanosecond())
	var starts []time.Time
	for d := first; d.Before(behind); d = d.Add(day) {
		if !e.has(d) {
			continue
		}
		for _, hour := range hours {
			for _, minute := range minutes {
				starts = append(starts, d.Add(time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute+rest))
			}
		}
	}
	if len(e.positions) == 0 {
		return starts
	}
	return e.pick(starts)
}

// pick applies BYSETPOS.
func (e *expansion) pick(starts []time.Time) []time.Time {
	var picked []time.Time
	for i, at := range starts {
		if slices.Contains(e.positions, i+1) || slices.Contains(e.positions, i-len(starts)) {
			picked = append(picked, at)
		}
	}
	return picked
}

// has says whether a day is one of the rule's. What a rule leaves open is as on the day of the start.
func (e *expansion) has(d time.Time) bool {
	y, m, dom := d.Date()
	inMonth, inYear := date(y, m+1, 0).Day(), date(y, 12, 31).YearDay()
	open := len(e.days)+len(e.monthDays)+len(e.yearDays) == 0
	switch {
	case len(e.months) > 0 && !slices.Contains(e.months, int(m)),
		len(e.monthDays) > 0 && !counts(e.monthDays, dom, inMonth),
		len(e.yearDays) > 0 && !counts(e.yearDays, d.YearDay(), inYear):
		return false
	case len(e.days) > 0:
		place, size := dom, inMonth
		if e.freq == yearly && len(e.months) == 0 {
			place, size = d.YearDay(), inYear
		}
		return slices.ContainsFunc(e.days, func(n nthDay) bool { return n.is(d.Weekday(), place, size) })
	case open && e.freq == weekly:
		return d.Weekday() == e.start.Weekday()
	case open && e.freq == monthly, open && e.freq == yearly && len(e.months) > 0:
		return dom == e.start.Day()
	case open && e.freq == yearly:
		return m == e.start.Month() && dom == e.start.Day()
	default:
		return true
	}
}

// counts says whether a place among size ones is in a list, counted from the front or from the end.
func counts(list []int, place, size int) bool {
	return slices.Contains(list, place) || slices.Contains(list, place-size-1)
}

// is says whether a weekday at a place, from 1 to size, is meant.
func (n nthDay) is(day time.Weekday, place, size int) bool {
	if n.day != day {
		return false
	}
	return n.n == 0 || n.n == (place-1)/7+1 || n.n == -((size-place)/7+1)
}
