package maintenance

import (
	"slices"
	"time"
)

// Occurrences gives those that a window had, and is to have, that go on in [from, to), rising, at most limit. Each
// revision tells of the time in which it was the last one; history has the last one first. What had not begun when a
// window was changed never was.
func Occurrences(history []Revision, from, to time.Time, limit int) (found []Occurrence) {
	for i, r := range slices.Backward(history) {
		var replaced time.Time // zero for the one that holds now
		since, until := later(from, r.UpdatedAt), to
		if i > 0 {
			if replaced = history[i-1].UpdatedAt; replaced.Before(until) {
				until = replaced
			}
		}
		times, err := Read(r.Window)
		if err != nil || !since.Before(until) {
			continue
		}
		for _, o := range times.Between(since, until, limit-len(found)) {
			if o.Start.Before(r.NotBefore) {
				continue
			}
			o.Start = later(o.Start, r.UpdatedAt)
			if !replaced.IsZero() && replaced.Before(o.End) {
				o.End = replaced
			}
			if n := len(found); n > 0 && o.Start.Equal(found[n-1].End) {
				found[n-1].End = o.End // it went on
				continue
			}
			found = append(found, o)
		}
	}
	return found
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
