package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// linkRow is a row of incident_alerts.
type linkRow struct {
	bun.BaseModel `bun:"table:incident_alerts,alias:l"`

	IncidentID string  `bun:"incident_id,pk"`
	AlertID    string  `bun:"alert_id,pk"`
	LinkedAt   instant `bun:"linked_at"`
	Active     bool    `bun:"active"`
	Path       list    `bun:"path"`
}

// LinkAlerts adds alerts to an incident.
func (t *tx) LinkAlerts(ctx context.Context, incidentID string, alertIDs []string) error {
	in, err := t.Incident(ctx, incidentID)
	if err != nil {
		return err
	}
	if in.Status == incident.Resolved {
		return fmt.Errorf("incident %q is resolved, and a resolved incident takes no alert: that %w", incidentID, state.ErrConflict)
	}
	if len(alertIDs) == 0 {
		return nil
	}
	if err := t.checkLinkable(ctx, incidentID, alertIDs); err != nil {
		return err
	}
	links := make([]linkRow, len(alertIDs))
	for i, id := range alertIDs {
		links[i] = linkRow{IncidentID: incidentID, AlertID: id, LinkedAt: at(t.now()), Active: true}
	}
	_, err = t.db.NewInsert().Model(&links).On("CONFLICT (incident_id, alert_id) DO NOTHING").Exec(ctx)
	if err == nil {
		err = t.attach(ctx, alertIDs)
	}
	if err != nil {
		return err
	}
	return t.relate(ctx, incidentID)
}

// checkLinkable tells in words what the constraints would refuse.
func (t *tx) checkLinkable(ctx context.Context, incidentID string, alertIDs []string) error {
	for _, id := range alertIDs {
		if err := checkID("alert", id); err != nil {
			return err
		}
	}
	var known []string
	err := t.db.NewSelect().Model((*alertRow)(nil)).Column("id").Where("a.id IN (?)", bun.List(alertIDs)).Scan(ctx, &known)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(known))
	for _, id := range known {
		there[id] = true
	}
	linked, err := t.LinkedAlerts(ctx, alertIDs)
	if err != nil {
		return err
	}
	for _, id := range alertIDs {
		if !there[id] {
			return notFound("alert", id)
		}
		if other := linked[id]; other != "" && other != incidentID {
			return fmt.Errorf("alert %q is in the unresolved incident %q: that %w", id, other, state.ErrConflict)
		}
	}
	return nil
}

// UnlinkAlerts takes alerts from an incident.
func (t *tx) UnlinkAlerts(ctx context.Context, incidentID string, alertIDs []string) error {
	if _, err := t.Incident(ctx, incidentID); err != nil {
		return err
	}
	if len(alertIDs) == 0 {
		return nil
	}
	for _, id := range alertIDs {
		if err := checkID("alert", id); err != nil {
			return err
		}
	}
	_, err := t.db.NewDelete().Model((*linkRow)(nil)).
		Where("incident_id = ?", incidentID).Where("alert_id IN (?)", bun.List(alertIDs)).Exec(ctx)
	if err != nil {
		return err
	}
	return t.relate(ctx, incidentID)
}

// relate copies the links of an incident to its column related_alerts, once for any number of links.
func (t *tx) relate(ctx context.Context, incidentID string) error {
	ids := "ARRAY(SELECT alert_id FROM incident_alerts WHERE incident_id = ? ORDER BY linked_at, alert_id)"
	if t.db.Dialect().Name() == dialect.SQLite {
		ids = "(SELECT json_group_array(alert_id) FROM (SELECT alert_id FROM incident_alerts WHERE incident_id = ? ORDER BY linked_at, alert_id))"
	}
	_, err := t.db.NewUpdate().Table("incidents").Set("related_alerts = "+ids, incidentID).Where("id = ?", incidentID).Exec(ctx)
	return err
}

// AlertIDs gives the alerts of an incident.
func (t *tx) AlertIDs(ctx context.Context, incidentID string) ([]string, error) {
	if _, err := t.Incident(ctx, incidentID); err != nil {
		return nil, err
	}
	ids := []string{}
	err := t.db.NewSelect().Model((*linkRow)(nil)).Column("alert_id").
		Where("incident_id = ?", incidentID).Order("linked_at", "alert_id").Scan(ctx, &ids)
	return ids, err
}

// FiringCounts counts the firing alerts of incidents.
func (t *tx) FiringCounts(ctx context.Context, incidentIDs []string) (map[string]int, error) {
	counts := make(map[string]int, len(incidentIDs))
	if len(incidentIDs) == 0 {
		return counts, nil
	}
	var rows []struct {
		IncidentID string `bun:"incident_id"`
		Firing     int    `bun:"firing"`
	}
	err := t.db.NewSelect().Model((*linkRow)(nil)).Column("l.incident_id").ColumnExpr("COUNT(*) AS firing").
		Join("JOIN alerts AS a ON a.id = l.alert_id AND a.status = ?", alert.Firing).
		Where("l.incident_id IN (?)", bun.List(incidentIDs)).Group("l.incident_id").Scan(ctx, &rows)
	for _, r := range rows {
		counts[r.IncidentID] = r.Firing
	}
	return counts, err
}
