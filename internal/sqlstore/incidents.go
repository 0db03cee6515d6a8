package sqlstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// Incident gives one incident.
func (s *Store) Incident(ctx context.Context, id string) (in incident.Incident, err error) {
	err = s.read(ctx, func(db bun.IDB) error {
		in, err = getIncident(ctx, db, id)
		return err
	})
	return in, err
}

func getIncident(ctx context.Context, db bun.IDB, id string) (incident.Incident, error) {
	var row incidentRow
	if err := checkID("incident", id); err != nil {
		return incident.Incident{}, err
	}
	err := db.NewSelect().Model(&row).Where("i.id = ?", id).Scan(ctx)
	if err != nil {
		return incident.Incident{}, one("incident", id, err)
	}
	return row.incident(), nil
}

// Incidents gives a page of incidents, the newest first.
func (s *Store) Incidents(ctx context.Context, query incident.Query) (incident.List, error) {
	var rows []summaryRow
	if err := checkFilter(query.Severity, "", query.Statuses...); err != nil {
		return incident.List{}, err
	}
	page, err := startPage("incidents", query.Page)
	if err != nil {
		return incident.List{}, err
	}
	err = s.read(ctx, func(db bun.IDB) error {
		q := db.NewSelect().Model(&rows).Join("JOIN incidents_view AS v ON v.id = i.id").
			ColumnExpr("?TableColumns").ColumnExpr("v.duration_minutes, v.related_alert_count, v.timeline_event_count, v.last_update_at")
		whereIncidents(q, &query)
		return page.newestFirst(q, "i.created_at", "i.id").Scan(ctx)
	})
	if err != nil {
		return incident.List{}, err
	}
	rows, next := cut(page, rows, func(r *summaryRow) (instant, string) { return r.CreatedAt, r.ID })
	list := incident.List{Incidents: make([]incident.Summary, len(rows)), Next: next}
	for i := range rows {
		list.Incidents[i] = rows[i].summary()
	}
	return list, nil
}

func whereIncidents(q *bun.SelectQuery, query *incident.Query) {
	switch unresolved := []incident.Status{incident.Open, incident.Investigating, incident.Mitigated}; {
	case len(query.Statuses) == 1:
		q.Where("i.status = ?", query.Statuses[0])
	case sameStatuses(query.Statuses, unresolved):
		q.Where("i.status <> ?", incident.Resolved) // there is an index for it
	case len(query.Statuses) > 1:
		q.Where("i.status IN (?)", bun.List(query.Statuses))
	}
	if query.Severity != "" {
		q.Where("i.severity = ?", query.Severity)
	}
	if query.AssignedTo != "" {
		q.Where("i.assigned_to = ?", text(query.AssignedTo))
	}
	if !query.From.IsZero() {
		q.Where("i.created_at >= ?", at(query.From))
	}
	if !query.To.IsZero() {
		q.Where("i.created_at < ?", at(query.To))
	}
}

func sameStatuses(a, b []incident.Status) bool {
	set := map[incident.Status]bool{}
	for _, s := range a {
		set[s] = true
	}
	for _, s := range b {
		if !set[s] {
			return false
		}
	}
	return len(set) == len(b)
}

// CountUnresolved counts the incidents that are not resolved.
func (s *Store) CountUnresolved(ctx context.Context) (n int, err error) {
	err = s.read(ctx, func(db bun.IDB) error {
		count, err := db.NewSelect().Model((*incidentRow)(nil)).Where("i.status <> ?", incident.Resolved).Count(ctx)
		n = int(count)
		return err
	})
	return n, err
}

// relatedRow is an alert with the incident that it is in.
type relatedRow struct {
	alertRow `bun:",extend"`

	IncidentID string `bun:"incident_id,scanonly"`
}

// RelatedAlerts gives the alerts of incidents, at most limit of each.
func (s *Store) RelatedAlerts(ctx context.Context, incidentIDs []string, limit int) (map[string][]alert.Record, error) {
	related := make(map[string][]alert.Record, len(incidentIDs))
	for _, id := range incidentIDs {
		if err := checkID("incident", id); err != nil {
			return nil, err
		}
	}
	if len(incidentIDs) == 0 {
		return related, nil
	}
	var rows []relatedRow
	err := s.read(ctx, func(db bun.IDB) error {
		placed := db.NewSelect().TableExpr("incident_alerts AS l").ColumnExpr("l.incident_id, l.alert_id").
			ColumnExpr("ROW_NUMBER() OVER (PARTITION BY l.incident_id ORDER BY l.linked_at DESC, l.alert_id DESC) AS place").
			Where("l.incident_id ?", among(incidentIDs))
		return db.NewSelect().Model(&rows).Join("JOIN (?) AS p ON p.alert_id = a.id", placed).
			ColumnExpr("?TableColumns").ColumnExpr("p.incident_id").
			Where("p.place <= ?", limit).OrderExpr("p.incident_id, p.place").Scan(ctx)
	})
	for i := range rows {
		id := rows[i].IncidentID
		related[id] = append(related[id], rows[i].record())
	}
	return related, err
}
