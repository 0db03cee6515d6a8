package maintenance

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // a container without /usr/share/zoneinfo knows the zones too
)

// A local time is what a wall clock shows, written as a time.Time in UTC. Days are always 24 hours in it.

// loadZone finds a time zone of the IANA database by its name.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" { // LoadLocation would take both
		return nil, errors.New("must be the name of an IANA time zone such as Europe/Berlin or UTC")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("must be the name of an IANA time zone such as Europe/Berlin or UTC, is %q", name)
	}
	return zone, nil
}

// localOf gives what the wall clocks of a zone show at an instant.
func localOf(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	hour, minute, second := t.In(zone).Clock()
	return time.Date(y, m, d, hour, minute, second, t.Nanosecond(), time.UTC)
}

// instantOf gives the instant at which the wall clocks of a zone show a local time, by RFC 5545, section 3.3.5: of two,
// the first; where clocks skip it, the instant at which they would have shown it had they not been changed, so that it
// comes as much later as they skip.
func instantOf(local time.Time, zone *time.Location) time.Time {
	guess := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), zone)
	from, until := guess.ZoneBounds()
	offsets := []time.Duration{offsetAt(guess)}
	if !from.IsZero() {
		offsets = append(offsets, offsetAt(from.Add(-1).In(zone)))
	}
	if !until.IsZero() {
		offsets = append(offsets, offsetAt(until))
	}
	var first time.Time
	for _, offset := range offsets {
		at := local.Add(-offset).In(zone)
		if offsetAt(at) == offset && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if !first.IsZero() {
		return first
	}
	// Clocks are changed at one end of guess's zone, from the lesser offset to the greater.
	change := until
	if !from.IsZero() && !local.Before(localOf(from.Add(-1), zone)) && local.Before(localOf(from, zone)) {
		change = from
	}
	return local.Add(-offsetAt(change.Add(-1).In(zone))).In(zone)
}

func offsetAt(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}
