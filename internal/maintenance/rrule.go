package maintenance

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// frequency is the period of a rule.
type frequency string

// Those within a day are refused: windows that short are an error, and would be too many.
const (
	daily   frequency = "DAILY"
	weekly  frequency = "WEEKLY"
	monthly frequency = "MONTHLY"
	yearly  frequency = "YEARLY"
)

// nthDay is a day of BYDAY. n counts it within the month or year, from the end where it is negative; 0 is every one.
type nthDay struct {
	n   int
	day time.Weekday
}

// rule is a recurrence rule of RFC 5545, section 3.3.10. Empty lists select everything.
type rule struct {
	freq     frequency
	interval int
	count    int    // 0 for none
	until    string // as written, for it is read in the window's time zone; empty for none

	months, monthDays, yearDays, hours, minutes, positions []int

	days      []nthDay
	weekStart time.Weekday
}

// Bounds of a rule.
const (
	maxRuleLength = 500
	maxCount      = 10_000
	maxTimesADay  = 24
)

// maxInterval bounds the pause between two periods to ten years.
var maxInterval = map[frequency]int{daily: 3660, weekly: 520, monthly: 120, yearly: 10}

var weekdays = map[string]time.Weekday{
	"SU": time.Sunday, "MO": time.Monday, "TU": time.Tuesday, "WE": time.Wednesday,
	"TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday,
}

// parseRule reads a rule such as FREQ=WEEKLY;BYDAY=SU. "RRULE:" before it is taken as well.
func parseRule(text string) (*rule, error) {
	if len(text) > maxRuleLength {
		return nil, fmt.Errorf("must have at most %d characters, has %d", maxRuleLength, len(text))
	}
	r := &rule{interval: 1, weekStart: time.Monday}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "RRULE:"), ";") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok || value == "":
			return nil, fmt.Errorf("must be parts such as FREQ=WEEKLY;BYDAY=SU, has %q", part)
		case seen[name]:
			return nil, fmt.Errorf("must have %s once", name)
		}
		seen[name] = true
		if err := r.set(name, value); err != nil {
			return nil, err
		}
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *rule) set(name, value string) (err error) {
	switch name {
	case "FREQ":
		r.freq = frequency(value)
	case "UNTIL":
		r.until = value
	case "INTERVAL":
		r.interval, err = number(name, value, 1, maxInterval[daily])
	case "COUNT":
		r.count, err = number(name, value, 1, maxCount)
	case "WKST":
		day, ok := weekdays[value]
		if r.weekStart = day; !ok {
			err = fmt.Errorf("WKST must be one of MO, TU, WE, TH, FR, SA, SU, is %q", value)
		}
	case "BYDAY":
		r.days, err = parseDays(value)
	case "BYMONTH":
		r.months, err = numbers(name, value, 1, 12, false)
	case "BYMONTHDAY":
		r.monthDays, err = numbers(name, value, 1, 31, true)
	case "BYYEARDAY":
		r.yearDays, err = numbers(name, value, 1, 366, true)
	case "BYHOUR":
		r.hours, err = numbers(name, value, 0, 23, false)
	case "BYMINUTE":
		r.minutes, err = numbers(name, value, 0, 59, false)
	case "BYSETPOS":
		r.positions, err = numbers(name, value, 1, 366, true)
	case "BYSECOND", "BYWEEKNO":
		err = fmt.Errorf("%s is not taken", name)
	default:
		err = fmt.Errorf("must have parts of RFC 5545, such as FREQ, INTERVAL, COUNT, UNTIL and BYDAY, has %q", name)
	}
	return err
}

// check finds what contradicts itself, or RFC 5545.
func (r *rule) check() error {
	most, known := maxInterval[r.freq]
	counted := slices.ContainsFunc(r.days, func(d nthDay) bool { return d.n != 0 })
	switch {
	case !known:
		return fmt.Errorf("FREQ must be one of DAILY, WEEKLY, MONTHLY, YEARLY, is %q; for several times a day add BYHOUR to DAILY", string(r.freq))
	case r.interval > most:
		return fmt.Errorf("INTERVAL must be at most %d with FREQ=%s, is %d", most, r.freq, r.interval)
	case r.count > 0 && r.until != "":
		return errors.New("must have COUNT or UNTIL, not both")
	case max(1, len(r.hours))*max(1, len(r.minutes)) > maxTimesADay:
		return fmt.Errorf("BYHOUR and BYMINUTE must give at most %d times a day", maxTimesADay)
	case counted && r.freq != monthly && r.freq != yearly:
		return fmt.Errorf("BYDAY must be days without a number, such as SU, with FREQ=%s", r.freq)
	case len(r.monthDays) > 0 && r.freq == weekly:
		return errors.New("BYMONTHDAY cannot be with FREQ=WEEKLY")
	case len(r.yearDays) > 0 && r.freq != yearly:
		return errors.New("BYYEARDAY must be with FREQ=YEARLY")
	case len(r.positions) > 0 && len(r.months)+len(r.monthDays)+len(r.yearDays)+len(r.hours)+len(r.minutes)+len(r.days) == 0:
		return errors.New("BYSETPOS must be with another part that begins with BY")
	default:
		return nil
	}
}

func number(name, text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s must be between %d and %d, is %q", name, least, most, text)
	}
	return n, nil
}

// numbers reads a list, sorted and each once. Negative ones, where they may be, count from the end.
func numbers(name, text string, least, most int, negative bool) (list []int, err error) {
	for item := range strings.SplitSeq(text, ",") {
		digits, negated := item, false
		if negative {
			digits, negated = strings.CutPrefix(item, "-")
		}
		n, err := number(name, digits, least, most)
		if err != nil {
			return nil, err
		}
		if negated {
			n = -n
		}
		list = append(list, n)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

func parseDays(text string) ([]nthDay, error) {
	var days []nthDay
	for item := range strings.SplitSeq(text, ",") {
		cut := max(0, len(item)-2)
		day, ok := weekdays[item[cut:]]
		if !ok {
			return nil, fmt.Errorf("BYDAY must be days such as SU, 1MO or -1FR, has %q", item)
		}
		d := nthDay{day: day}
		if cut > 0 {
			ns, err := numbers("the number of a day in BYDAY", strings.TrimPrefix(item[:cut], "+"), 1, 53, true)
			if err != nil {
				return nil, err
			}
			d.n = ns[0]
		}
		days = append(days, d)
	}
	return days, nil
}
