package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

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

// newLinkRow is one that is added, without what is told of it later.
type newLinkRow struct {
	bun.BaseModel `bun:"table:incident_alerts,alias:l"`

	IncidentID string  `bun:"incident_id,pk,type:uuid"`
	AlertID    string  `bun:"alert_id,pk,type:uuid"`
	LinkedAt   instant `bun:"linked_at"`
	Active     bool    `bun:"active"`
}

// LinkAlerts adds alerts to incidents.
func (t *tx) LinkAlerts(ctx context.Context, links incident.Links) error {
	incidentIDs := slices.Sorted(maps.Keys(links))
	if err := t.checkIncidents(ctx, incidentIDs); err != nil {
		return err
	}
	stored, err := t.incidentsOf(ctx, slices.Concat(slices.Collect(maps.Values(links))...))
	if err != nil {
		return err
	}
	var added []newLinkRow
	var alertIDs []string
	for _, id := range incidentIDs {
		for _, alertID := range links[id] {
			switch other, is := stored[alertID]; {
			case !is:
				return notFound("alert", alertID)
			case other == "":
				added = append(added, newLinkRow{IncidentID: id, AlertID: alertID, LinkedAt: at(t.now()), Active: true})
				alertIDs = append(alertIDs, alertID)
				stored[alertID] = id
			case other != id:
				return fmt.Errorf("alert %q is in the unresolved incident %q: that %w", alertID, other, state.ErrConflict)
			}
		}
	}
	if len(added) == 0 {
		return nil
	}
	if err := insertRows(ctx, t.db, added, ""); err != nil {
		return err
	}
	if err := t.attach(ctx, alertIDs); err != nil {
		return err
	}
	return t.relateAdded(ctx, added)
}

// checkIncidents tells in words which incidents take no alerts.
func (t *tx) checkIncidents(ctx context.Context, ids []string) error {
	known, err := t.IncidentsByID(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		switch in, is := known[id]; {
		case !is:
			return notFound("incident", id)
		case in.Status == incident.Resolved:
			return fmt.Errorf("incident %q is resolved, and a resolved incident takes no alert: that %w", id, state.ErrConflict)
		}
	}
	return nil
}

// incidentsOf gives the unresolved incident of each alert that is there, empty for none.
func (t *tx) incidentsOf(ctx context.Context, alertIDs []string) (map[string]string, error) {
	var rows []struct {
		ID         string         `bun:"id"`
		IncidentID sql.NullString `bun:"incident_id"`
	}
	err := t.db.NewSelect().Model((*alertRow)(nil)).Column("a.id", "l.incident_id").
		Join("LEFT JOIN incident_alerts AS l ON l.alert_id = a.id AND l.active").
		Where("a.id ?", among(possibleIDs("alert", alertIDs))).Scan(ctx, &rows)
	incidents := make(map[string]string, len(rows))
	for _, r := range rows {
		incidents[r.ID] = r.IncidentID.String
	}
	return incidents, err
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
		Where("incident_id = ?", incidentID).Where("alert_id ?", among(alertIDs)).Exec(ctx)
	if err != nil {
		return err
	}
	return t.relate(ctx, incidentID)
}

// relate copies the links of an incident to its column related_alerts.
func (t *tx) relate(ctx context.Context, incidentID string) error {
	ids := "ARRAY(SELECT alert_id FROM incident_alerts WHERE incident_id = ? ORDER BY linked_at, alert_id)"
	if t.db.Dialect().Name() == dialect.SQLite {
		ids = "(SELECT json_group_array(alert_id ORDER BY linked_at, alert_id) FROM incident_alerts WHERE incident_id = ?)"
	}
	_, err := t.db.NewUpdate().Table("incidents").Set("related_alerts = "+ids, incidentID).Where("id = ?", incidentID).Exec(ctx)
	return err
}

// relateAdded adds new links to that copy, which of an incident with many alerts costs less than to copy all.
func (t *tx) relateAdded(ctx context.Context, added []newLinkRow) error {
	all, ids := "COALESCE(i.related_alerts, '{}') || n.ids", "array_agg(r.alert_id ORDER BY r.alert_id)"
	if t.db.Dialect().Name() == dialect.SQLite {
		all = "(SELECT json_group_array(value) FROM (SELECT value FROM json_each(COALESCE(i.related_alerts, '[]')) UNION ALL SELECT value FROM json_each(n.ids)))"
		ids = "json_group_array(r.alert_id ORDER BY r.alert_id)"
	}
	_, err := t.db.ExecContext(ctx, "UPDATE incidents AS i SET related_alerts = ? FROM (SELECT r.incident_id, ? AS ids FROM ? AS r GROUP BY r.incident_id) AS n"+
		" WHERE i.id = n.incident_id", bun.Safe(all), bun.Safe(ids), newRowset(t.db, added))
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

// Firing looks at the alerts of each incident until one fires. Those that were stored last come first: they are the ones that most
// likely do.
func (t *tx) Firing(ctx context.Context, incidentIDs []string) (map[string]bool, error) {
	firing := make(map[string]bool, len(incidentIDs))
	if len(incidentIDs) == 0 {
		return firing, nil
	}
	newest := t.db.NewSelect().Model((*linkRow)(nil)).ColumnExpr("l.alert_id").Join("JOIN alerts AS a ON a.id = l.alert_id").
		Where("a.status = ?", alert.Firing).Where("l.incident_id = i.id").Order("l.alert_id DESC").Limit(1)
	var ids []string
	err := t.db.NewSelect().Model((*incidentRow)(nil)).Column("i.id").Where("i.id ?", among(incidentIDs)).
		Where("(?) IS NOT NULL", newest).Scan(ctx, &ids)
	for _, id := range ids {
		firing[id] = true
	}
	return firing, err
}
