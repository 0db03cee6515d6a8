package maintenance

import "time"

// Times answers when a window is. It is safe for concurrent use, and knows the window as it was when it was read.
type Times struct {
	plan   *plan
	window Window
}

// Read gives the times of a window, or what Definition.Validate answers.
func Read(w Window) (*Times, error) {
	p, err := w.read()
	if err != nil {
		return nil, err
	}
	return &Times{plan: p, window: w}, nil
}

// Matches says whether the window is for an alert of these labels, whenever it is.
func (t *Times) Matches(labels map[string]string) bool { return t.plan.selector.matches(labels) }

// Matchers gives the matchers, one by one, in the one form that is stored.
func (t *Times) Matchers() []string { return t.plan.selector.texts() }

// At gives the occurrence that goes on at a time; of several the one that ends last.
func (t *Times) At(at time.Time) (current Occurrence, ok bool) {
	if !t.window.CancelledAt.IsZero() {
		return Occurrence{}, false
	}
	for _, o := range t.plan.schedule.covering(at) {
		if !o.Start.Before(t.window.NotBefore) && o.End.After(current.End) {
			current, ok = o, true
		}
	}
	return current, ok
}

// Next gives the first occurrence that begins after a time.
func (t *Times) Next(after time.Time) (Occurrence, bool) {
	if !t.window.CancelledAt.IsZero() {
		return Occurrence{}, false
	}
	if before := t.window.NotBefore.Add(-1); after.Before(before) {
		after = before
	}
	return t.plan.schedule.next(after)
}

// State gives where the window is at a time.
func (t *Times) State(at time.Time) State {
	if _, ok := t.At(at); ok {
		return Active
	}
	if _, ok := t.Next(at); ok {
		return Upcoming
	}
	return Ended
}

// OverAt gives when the last occurrence ends; zero where they go on for ever.
func (t *Times) OverAt() time.Time {
	if !t.window.CancelledAt.IsZero() {
		return t.window.CancelledAt
	}
	last, ok := t.plan.schedule.last()
	switch {
	case !ok:
		return time.Time{}
	case last.Start.Before(t.window.NotBefore):
		return t.window.NotBefore
	default:
		return last.End
	}
}

// Between gives the occurrences that go on in [from, to), rising, at most limit.
func (t *Times) Between(from, to time.Time, limit int) []Occurrence {
	if !t.window.CancelledAt.IsZero() && to.After(t.window.CancelledAt) {
		to = t.window.CancelledAt
	}
	if !from.Before(to) {
		return nil
	}
	found := t.plan.schedule.covering(from)
	for at := from.Add(1); at.Before(to) && len(found) < limit; {
		end := at.Add(firstSpan)
		if end.After(to) {
			end = to
		}
		found = append(found, t.plan.schedule.starting(at, end)...)
		at = end
	}
	return found[:min(limit, len(found))]
}
