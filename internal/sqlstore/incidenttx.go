package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// Incident gives one incident.
func (t *tx) Incident(ctx context.Context, id string) (incident.Incident, error) {
	return getIncident(ctx, t.db, id)
}

// IncidentsByID gives those that are there.
func (t *tx) IncidentsByID(ctx context.Context, ids []string) (map[string]incident.Incident, error) {
	known := possibleIDs("incident", ids)
	return t.incidentsBy(ctx, known, func(q *bun.SelectQuery) { q.Where("i.id ?", among(known)) },
		func(in *incident.Incident) string { return in.ID })
}

// UnresolvedByKey gives the unresolved incident that each key leads to.
func (t *tx) UnresolvedByKey(ctx context.Context, keys []string) (map[string]incident.Incident, error) {
	keys = correlating(keys)
	unresolved := func(q *bun.SelectQuery) { q.Where("i.status <> 'resolved'") }
	found, err := t.redirected(ctx, keys, unresolved)
	if err != nil {
		return nil, err
	}
	own, err := t.ownByKey(ctx, keys, unresolved)
	maps.Copy(found, own)
	return found, err
}

// ResolvedByKey gives the resolved incident that each key led to last.
func (t *tx) ResolvedByKey(ctx context.Context, keys []string, since time.Time) (map[string]incident.Incident, error) {
	keys = correlating(keys)
	resolved := func(q *bun.SelectQuery) {
		q.Where("i.status = 'resolved'").Where("i.merged_into IS NULL").Where("i.resolved_at >= ?", at(since)).Order("i.resolved_at", "i.id")
	}
	found, err := t.redirected(ctx, keys, resolved)
	if err != nil {
		return nil, err
	}
	own, err := t.ownByKey(ctx, keys, resolved)
	for key, in := range own {
		if found[key].ResolvedAt.Before(in.ResolvedAt) {
			found[key] = in
		}
	}
	return found, err
}

// ownByKey gives incidents of keys; of several of one key the last one.
func (t *tx) ownByKey(ctx context.Context, keys []string, where func(*bun.SelectQuery)) (map[string]incident.Incident, error) {
	return t.incidentsBy(ctx, keys, func(q *bun.SelectQuery) {
		q.Where("i.correlation_key ?", among(keys)).Where("i.correlation_key <> ''")
		where(q)
	}, func(in *incident.Incident) string { return in.CorrelationKey })
}

// correlating drops the empty key, which correlates nothing.
func correlating(keys []string) []string {
	kept := make([]string, 0, len(keys))
	for _, k := range keys {
		if k != "" {
			kept = append(kept, text(k))
		}
	}
	return kept
}

// incidentsBy gives incidents by a key; of several the last one. It asks nothing where there are no values.
func (t *tx) incidentsBy(ctx context.Context, values []string, where func(*bun.SelectQuery), key func(*incident.Incident) string) (map[string]incident.Incident, error) {
	found := make(map[string]incident.Incident, len(values))
	if len(values) == 0 {
		return found, nil
	}
	var rows []incidentRow
	q := t.db.NewSelect().Model(&rows)
	where(q)
	err := q.Scan(ctx)
	for i := range rows {
		in := rows[i].incident()
		found[key(&in)] = in
	}
	return found, err
}

// MitigatedBefore gives incidents that have been quiet.
func (t *tx) MitigatedBefore(ctx context.Context, before time.Time, limit int) ([]incident.Incident, error) {
	var rows []incidentRow
	err := t.db.NewSelect().Model(&rows).
		Where("i.status = 'mitigated'").Where("i.mitigated_at < ?", at(before)).Where("i.correlation_key <> ''").
		Where("NOT EXISTS (SELECT 1 FROM incident_alerts l JOIN alerts a ON a.id = l.alert_id WHERE l.incident_id = i.id AND a.status = ?)", alert.Firing).
		Order("i.mitigated_at", "i.id").Limit(int64(limit)).Scan(ctx)
	quiet := make([]incident.Incident, len(rows))
	for i := range rows {
		quiet[i] = rows[i].incident()
	}
	return quiet, err
}

// CreateIncident stores a new incident.
func (t *tx) CreateIncident(ctx context.Context, in incident.Incident) (incident.Incident, error) {
	if err := checkIncident(&in); err != nil {
		return incident.Incident{}, err
	}
	if in.ID == "" {
		in.ID = newID()
	}
	in.Version, in.UpdatedAt = 1, t.now()
	if in.CreatedAt.IsZero() {
		in.CreatedAt = in.UpdatedAt
	}
	t.date(&in)
	if err := t.ownKey(ctx, &in); err != nil {
		return incident.Incident{}, err
	}
	row := toIncidentRow(&in)
	_, err := t.db.NewInsert().Model(row).Exec(ctx)
	return row.incident(), err
}

// UpdateIncident stores a changed incident.
func (t *tx) UpdateIncident(ctx context.Context, in incident.Incident) (incident.Incident, error) {
	if err := checkIncident(&in); err != nil {
		return incident.Incident{}, err
	}
	stored, err := t.Incident(ctx, in.ID)
	if err != nil {
		return incident.Incident{}, err
	}
	if stored.Version != in.Version {
		return incident.Incident{}, versionError("incident", in.ID, in.Version, stored.Version)
	}
	if err := stored.Status.Check(in.Status); err != nil {
		return incident.Incident{}, err
	}
	if stored.MergedInto != "" && in.Status != incident.Resolved {
		return incident.Incident{}, fmt.Errorf("incident %q was merged into %q: reopening it %w", in.ID, stored.MergedInto, state.ErrConflict)
	}
	if stored.Status == incident.Resolved {
		in.CorrelationKey = stored.CorrelationKey
		if err := t.ownKey(ctx, &in); err != nil {
			return incident.Incident{}, err
		}
	}
	if stored.Status != incident.Mitigated && in.Status == incident.Mitigated {
		in.MitigatedAt = time.Time{}
	}
	in.Version, in.UpdatedAt = in.Version+1, t.now()
	t.date(&in)
	row := toIncidentRow(&in)
	_, err = t.db.NewUpdate().Model(row).ExcludeColumn("created_at", "created_by", "correlation_key").WherePK().Exec(ctx)
	if err == nil && stored.Status == incident.Resolved && in.Status != incident.Resolved {
		err = t.endHolds(ctx, in.ID)
	}
	row.CreatedAt, row.CreatedBy, row.CorrelationKey = at(stored.CreatedAt), stored.CreatedBy, stored.CorrelationKey
	return row.incident(), err
}

// date makes the times follow from the status.
func (t *tx) date(in *incident.Incident) {
	switch in.Status {
	case incident.Resolved:
		if in.ResolvedAt.IsZero() {
			in.ResolvedAt = t.now()
		}
		return
	case incident.Mitigated:
		if in.MitigatedAt.IsZero() {
			in.MitigatedAt = t.now()
		}
	case incident.Open, incident.Investigating:
	}
	in.ResolvedAt = time.Time{}
}
