package maintenance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// oddZones change their clocks by an hour, by half an hour, around Ramadan, by a day once, or never.
var oddZones = []string{
	"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "America/St_Johns",
	"Asia/Kathmandu", "Africa/Cairo", "Antarctica/Troll", "UTC",
}

func zone(t require.TestingT, name string) *time.Location {
	loaded, err := loadZone(name)
	require.NoError(t, err)
	return loaded
}

// clock reads a local time.
func clock(t require.TestingT, text string) time.Time {
	local, err := time.Parse("2006-01-02 15:04", text)
	require.NoError(t, err)
	return local
}

func TestInstantOf(t *testing.T) {
	for _, c := range []struct{ zone, local, want string }{
		{"Europe/Berlin", "2026-07-01 12:00", "2026-07-01T12:00:00+02:00"},
		{"Europe/Berlin", "2026-03-29 01:59", "2026-03-29T01:59:00+01:00"},
		{"Europe/Berlin", "2026-03-29 02:00", "2026-03-29T03:00:00+02:00"}, // skipped
		{"Europe/Berlin", "2026-03-29 02:30", "2026-03-29T03:30:00+02:00"}, // skipped
		{"Europe/Berlin", "2026-03-29 03:00", "2026-03-29T03:00:00+02:00"},
		{"Europe/Berlin", "2026-10-25 02:30", "2026-10-25T02:30:00+02:00"}, // the first of two
		{"Europe/Berlin", "2026-10-25 03:00", "2026-10-25T03:00:00+01:00"},
		{"Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-04T02:45:00+11:00"}, // half an hour
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-05T01:45:00+11:00"}, // the first of two
		{"Pacific/Apia", "2011-12-29 23:59", "2011-12-29T23:59:00-10:00"},
		{"Pacific/Apia", "2011-12-30 10:00", "2011-12-31T10:00:00+14:00"}, // a day that never was
		{"Pacific/Apia", "2011-12-31 00:00", "2011-12-31T00:00:00+14:00"},
		{"Africa/Casablanca", "2026-02-15 02:30", "2026-02-15T02:30:00+01:00"}, // Ramadan begins: the first of two
		{"Africa/Casablanca", "2026-03-22 02:30", "2026-03-22T03:30:00+01:00"}, // and ends: skipped
	} {
		assert.Equal(t, c.want, instantOf(clock(t, c.local), zone(t, c.zone)).Format(time.RFC3339), "%s %s", c.zone, c.local)
	}
}

// slowInstantOf looks at every minute around.
func slowInstantOf(local time.Time, zone *time.Location) time.Time {
	from := local.Add(-30 * time.Hour)
	before := localOf(from, zone)
	for at := from.Add(time.Minute); ; at = at.Add(time.Minute) {
		shown := localOf(at, zone)
		switch {
		case shown.Equal(local):
			return at
		case shown.After(local) && before.Before(local): // skipped: as if clocks had gone on
			return at.Add(local.Sub(before.Add(time.Minute)))
		}
		before = shown
	}
}

func TestInstantOfIsThatOfAWallClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := zone(t, rapid.SampledFrom(oddZones).Draw(t, "zone"))
		// Near a change of clocks, where there is one.
		some := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 30*366).Draw(t, "day")) * day)
		if _, change := some.In(zone).ZoneBounds(); !change.IsZero() {
			some = change
		}
		local := localOf(some, zone).Truncate(time.Minute).Add(time.Duration(rapid.IntRange(-26*60, 26*60).Draw(t, "minutes")) * time.Minute)
		if want, got := slowInstantOf(local, zone), instantOf(local, zone); !want.Equal(got) {
			t.Fatalf("%s in %s: want %s, got %s", local, zone, want, got)
		}
	})
}

func TestZonesThatAreNone(t *testing.T) {
	for _, name := range []string{"", "Local", "Mars/Olympus", "../etc/passwd", "CEST", "+02:00", "Europe/Berlin "} {
		_, err := loadZone(name)
		assert.ErrorContains(t, err, "IANA", name)
	}
}
