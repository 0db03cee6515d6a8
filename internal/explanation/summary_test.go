package explanation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/notification"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestSummary(t *testing.T) {
	record := &alert.Record{Alert: alert.Alert{Labels: map[string]string{"alertname": "Down"}, Status: alert.Firing}}
	ended := record.Clone()
	ended.Status = alert.Resolved
	told := func(state notification.State, reason string, resolved ...string) notification.Notification {
		return notification.Notification{
			Target: notification.Target{Receiver: "pager", Integration: "webhook"}, Content: notification.NewContent(nil, resolved),
			State: state, Reason: reason, Attempts: 3, BeganAt: noon, AttemptedAt: noon.Add(time.Second), EndedAt: noon.Add(2 * time.Second),
		}
	}
	route := func(change func(*alertmanager.Route)) *alertmanager.Decision {
		r := alertmanager.Route{Receiver: "pager", Integrations: 1}
		change(&r)
		return &alertmanager.Decision{Held: true, Routes: []alertmanager.Route{r}}
	}
	muted := func(kind alert.MuteKind, id, name string) []alert.Mute {
		return []alert.Mute{{Kind: kind, ID: id, Name: name}}
	}
	for want, f := range map[string]Facts{
		"pager (webhook) is being told, by attempt 3 since 2026-03-01T12:00:01Z.": {
			Notifications: []notification.Notification{told(notification.Sending, "")}},
		"pager (webhook) could not be told in 3 attempts since 2026-03-01T12:00:00Z, and is tried again: 503.": {
			Notifications: []notification.Notification{told(notification.Retrying, "503"), told(notification.Sent, "")}},
		"pager (webhook) refused to be told at 2026-03-01T12:00:02Z: 400.": {
			Notifications: []notification.Notification{told(notification.Failed, "400")}},
		"pager (webhook) was told at 2026-03-01T12:00:02Z that it fires.": {
			Notifications: []notification.Notification{told(notification.Superseded, "cut"), told(notification.Sent, "")}},
		"pager (webhook) was told at 2026-03-01T12:00:02Z that it ended.": {
			Alert: ended, Notifications: []notification.Notification{told(notification.Sent, "", ended.Fingerprint())}},
		"pager (webhook) was told at 2026-03-01T12:00:02Z that it fired, and not that it ended.": {
			Alert: ended, Notifications: []notification.Notification{told(notification.Sent, "")}},
		"It has ended, and nobody was told of it.":                         {Alert: ended},
		`Nobody is told now: it is in the maintenance window "Patches".`:   {Mutes: muted(alert.MutedByMaintenance, "1", "Patches")},
		"Nobody is told now: silence 1 matches it.":                        {Mutes: muted(alert.MutedBySilence, "1", "")},
		"Nobody is told now: the alert with fingerprint 1 inhibits it.":    {Mutes: muted(alert.MutedByInhibition, "1", "")},
		"Nobody is told now: ada acknowledged it at 2026-03-01T12:00:00Z.": {Acknowledgement: &incident.Acknowledgement{By: "ada", At: noon}},
		"Nobody is told: there is none. It is in the incident of db, which its service calls: web → api → db.": {
			NoAlertmanager: "there is none", Path: incident.Path{"web", "api", "db"}},
		"Nobody is told: there is none.":                                             {NoAlertmanager: "there is none"},
		"The Alertmanager does not have it (yet).":                                   {Decision: &alertmanager.Decision{}},
		"pager was told at 2026-03-01T12:00:00Z.":                                    {Decision: route(func(r *alertmanager.Route) { r.Told = []alertmanager.Told{{At: noon}} })},
		"Nobody was told yet: the time interval nights mutes the route to pager.":    {Decision: route(func(r *alertmanager.Route) { r.MutedBy = []string{"nights"} })},
		"Nobody was told yet: the route to pager is active in office only.":          {Decision: route(func(r *alertmanager.Route) { r.OutsideOf = []string{"office"} })},
		"Nobody was told yet: the receiver pager has no integrations.":               {Decision: route(func(r *alertmanager.Route) { r.Integrations = 0 })},
		"Nobody was told yet: it is on its way to pager.":                            {Decision: route(func(*alertmanager.Route) {})},
		"Nobody was told yet: its group waits for pager until 2026-03-01T12:00:00Z.": {Decision: route(func(r *alertmanager.Route) { r.NextTurn = noon })},
	} {
		if f.Alert == nil {
			f.Alert = record
		}
		assert.Equal(t, want, f.Summary())
	}
}
