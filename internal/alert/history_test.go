package alert

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func fire(start, reported int) *Alert {
	return &Alert{Labels: map[string]string{"alertname": "a"}, Severity: High, Status: Firing, StartsAt: minute(start), UpdatedAt: minute(reported)}
}

func resolve(start, end int) *Alert {
	a := fire(start, end)
	a.Status, a.EndsAt = Resolved, minute(end)
	return a
}

// ids gives IDs 1, 2, …
func ids() func() string {
	n := 0
	return func() string { n++; return strconv.Itoa(n) }
}

// shown is what matters of a row: start, end (-1 while it fires) and flaps, in minutes.
type shown struct{ start, end, flaps int }

func show(h *History) []shown {
	rows := []shown{}
	for _, r := range h.Rows() {
		s := shown{int(r.StartsAt.Sub(noon).Minutes()), -1, r.Flaps()}
		if r.Status == Resolved {
			s.end = int(r.EndsAt.Sub(noon).Minutes())
		}
		rows = append(rows, s)
	}
	return rows
}

// TestHistory reports in order and in the opposite one: the rows are the same.
func TestHistory(t *testing.T) {
	for name, tt := range map[string]struct {
		reports []*Alert
		want    []shown
	}{
		"fires":                        {[]*Alert{fire(0, 0)}, []shown{{0, -1, 0}}},
		"resolves":                     {[]*Alert{fire(0, 0), resolve(0, 5)}, []shown{{0, 5, 0}}},
		"fires on after a resolve":     {[]*Alert{fire(0, 0), resolve(0, 5), fire(0, 6)}, []shown{{0, -1, 0}}},
		"flaps":                        {[]*Alert{fire(0, 0), resolve(0, 5), fire(10, 10), resolve(10, 15), fire(20, 20)}, []shown{{0, -1, 2}}},
		"long pause":                   {[]*Alert{fire(0, 0), resolve(0, 5), fire(100, 100)}, []shown{{0, 5, 0}, {100, -1, 0}}},
		"lost resolve, short pause":    {[]*Alert{fire(0, 0), fire(10, 10)}, []shown{{0, -1, 0}}},
		"lost resolve, long pause":     {[]*Alert{fire(0, 0), fire(100, 100)}, []shown{{0, 100, 0}, {100, -1, 0}}},
		"chain longer than the window": {[]*Alert{resolve(0, 1), resolve(50, 51), resolve(100, 101)}, []shown{{0, 101, 2}}},
		"two replicas":                 {[]*Alert{fire(0, 0), fire(1, 1), resolve(0, 5), resolve(1, 6)}, []shown{{0, 6, 0}}},
		"ends before it starts":        {[]*Alert{func() *Alert { a := resolve(10, 20); a.EndsAt = minute(5); return a }()}, []shown{{10, 10, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			forth, back := NewHistory(nil, time.Hour, ids()), NewHistory(nil, time.Hour, ids())
			for _, r := range tt.reports {
				forth.Add(r)
			}
			for _, r := range slices.Backward(tt.reports) {
				back.Add(r)
				back.Add(r)
			}
			assert.Equal(t, tt.want, show(forth))
			assert.Equal(t, tt.want, show(back))
		})
	}
}

// TestJoin lets a late report connect two stored rows: the earlier one's ID stays, and the other one's is told.
func TestJoin(t *testing.T) {
	h := NewHistory(nil, time.Hour, ids())
	h.Add(resolve(0, 1))
	h.Add(fire(110, 110))
	require.Len(t, h.Rows(), 2)
	for _, r := range h.Rows() {
		r.Version = 1
	}
	h = NewHistory(h.Rows(), time.Hour, ids())
	h.Add(resolve(55, 56))
	assert.Equal(t, []shown{{0, -1, 2}}, show(h))
	assert.Equal(t, map[string]string{"2": "1"}, h.Removed())
	assert.Equal(t, "1", h.Rows()[0].ID)
}

// TestJoinKeepsTheStoredID lets a row that is not stored yet take in one that is.
func TestJoinKeepsTheStoredID(t *testing.T) {
	stored := NewHistory(nil, time.Hour, func() string { return "stored" })
	stored.Add(fire(110, 110))
	stored.Rows()[0].Version = 3
	h := NewHistory(stored.Rows(), time.Hour, ids())
	h.Add(resolve(0, 1))
	h.Add(resolve(55, 56))
	require.Len(t, h.Rows(), 1)
	assert.Equal(t, "stored", h.Rows()[0].ID)
	assert.EqualValues(t, 3, h.Rows()[0].Version)
	assert.Empty(t, h.Removed())
}

func TestLatestReportDescribes(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		h := NewHistory(nil, time.Hour, ids())
		for _, i := range order {
			r := fire(0, i)
			r.Annotations = map[string]string{"n": strconv.Itoa(i)}
			h.Add(r)
		}
		assert.Equal(t, "2", h.Rows()[0].Annotations["n"])
	}
	for _, order := range [][]float64{{1, 2}, {2, 1}} { // of one time, from two replicas
		h := NewHistory(nil, time.Hour, ids())
		for _, v := range order {
			r := fire(0, 0)
			r.Value = &v
			h.Add(r)
		}
		assert.InDelta(t, 2, *h.Rows()[0].Value, 0)
	}
}

func TestManualResolveHolds(t *testing.T) {
	h := NewHistory(nil, time.Hour, ids())
	h.Add(fire(0, 0))
	h.Rows()[0].Resolve(minute(10), "me")
	h.Add(fire(0, 20))
	h.Add(resolve(0, 30))
	assert.Equal(t, []shown{{0, 10, 0}}, show(h))
	h.Add(fire(40, 40))
	assert.Equal(t, []shown{{0, -1, 1}}, show(h))
	assert.Empty(t, h.Rows()[0].ResolvedBy)
}

func TestMatcherValidate(t *testing.T) {
	for _, m := range []Matcher{{Name: "a", Op: "=", Value: ""}, {Name: "a", Op: "!=", Value: "x"}, {Name: "a", Op: "=~", Value: "x|y"}, {Name: "a", Op: "!~", Value: ".*"}} {
		require.NoError(t, m.Validate(), m)
	}
	for _, m := range []Matcher{{Name: "", Op: "=", Value: ""}, {Name: "a", Op: "", Value: "x"}, {Name: "a", Op: "==", Value: "x"}, {Name: "a", Op: "=~", Value: "("}} {
		require.Error(t, m.Validate(), m)
	}
}
