package maintenance

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// starts gives the first starts of a rule in local time, as dates where no time is asked for.
func starts(t *testing.T, text, start, layout string, n int) (list []string) {
	t.Helper()
	r, err := parseRule(text)
	require.NoError(t, err)
	e := &expansion{rule: r, start: clock(t, start)}
	e.until, err = readUntil(r.until, zone(t, "America/New_York"))
	require.NoError(t, err)
	e.each(e.start, e.start.Add(horizon), func(at time.Time) bool {
		list = append(list, at.Format(layout))
		return len(list) < n
	})
	return list
}

// The examples of RFC 5545, section 3.8.5.3, that are of days and longer.
func TestExamplesOfTheRFC(t *testing.T) {
	const ten = "1997-09-02 09:00"
	for _, c := range []struct{ rule, start, want string }{
		{"FREQ=DAILY;COUNT=3", ten, "1997-09-02 1997-09-03 1997-09-04"},
		{"FREQ=DAILY;UNTIL=19970905T000000Z", ten, "1997-09-02 1997-09-03 1997-09-04"},
		{"FREQ=DAILY;INTERVAL=2", ten, "1997-09-02 1997-09-04 1997-09-06 1997-09-08"},
		{"FREQ=DAILY;INTERVAL=10;COUNT=5", ten, "1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12"},
		{"FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "1998-01-30 09:00", "1998-01-30 1998-01-31 1999-01-01 1999-01-02"},
		{"FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", "1998-01-30 09:00", "1998-01-30 1998-01-31 1999-01-01"},
		{"FREQ=WEEKLY;INTERVAL=2;WKST=SU", ten, "1997-09-02 1997-09-16 1997-09-30 1997-10-14"},
		{"FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", ten, "1997-09-02 1997-09-04 1997-09-09 1997-09-11"},
		{"FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR", "1997-09-01 09:00", "1997-09-01 1997-09-03 1997-09-05 1997-09-15 1997-09-17"},
		{"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05 09:00", "1997-08-05 1997-08-10 1997-08-19 1997-08-24"},
		{"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05 09:00", "1997-08-05 1997-08-17 1997-08-19 1997-08-31"},
		{"FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "1997-09-05 09:00", "1997-09-05 1997-10-03 1997-11-07 1997-12-05"},
		{"FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU", "1997-09-07 09:00", "1997-09-07 1997-09-28 1997-11-02 1997-11-30 1998-01-04"},
		{"FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22 09:00", "1997-09-22 1997-10-20 1997-11-17 1997-12-22"},
		{"FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28 09:00", "1997-09-28 1997-10-29 1997-11-28 1997-12-29 1998-01-29 1998-02-26"},
		{"FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "1997-09-30 09:00", "1997-09-30 1997-10-01 1997-10-31 1997-11-01"},
		{"FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11", "1997-09-10 09:00", "1997-09-10 1997-09-11 1999-03-10 1999-03-11"},
		{"FREQ=YEARLY;COUNT=10;BYMONTH=6,7", "1997-06-10 09:00", "1997-06-10 1997-07-10 1998-06-10"},
		{"FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200", "1997-01-01 09:00", "1997-01-01 1997-04-10 1997-07-19 2000-01-01 2000-04-09"},
		{"FREQ=YEARLY;BYDAY=20MO", "1997-05-19 09:00", "1997-05-19 1998-05-18 1999-05-17"},
		{"FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997-03-13 09:00", "1997-03-13 1997-03-20 1997-03-27 1998-03-05"},
		{"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1998-02-13 09:00", "1998-02-13 1998-03-13 1998-11-13 1999-08-13 2000-10-13"},
		{"FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "1997-09-13 09:00", "1997-09-13 1997-10-11 1997-11-08"},
		{"FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05 09:00", "1996-11-05 2000-11-07 2004-11-02"},
		{"FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04 09:00", "1997-09-04 1997-10-07 1997-11-06"},
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09-29 09:00", "1997-09-29 1997-10-30 1997-11-27 1997-12-30"},
		{"FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15 09:00", "2007-01-15 2007-01-30 2007-02-15 2007-03-15 2007-03-30"},
		// Month ends and leap days: what a month does not have is left out.
		{"FREQ=MONTHLY", "2026-01-31 09:00", "2026-01-31 2026-03-31 2026-05-31 2026-07-31"},
		{"FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31 09:00", "2026-01-31 2026-03-31 2026-05-31 2026-07-31"},
		{"FREQ=MONTHLY;BYMONTHDAY=-1", "2024-01-31 09:00", "2024-01-31 2024-02-29 2024-03-31 2024-04-30"},
		{"FREQ=YEARLY", "2024-02-29 09:00", "2024-02-29 2028-02-29 2032-02-29"},
		{"FREQ=YEARLY;BYYEARDAY=-1", "2024-12-31 09:00", "2024-12-31 2025-12-31"},
		{"FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "2026-10-25 09:00", "2026-10-25 2027-10-31"},
	} {
		want := strings.Fields(c.want)
		assert.Equal(t, want, starts(t, c.rule, c.start, time.DateOnly, len(want)), c.rule)
	}
	assert.Equal(t, []string{"09-02 09:00", "09-02 09:20", "09-02 10:00", "09-02 10:20", "09-03 09:00"},
		starts(t, "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20", ten, "01-02 15:04", 5))
	assert.Len(t, starts(t, "FREQ=DAILY;UNTIL=19971224T000000Z", ten, time.DateOnly, 1000), 113)
	assert.Len(t, starts(t, "FREQ=WEEKLY;COUNT=10", ten, time.DateOnly, 1000), 10)
	assert.Len(t, starts(t, "FREQ=WEEKLY;UNTIL=19971223", ten, time.DateOnly, 1000), 17)
}

func TestRulesThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"FREQ=SECONDLY":                                   "FREQ must be one of",
		"FREQ=MINUTELY;INTERVAL=5":                        "FREQ must be one of",
		"FREQ=HOURLY":                                     "add BYHOUR to DAILY",
		"INTERVAL=2":                                      "FREQ must be one of",
		"":                                                "FREQ=WEEKLY;BYDAY=SU",
		"FREQ=DAILY;":                                     `has ""`,
		"FREQ=DAILY;FREQ=DAILY":                           "FREQ once",
		"FREQ=DAILY;COUNT=0":                              "COUNT must be between 1 and 10000",
		"FREQ=DAILY;COUNT=2000000000":                     "COUNT must be between 1 and 10000",
		"FREQ=DAILY;COUNT=1;UNTIL=20300101":               "not both",
		"FREQ=DAILY;INTERVAL=0":                           "INTERVAL must be between",
		"FREQ=DAILY;INTERVAL=-1":                          "INTERVAL must be between",
		"FREQ=YEARLY;INTERVAL=11":                         "at most 10",
		"FREQ=MONTHLY;BYMONTHDAY=0":                       "BYMONTHDAY",
		"FREQ=MONTHLY;BYMONTHDAY=32":                      "BYMONTHDAY",
		"FREQ=MONTHLY;BYMONTHDAY=--1":                     "BYMONTHDAY",
		"FREQ=WEEKLY;BYMONTHDAY=1":                        "cannot be with FREQ=WEEKLY",
		"FREQ=WEEKLY;BYDAY=1MO":                           "without a number",
		"FREQ=MONTHLY;BYDAY=54MO":                         "53",
		"FREQ=MONTHLY;BYDAY=0MO":                          "53",
		"FREQ=WEEKLY;BYDAY=XX":                            `has "XX"`,
		"FREQ=WEEKLY;BYDAY=,":                             `has ""`,
		"FREQ=WEEKLY;WKST=1":                              "WKST must be one of",
		"FREQ=MONTHLY;BYYEARDAY=1":                        "must be with FREQ=YEARLY",
		"FREQ=DAILY;BYSETPOS=1":                           "another part",
		"FREQ=YEARLY;BYWEEKNO=20":                         "BYWEEKNO is not taken",
		"FREQ=DAILY;BYSECOND=1":                           "BYSECOND is not taken",
		"FREQ=YEARLY;BYEASTER=1":                          `has "BYEASTER"`,
		"FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=0,1,2,3,4,59": "",
		"FREQ=DAILY;BYHOUR=0,1,2,3,4;BYMINUTE=0,1,2,3,4":  "24 times a day",
		"freq=daily":                                      `has "freq"`,
		"RRULE:FREQ=DAILY":                                "",
		"FREQ=DAILY" + strings.Repeat(";", 500):           "at most 500 characters",
	} {
		_, err := parseRule(text)
		if want == "" {
			assert.NoError(t, err, text)
		} else {
			assert.ErrorContains(t, err, want, text)
		}
	}
}
