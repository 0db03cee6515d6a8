package monitoringapiextension

import (
	"context"
	"net/http"
	"time"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/problem"
)

const (
	// maxHistory is how much of a window's history is told.
	maxHistory = 100
	// maxRevisions is how much of it is looked at for what passed.
	maxRevisions = 1000
	// occurrencesAhead is how far ahead occurrences are told where nothing is asked for, and how far at most.
	occurrencesAhead, maxOccurrencesAhead = 366 * 24 * time.Hour, 10 * 366 * 24 * time.Hour
)

// ListMaintenanceWindows tells a page of windows.
func (s *restServer) ListMaintenanceWindows(ctx context.Context, request api.ListMaintenanceWindowsRequestObject) (api.ListMaintenanceWindowsResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	p, now := request.Params, s.now()
	var list maintenance.List
	switch state := deref(p.State); state {
	case "", api.ListMaintenanceWindowsParamsStateAll:
		list, err = store.Windows(ctx, maintenance.Query{Page: page(p.Limit, p.Cursor)})
	default:
		list, err = maintenance.ListByState(ctx, store, maintenance.State(state), page(p.Limit, p.Cursor), now)
	}
	if err != nil {
		return nil, pageError(err)
	}
	answer := api.ListMaintenanceWindows200JSONResponse{Body: make([]api.MaintenanceWindow, len(list.Windows))}
	for i := range list.Windows {
		answer.Body[i] = toWindow(&list.Windows[i], now)
	}
	answer.Headers.Link = nextLink(ctx, list.Next)
	return answer, nil
}

// CreateMaintenanceWindow stores a window.
func (s *restServer) CreateMaintenanceWindow(ctx context.Context, request api.CreateMaintenanceWindowRequestObject) (api.CreateMaintenanceWindowResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	desk := maintenance.Desk{Store: store, Now: s.now}
	w, err := desk.Create(ctx, author(ctx), fromWindow(request.Body))
	if err != nil {
		return nil, fieldProblem(err)
	}
	told, err := s.window(ctx, store, &w)
	return api.CreateMaintenanceWindow201JSONResponse{Body: told, Headers: api.CreateMaintenanceWindow201ResponseHeaders{
		ETag: new(etag(w.Version)), Location: new("/api/v1/maintenance-windows/" + w.ID),
	}}, err
}

// GetMaintenanceWindow tells one window.
func (s *restServer) GetMaintenanceWindow(ctx context.Context, request api.GetMaintenanceWindowRequestObject) (api.GetMaintenanceWindowResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	w, err := store.Window(ctx, request.WindowID)
	if err != nil {
		return nil, err
	}
	told, err := s.window(ctx, store, &w)
	return api.GetMaintenanceWindow200JSONResponse{
		Body: told, Headers: api.GetMaintenanceWindow200ResponseHeaders{ETag: new(etag(w.Version))},
	}, err
}

// UpdateMaintenanceWindow replaces a window, from now on.
func (s *restServer) UpdateMaintenanceWindow(ctx context.Context, request api.UpdateMaintenanceWindowRequestObject) (api.UpdateMaintenanceWindowResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	if id := deref(request.Body.ID); id != "" && id != request.WindowID {
		return nil, problem.Field(http.StatusBadRequest, "id", "must be that of the path, %s, or absent", request.WindowID)
	}
	check, err := ifMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	desk := maintenance.Desk{Store: store, Now: s.now}
	w, err := desk.Change(ctx, request.WindowID, author(ctx), check, fromWindow(request.Body))
	if err != nil {
		return nil, fieldProblem(err)
	}
	told, err := s.window(ctx, store, &w)
	return api.UpdateMaintenanceWindow200JSONResponse{
		Body: told, Headers: api.UpdateMaintenanceWindow200ResponseHeaders{ETag: new(etag(w.Version))},
	}, err
}

// EndMaintenanceWindow ends a window, or what goes on of it.
func (s *restServer) EndMaintenanceWindow(ctx context.Context, request api.EndMaintenanceWindowRequestObject) (api.EndMaintenanceWindowResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	check, err := ifMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	desk := maintenance.Desk{Store: store, Now: s.now}
	end := desk.Cancel
	if deref(request.Params.Scope) == api.Occurrence {
		end = desk.EndOccurrence
	}
	w, err := end(ctx, request.WindowID, author(ctx), check)
	if err != nil {
		return nil, err
	}
	told, err := s.window(ctx, store, &w)
	return api.EndMaintenanceWindow200JSONResponse{
		Body: told, Headers: api.EndMaintenanceWindow200ResponseHeaders{ETag: new(etag(w.Version))},
	}, err
}

// ListMaintenanceOccurrences tells when a window was and will be.
func (s *restServer) ListMaintenanceOccurrences(ctx context.Context, request api.ListMaintenanceOccurrencesRequestObject) (api.ListMaintenanceOccurrencesResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	start, end := s.now(), deref(request.Params.End)
	if request.Params.Start != nil {
		start = *request.Params.Start
	}
	if end.IsZero() {
		end = start.Add(occurrencesAhead)
	}
	if !end.After(start) || end.Sub(start) > maxOccurrencesAhead {
		return nil, problem.Field(http.StatusBadRequest, "end", "must be after start, %s, and at most ten years behind it", start.Format(time.RFC3339))
	}
	size, err := page(request.Params.Limit, nil).Size()
	if err != nil {
		return nil, err
	}
	history, err := store.WindowHistory(ctx, request.WindowID, maxRevisions)
	if err != nil {
		return nil, err
	}
	occurrences := maintenance.Occurrences(history, start, end, size)
	answer := make(api.ListMaintenanceOccurrences200JSONResponse, len(occurrences))
	for i, o := range occurrences {
		answer[i] = *toOccurrence(o, true)
	}
	return answer, nil
}
