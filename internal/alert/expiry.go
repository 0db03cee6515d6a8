package alert

import "time"

// Expiry gives the report that ends a firing record at its ExpiresAt.
//
// It takes the place of the report that it follows from: it has the same time, so that every later report holds against
// it, be it delivered after this one, and so that replicas which make it each make the same.
func (r *Record) Expiry() Alert {
	reported := r.Reported()
	a := *r.Alert.Clone()
	a.Status, a.EndsAt = Resolved, later(reported.Start, r.ExpiresAt)
	a.StartsAt, a.UpdatedAt, a.ExpiresAt = reported.Start, reported.Reported, a.EndsAt
	return a
}

// Expired says that the alert has ended because nobody reported it any more.
func (r *Record) Expired() bool {
	return r.Status == Resolved && r.ManualAt.IsZero() && !r.ExpiresAt.IsZero() && r.EndsAt.Equal(r.ExpiresAt)
}

// Expired says that the alert ended because nobody reported it any more.
func (c *Change) Expired() bool { return c.Resolved() && c.After.Expired() }

// resolution of the times that are stored.
const resolution = time.Microsecond

// Follow makes a report that an alert fires now one that holds against what is stored under its labels, whatever the
// clocks of their reporters: an alert that fires keeps its start, and one that has ended begins anew behind its end.
// stored is the newest record of these labels.
func (a *Alert) Follow(stored *Record) {
	a.UpdatedAt = later(a.UpdatedAt, stored.Reported().Reported.Add(resolution))
	if stored.Status == Firing {
		a.StartsAt = stored.LastStart()
		return
	}
	a.StartsAt = later(a.StartsAt, later(stored.LastStart(), stored.EndsAt).Add(resolution))
}
