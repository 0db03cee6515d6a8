package monitoringapiextension

import (
	"context"
	"errors"
	"net/http"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/problem"
)

// errNoAlertmanager answers operations on notifications where there is no Alertmanager.
var errNoAlertmanager = problem.New(http.StatusNotFound, "there is no Alertmanager: declare an \"alertmanager\" extension, "+
	"list it in \"service::extensions\", and name it in \"alertmanager\" of this monitoring_api extension")

// notifies gives the Alertmanager, or errNoAlertmanager.
func (s *restServer) notifies() (alertmanager.Alertmanager, error) {
	if s.alertmanager == nil {
		return nil, errNoAlertmanager
	}
	return s.alertmanager, nil
}

// notifyProblem maps what an Alertmanager answers beside what stores do.
func notifyProblem(err error) error {
	var field *alertmanager.FieldError
	switch {
	case errors.As(err, &field):
		return problem.Field(http.StatusBadRequest, field.Field, "%s", field.Reason)
	case errors.Is(err, alertmanager.ErrNotReady):
		return unavailable(err)
	default:
		return err
	}
}

// ListSilences tells all silences, or those of a state.
func (s *restServer) ListSilences(ctx context.Context, request api.ListSilencesRequestObject) (api.ListSilencesResponseObject, error) {
	am, err := s.notifies()
	if err != nil {
		return nil, err
	}
	all, err := am.Silences(ctx)
	if err != nil {
		return nil, notifyProblem(err)
	}
	answer := api.ListSilences200JSONResponse{}
	for i := range all {
		wanted := deref(request.Params.State)
		if wanted == "" || wanted == api.ListSilencesParamsStateAll || string(wanted) == string(all[i].State) {
			answer = append(answer, toSilence(&all[i]))
		}
	}
	return answer, nil
}

// CreateSilence makes a silence, or changes one.
func (s *restServer) CreateSilence(ctx context.Context, request api.CreateSilenceRequestObject) (api.CreateSilenceResponseObject, error) {
	am, err := s.notifies()
	if err != nil {
		return nil, err
	}
	wanted := alertmanager.Silence{
		ID: deref(request.Body.ID), Matchers: request.Body.Matchers, StartsAt: deref(request.Body.StartsAt), EndsAt: request.Body.EndsAt,
		CreatedBy: deref(request.Body.CreatedBy), Comment: request.Body.Comment,
	}
	if wanted.StartsAt.IsZero() {
		wanted.StartsAt = s.now()
	}
	if wanted.CreatedBy == "" {
		wanted.CreatedBy = author(ctx)
	}
	made, err := am.SetSilence(ctx, wanted)
	if err != nil {
		return nil, notifyProblem(err)
	}
	return api.CreateSilence201JSONResponse{
		Body: toSilence(&made), Headers: api.CreateSilence201ResponseHeaders{Location: new("/api/v1/silences/" + made.ID)},
	}, nil
}

// GetSilence tells one silence.
func (s *restServer) GetSilence(ctx context.Context, request api.GetSilenceRequestObject) (api.GetSilenceResponseObject, error) {
	am, err := s.notifies()
	if err != nil {
		return nil, err
	}
	found, err := am.Silence(ctx, request.SilenceID)
	if err != nil {
		return nil, notifyProblem(err)
	}
	return api.GetSilence200JSONResponse(toSilence(&found)), nil
}

// ExpireSilence ends one silence.
func (s *restServer) ExpireSilence(ctx context.Context, request api.ExpireSilenceRequestObject) (api.ExpireSilenceResponseObject, error) {
	am, err := s.notifies()
	if err != nil {
		return nil, err
	}
	if err := am.ExpireSilence(ctx, request.SilenceID); err != nil {
		return nil, notifyProblem(err)
	}
	return api.ExpireSilence204Response{}, nil
}

func toSilence(s *alertmanager.Silence) api.Silence {
	return api.Silence{
		ID: s.ID, Matchers: orEmpty(s.Matchers), StartsAt: s.StartsAt, EndsAt: s.EndsAt, CreatedBy: s.CreatedBy, Comment: s.Comment,
		State: api.SilenceState(s.State), UpdatedAt: s.UpdatedAt,
	}
}
