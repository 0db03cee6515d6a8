package maintenance

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/quantivista/monitoring/internal/state"
)

// cursorLayout has a fixed width, so that its order is that of time.
const cursorLayout = "2006-01-02T15:04:05.000000Z"

// ListByState gives a page of the windows that are in a state: ended ones as Reader.Windows does, active and upcoming
// ones by the start of the occurrence that goes on or comes next.
func ListByState(ctx context.Context, r Reader, in State, page state.Page, now time.Time) (List, error) {
	if in == Ended {
		return r.Windows(ctx, Query{OverBy: now, Page: page})
	}
	size, err := page.Size()
	if err != nil {
		return List{}, err
	}
	name := "maintenance-windows/" + string(in)
	var after state.Cursor
	if page.After != "" {
		if after, err = state.ParseCursor(page.After, name); err != nil {
			return List{}, err
		}
	}
	live, _, err := r.LiveWindows(ctx, now)
	if err != nil {
		return List{}, err
	}
	type listed struct {
		window Window
		start  string
	}
	var found []listed
	for _, w := range live {
		times, err := Read(w)
		if err != nil {
			continue // whoever evaluates it has told
		}
		o, active := times.At(now)
		if !active {
			o, _ = times.Next(now)
		}
		start := o.Start.UTC().Format(cursorLayout)
		if active == (in == Active) && cmp.Or(cmp.Compare(start, after.Key), cmp.Compare(w.ID, after.ID)) > 0 {
			found = append(found, listed{w, start})
		}
	}
	slices.SortFunc(found, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.window.ID, b.window.ID))
	})
	var list List
	if len(found) > size {
		found = found[:size]
		list.Next = state.Cursor{List: name, Key: found[size-1].start, ID: found[size-1].window.ID}.String()
	}
	for _, f := range found {
		list.Windows = append(list.Windows, f.window)
	}
	return list, nil
}
