package alert

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// last is the row that tells whether the alert fires now.
func last(h *History) *Record { return h.Rows()[len(h.Rows())-1] }

func expiring(start, reported, expires int) *Alert {
	a := fire(start, reported)
	a.ExpiresAt = minute(expires)
	return a
}

// expire ends what has an expiry, and says whether there was something to end.
func expire(h *History) bool {
	row := last(h)
	if row.Status != Firing || row.ExpiresAt.IsZero() {
		return false
	}
	end := row.Expiry()
	h.Add(&end)
	return true
}

func TestExpiryEnds(t *testing.T) {
	h := NewHistory(nil, time.Hour, ids())
	h.Add(expiring(0, 1, 5))
	end := last(h).Expiry()
	require.NoError(t, end.Validate())
	for range 2 {
		h.Add(&end)
		assert.Equal(t, []shown{{0, 5, 0}}, show(h))
		assert.True(t, last(h).Expired())
		assert.Equal(t, minute(1), last(h).UpdatedAt)
	}
	h.Add(resolve(0, 9))
	assert.Equal(t, []shown{{0, 9, 0}}, show(h))
	assert.False(t, last(h).Expired(), "a reporter knows better")
}

func TestLateReportsHoldAgainstTheExpiry(t *testing.T) {
	h := NewHistory(nil, time.Hour, ids())
	h.Add(expiring(0, 1, 5))
	require.True(t, expire(h))
	h.Add(expiring(0, 3, 8))
	assert.Equal(t, []shown{{0, -1, 0}}, show(h))
	require.True(t, expire(h))
	assert.Equal(t, []shown{{0, 8, 0}}, show(h))
}

func TestTheLaterExpiryOfOneReportHolds(t *testing.T) {
	for _, order := range [][]int{{5, 8}, {8, 5}} {
		h := NewHistory(nil, time.Hour, ids())
		for _, at := range order {
			h.Add(expiring(0, 1, at))
		}
		assert.Equal(t, minute(8), last(h).ExpiresAt)
		h.Add(fire(0, 1))
		h.Add(expiring(0, 1, 9))
		assert.Zero(t, last(h).ExpiresAt, "never is latest")
	}
}

func TestWhatAPersonFiresDoesNotExpire(t *testing.T) {
	h := NewHistory(nil, time.Hour, ids())
	h.Add(expiring(0, 1, 5))
	last(h).Resolve(minute(2), "me")
	last(h).Reopen(minute(3))
	assert.Zero(t, last(h).ExpiresAt)
	h.Add(expiring(0, 1, 5))
	assert.Zero(t, last(h).ExpiresAt, "a replay")
	h.Add(expiring(0, 4, 9))
	assert.Equal(t, minute(9), last(h).ExpiresAt)
}

// anyReports draws reports on one alert, of two reporters that saw it begin at their own times.
func anyReports(t *rapid.T) []*Alert {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *Alert {
		start := rapid.IntRange(0, 300).Draw(t, "start")
		reported := start + rapid.IntRange(0, 300).Draw(t, "reported")
		if rapid.Bool().Draw(t, "resolves") {
			a := resolve(start, reported)
			a.UpdatedAt = a.UpdatedAt.Add(time.Second) // never at the very moment of a report that it fires
			return a
		}
		a := fire(start, reported)
		if rapid.Bool().Draw(t, "expires") {
			a.ExpiresAt = minute(reported + rapid.IntRange(1, 100).Draw(t, "lasts"))
		}
		return a
	}), 1, 10).Draw(t, "reports")
}

// TestExpiryAtAnyTime expires early, late and often, among reports in any order: what is stored of the present is as if
// all reports had come before.
func TestExpiryAtAnyTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reports := anyReports(t)
		calm, eager := NewHistory(nil, time.Hour, ids()), NewHistory(nil, time.Hour, ids())
		for _, r := range reports {
			calm.Add(r)
		}
		expire(calm)
		for _, r := range rapid.Permutation(slices.Concat(reports, reports)).Draw(t, "order") {
			eager.Add(r)
			if rapid.Bool().Draw(t, "expire") {
				expire(eager)
			}
		}
		expire(eager)
		if expire(eager) || expire(calm) {
			t.Fatal("an expiry ends the alert")
		}
		want, got := last(calm), last(eager)
		if want.Status != got.Status || !want.EndsAt.Equal(got.EndsAt) || !want.StartsAt.Equal(got.StartsAt) || !want.ExpiresAt.Equal(got.ExpiresAt) {
			t.Fatalf("want %s %s..%s, got %s %s..%s", want.Status, want.StartsAt, want.EndsAt, got.Status, got.StartsAt, got.EndsAt)
		}
	})
}

// TestFollow raises an alert by a report that follows what is stored: it fires, as the same record where one fired.
func TestFollow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := NewHistory(nil, time.Hour, ids())
		for _, r := range anyReports(t) {
			h.Add(r)
		}
		switch rapid.IntRange(0, 2).Draw(t, "then") {
		case 1:
			expire(h)
		case 2:
			last(h).Resolve(minute(rapid.IntRange(0, 700).Draw(t, "by hand")), "me")
		}
		before := *last(h).Clone()
		at := rapid.IntRange(0, 1000).Draw(t, "at")
		report := fire(at-rapid.IntRange(0, at).Draw(t, "since"), at)
		report.Follow(&before)
		h.Add(report)
		after := last(h)
		if after.Status != Firing || after.ResolvedBy != "" {
			t.Fatalf("it is %s by %q", after.Status, after.ResolvedBy)
		}
		if before.Status == Firing && (after.ID != before.ID || after.Flaps() != before.Flaps()) {
			t.Fatalf("%q with %d flaps became %q with %d", before.ID, before.Flaps(), after.ID, after.Flaps())
		}
	})
}
