package monitoringapiextension

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/explanation"
	"github.com/quantivista/monitoring/internal/notification"
)

// maxNotifications is how many of an alert are told.
const maxNotifications = 100

// ExplainAlert tells what became of an alert, and why.
func (s *restServer) ExplainAlert(ctx context.Context, request api.ExplainAlertRequestObject) (api.ExplainAlertResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	record, err := store.Alert(ctx, request.AlertID)
	if err != nil {
		return nil, err
	}
	remarked, err := remarksOn(ctx, store, record)
	if err != nil {
		return nil, err
	}
	// Clocks differ, and an alert may have been told before its row was written.
	sent, err := store.NotificationsOf(ctx, record.Fingerprint(), record.StartsAt.Add(-time.Minute), maxNotifications)
	if err != nil {
		return nil, err
	}
	facts := explanation.Facts{Alert: &record, Mutes: remarked.mutes[record.ID].By, Notifications: sent}
	answer := api.ExplainAlert200JSONResponse{
		AlertID: record.ID, Name: record.Name(), Status: api.AlertExplanationStatus(record.Status), At: s.now(), Rule: explainedRule(&record),
		Routes: []api.AlertRoute{}, Notifications: explainedNotifications(record.Fingerprint(), sent),
	}
	if c, ok := remarked.cases[record.ID]; ok {
		facts.Acknowledgement = c.Acknowledged(s.now())
		answer.Acknowledgement = acknowledgement(facts.Acknowledgement)
		if c.Incident != nil {
			answer.IncidentID = &c.Incident.ID
		}
		if len(c.Path) > 0 {
			facts.Path = c.Path
			answer.IncidentPath = (*[]string)(&c.Path)
		}
	}
	if record.Status == alert.Firing {
		if err := s.decide(ctx, &record, &facts); err != nil {
			return nil, err
		}
	}
	if facts.Decision != nil {
		answer.Routes = explainedRoutes(facts.Decision.Routes)
	}
	answer.MutedBy = *mutedBy(facts.Mutes)
	answer.Summary = facts.Summary()
	return answer, nil
}

// decide asks what becomes of an alert now. What the incident exporter found may be older.
func (s *restServer) decide(ctx context.Context, record *alert.Record, facts *explanation.Facts) error {
	if s.alertmanager == nil {
		facts.NoAlertmanager = "no Alertmanager is configured"
		return nil
	}
	decision, err := s.alertmanager.Decide(ctx, record.Labels)
	if errors.Is(err, alertmanager.ErrNotReady) {
		facts.NoAlertmanager = "the Alertmanager is starting"
		return nil
	}
	if err != nil {
		return err
	}
	facts.Decision = &decision
	kept := slices.DeleteFunc(slices.Clone(facts.Mutes), func(m alert.Mute) bool { return m.Kind != alert.MutedByMaintenance })
	facts.Mutes = slices.Concat(kept, decision.Mutes())
	return nil
}

func explainedRule(record *alert.Record) *api.ExplainedRule {
	rule := &api.ExplainedRule{ID: given(record.RuleID), Name: record.Name(), Value: record.Value, Query: given(record.Expression())}
	if rule.ID == nil && rule.Query == nil {
		return nil
	}
	return rule
}

func explainedRoutes(routes []alertmanager.Route) []api.AlertRoute {
	told := make([]api.AlertRoute, len(routes))
	for i := range routes {
		r := &routes[i]
		told[i] = api.AlertRoute{
			Path: r.Path, Receiver: r.Receiver, GroupKey: r.GroupKey, GroupLabels: r.GroupLabels,
			GroupWait: r.GroupWait.String(), GroupInterval: r.GroupInterval.String(), RepeatInterval: r.RepeatInterval.String(),
			NextTurn: given(stored(r.NextTurn)), MutedBy: orEmpty(r.MutedBy), OutsideOf: orEmpty(r.OutsideOf), Told: []api.AlertRouteTold{},
		}
		for _, t := range r.Told {
			told[i].Told = append(told[i].Told, api.AlertRouteTold{Integration: t.Type, Index: t.Index, At: t.At, Firing: t.Firing})
		}
	}
	return told
}

func explainedNotifications(fingerprint string, all []notification.Notification) []api.AlertNotification {
	told := make([]api.AlertNotification, len(all))
	for i := range all {
		n := &all[i]
		told[i] = api.AlertNotification{
			ID: n.ID, Receiver: n.Receiver, Integration: n.Integration, Index: n.Index, GroupKey: n.GroupKey,
			Told: api.AlertNotificationToldFiring, State: api.AlertNotificationState(n.State), Attempts: n.Attempts, Reason: given(n.Reason),
			BeganAt: n.BeganAt, AttemptedAt: n.AttemptedAt, EndedAt: given(stored(n.EndedAt)),
		}
		if slices.Contains(n.Resolved, fingerprint) {
			told[i].Told = api.AlertNotificationToldResolved
		}
	}
	return told
}

// orEmpty is never null.
func orEmpty(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
