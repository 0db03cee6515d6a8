package monitoringapiextension

import (
	"context"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/oncall"
)

// AcknowledgeAlert takes note of an alert.
func (s *restServer) AcknowledgeAlert(ctx context.Context, request api.AcknowledgeAlertRequestObject) (api.AcknowledgeAlertResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	note, err := s.note(ctx, request.Body)
	if err != nil {
		return nil, err
	}
	desk := oncall.Desk{Store: store}
	record, err := desk.AcknowledgeAlert(ctx, request.AlertID, author(ctx), note)
	if err != nil {
		return nil, err
	}
	told, err := s.alert(ctx, store, &record)
	return api.AcknowledgeAlert200JSONResponse{
		Body: told, Headers: api.AcknowledgeAlert200ResponseHeaders{ETag: new(etag(record.Version))},
	}, err
}

// WithdrawAlertAcknowledgement takes the acknowledgement of an alert back.
func (s *restServer) WithdrawAlertAcknowledgement(ctx context.Context, request api.WithdrawAlertAcknowledgementRequestObject) (api.WithdrawAlertAcknowledgementResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	desk := oncall.Desk{Store: store}
	if err := desk.WithdrawAlert(ctx, request.AlertID, author(ctx)); err != nil {
		return nil, err
	}
	return api.WithdrawAlertAcknowledgement204Response{}, nil
}

// AcknowledgeIncident takes note of an incident and its alerts.
func (s *restServer) AcknowledgeIncident(ctx context.Context, request api.AcknowledgeIncidentRequestObject) (api.AcknowledgeIncidentResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	note, err := s.note(ctx, request.Body)
	if err != nil {
		return nil, err
	}
	desk := oncall.Desk{Store: store}
	in, err := desk.AcknowledgeIncident(ctx, request.IncidentID, author(ctx), note)
	if err != nil {
		return nil, err
	}
	told, err := s.incident(ctx, store, &in)
	return api.AcknowledgeIncident200JSONResponse{
		Body: told, Headers: api.AcknowledgeIncident200ResponseHeaders{ETag: new(etag(in.Version))},
	}, err
}

// WithdrawIncidentAcknowledgement takes the acknowledgement of an incident back.
func (s *restServer) WithdrawIncidentAcknowledgement(ctx context.Context, request api.WithdrawIncidentAcknowledgementRequestObject) (api.WithdrawIncidentAcknowledgementResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	desk := oncall.Desk{Store: store}
	if err := desk.WithdrawIncident(ctx, request.IncidentID, author(ctx)); err != nil {
		return nil, err
	}
	return api.WithdrawIncidentAcknowledgement204Response{}, nil
}

func (s *restServer) note(ctx context.Context, body *api.AcknowledgementCreation) (oncall.Note, error) {
	n := oncall.Note{By: deref(body.By), Comment: deref(body.Comment), ExpiresAt: deref(body.ExpiresAt)}
	if n.By == "" {
		n.By = author(ctx)
	}
	return n, fieldProblem(oncall.CheckExpiry(n.ExpiresAt, s.now()))
}

// acknowledgement tells the one that holds; nil for none.
func acknowledgement(a *incident.Acknowledgement) *api.Acknowledgement {
	if a == nil {
		return nil
	}
	told := &api.Acknowledgement{By: a.By, At: a.At, Comment: given(a.Comment), ExpiresAt: given(stored(a.ExpiresAt)), Of: api.AcknowledgementOfAlert}
	if a.IncidentID != "" {
		told.Of = api.AcknowledgementOfIncident
	}
	return told
}

// remarks are what alerts are told with.
type remarks struct {
	cases map[string]incident.Case
	mutes map[string]incident.Muted
}

// remarksOn reads what there is to say on alerts.
func remarksOn(ctx context.Context, store incident.Reader, records ...alert.Record) (remarks, error) {
	ids := make([]string, len(records))
	for i := range records {
		ids[i] = records[i].ID
	}
	cases, err := store.Cases(ctx, ids)
	if err != nil {
		return remarks{}, err
	}
	mutes, err := store.MutesOf(ctx, ids)
	return remarks{cases: cases, mutes: mutes}, err
}

// tellAlerts tells alerts with what there is to say on them.
func (s *restServer) tellAlerts(remarked remarks, records []alert.Record) []api.Alert {
	now := s.now()
	told := make([]api.Alert, len(records))
	for i := range records {
		told[i] = toAlert(&records[i])
		if c, ok := remarked.cases[records[i].ID]; ok {
			told[i].Acknowledgement = acknowledgement(c.Acknowledged(now))
		}
		if muted, ok := remarked.mutes[records[i].ID]; ok {
			told[i].MutedBy = mutedBy(muted.By)
		}
	}
	return told
}

// alert tells one alert with what there is to say on it.
func (s *restServer) alert(ctx context.Context, store incident.Reader, record *alert.Record) (api.Alert, error) {
	remarked, err := remarksOn(ctx, store, *record)
	return s.tellAlerts(remarked, []alert.Record{*record})[0], err
}

func mutedBy(mutes []alert.Mute) *[]api.Mute {
	told := make([]api.Mute, len(mutes))
	for i, m := range mutes {
		told[i] = api.Mute{Kind: api.MuteKind(m.Kind), ID: m.ID, Name: given(m.Name)}
	}
	return &told
}
