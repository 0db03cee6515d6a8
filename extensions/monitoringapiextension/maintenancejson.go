package monitoringapiextension

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/maintenance"
)

// fromWindow takes what people say of a window; the rest is the server's.
func fromWindow(body *api.MaintenanceWindow) maintenance.Definition {
	def := maintenance.Definition{
		Name: body.Name, Description: deref(body.Description), Matchers: body.Matchers, StartsAt: body.StartsAt, EndsAt: body.EndsAt,
		TimeZone: deref(body.TimeZone), Recurrence: deref(body.Recurrence),
	}
	if def.TimeZone == "" {
		def.TimeZone = time.UTC.String()
	}
	return def
}

// window tells a window with its history.
func (s *restServer) window(ctx context.Context, store maintenance.Reader, w *maintenance.Window) (api.MaintenanceWindow, error) {
	told := toWindow(w, s.now())
	history, err := store.WindowHistory(ctx, w.ID, maxHistory)
	if err != nil {
		return told, err
	}
	revisions := make([]api.MaintenanceRevision, len(history))
	for i := range history {
		r := &history[i]
		revisions[i] = api.MaintenanceRevision{
			Action: api.MaintenanceRevisionAction(r.Action), At: r.UpdatedAt, By: r.UpdatedBy, Name: r.Name, Matchers: r.Matchers,
			StartsAt: r.StartsAt, EndsAt: r.EndsAt, TimeZone: r.TimeZone, Recurrence: given(r.Recurrence),
		}
	}
	told.History = &revisions
	return told, nil
}

func toWindow(w *maintenance.Window, now time.Time) api.MaintenanceWindow {
	told := api.MaintenanceWindow{
		ID: new(w.ID), Name: w.Name, Description: given(w.Description), Matchers: w.Matchers, StartsAt: w.StartsAt, EndsAt: w.EndsAt,
		TimeZone: new(w.TimeZone), Recurrence: given(w.Recurrence), CancelledAt: given(w.CancelledAt),
		CreatedAt: new(w.CreatedAt), CreatedBy: new(w.CreatedBy), UpdatedAt: new(w.UpdatedAt), UpdatedBy: new(w.UpdatedBy),
	}
	times, err := maintenance.Read(*w)
	if err != nil {
		return told // what cannot be read mutes nothing
	}
	told.State = new(api.MaintenanceWindowState(times.State(now)))
	told.Current = toOccurrence(times.At(now))
	told.Next = toOccurrence(times.Next(now))
	return told
}

func toOccurrence(o maintenance.Occurrence, ok bool) *api.MaintenanceOccurrence {
	if !ok {
		return nil
	}
	return &api.MaintenanceOccurrence{StartsAt: o.Start.UTC(), EndsAt: o.End.UTC()}
}
