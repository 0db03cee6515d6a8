package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// acknowledgementRow is a row of acknowledgements.
type acknowledgementRow struct {
	bun.BaseModel `bun:"table:acknowledgements,alias:k"`

	ID         string             `bun:"id,pk"`
	AlertID    string             `bun:"alert_id,nullzero"`
	IncidentID string             `bun:"incident_id,nullzero"`
	By         string             `bun:"acknowledged_by"`
	At         instant            `bun:"acknowledged_at"`
	Comment    string             `bun:"comment"`
	ExpiresAt  instant            `bun:"expires_at"`
	Severity   alert.Severity     `bun:"severity"`
	FlapCount  int                `bun:"flap_count"`
	EndedAt    instant            `bun:"ended_at"`
	EndedBy    string             `bun:"ended_by"`
	EndReason  incident.EndReason `bun:"end_reason"`
}

func (r *acknowledgementRow) acknowledgement() *incident.Acknowledgement {
	return &incident.Acknowledgement{
		ID: r.ID, AlertID: r.AlertID, IncidentID: r.IncidentID, By: r.By, At: r.At.Time, Comment: r.Comment, ExpiresAt: r.ExpiresAt.Time,
		Severity: r.Severity, Flaps: r.FlapCount, EndedAt: r.EndedAt.Time, EndedBy: r.EndedBy, EndReason: r.EndReason,
	}
}

// Acknowledge stores an acknowledgement of an alert or an incident.
func (t *tx) Acknowledge(ctx context.Context, a incident.Acknowledgement) (incident.Acknowledgement, error) {
	row := &acknowledgementRow{
		ID: newID(), By: short(a.By), At: at(t.now()), Comment: text(a.Comment), ExpiresAt: at(a.ExpiresAt),
	}
	if !row.ExpiresAt.IsZero() && !row.ExpiresAt.After(row.At.Time) {
		return a, fmt.Errorf("expiresAt must be in the future, is %s: it %w", row.ExpiresAt, state.ErrInvalid)
	}
	var resolved bool
	kind, id, column := "alert", a.AlertID, "alert_id"
	if a.IncidentID == "" {
		var stored alertRow
		if err := getAlert(ctx, t.db, a.AlertID, &stored); err != nil {
			return a, err
		}
		row.AlertID, row.Severity, row.FlapCount, resolved = stored.ID, stored.Severity, stored.FlapCount, stored.Status == alert.Resolved
	} else {
		in, err := t.Incident(ctx, a.IncidentID)
		if err != nil {
			return a, err
		}
		kind, id, column = "incident", in.ID, "incident_id"
		row.IncidentID, row.Severity, resolved = in.ID, in.Severity, in.Status == incident.Resolved
	}
	if resolved {
		return a, fmt.Errorf("%s %q is resolved: acknowledging it %w", kind, id, state.ErrConflict)
	}
	if _, err := t.endAcknowledgement(ctx, column, id, a.By, incident.Replaced); err != nil {
		return a, err
	}
	_, err := t.db.NewInsert().Model(row).Exec(ctx)
	return *row.acknowledgement(), err
}

// endAcknowledgement ends those that have not ended, of which there is at most one.
func (t *tx) endAcknowledgement(ctx context.Context, column, id, by string, reason incident.EndReason) ([]acknowledgementRow, error) {
	var ended []acknowledgementRow
	err := t.db.NewSelect().Model(&ended).Where("? = ?", bun.Ident(column), id).Where("k.ended_at IS NULL").Scan(ctx)
	if err != nil || len(ended) == 0 {
		return nil, err
	}
	ended[0].EndedAt, ended[0].EndedBy, ended[0].EndReason = at(t.now()), short(by), reason
	_, err = t.db.NewUpdate().Model(&ended[0]).Column("ended_at", "ended_by", "end_reason").WherePK().Exec(ctx)
	return ended, err
}

// WithdrawAlert takes the acknowledgement of an alert back.
func (t *tx) WithdrawAlert(ctx context.Context, alertID, by string) (incident.Acknowledgement, error) {
	if err := getAlert(ctx, t.db, alertID, &alertRow{}); err != nil {
		return incident.Acknowledgement{}, err
	}
	return t.withdraw(ctx, "alert_id", alertID, by)
}

// WithdrawIncident takes the acknowledgement of an incident back.
func (t *tx) WithdrawIncident(ctx context.Context, incidentID, by string) (incident.Acknowledgement, error) {
	if _, err := t.Incident(ctx, incidentID); err != nil {
		return incident.Acknowledgement{}, err
	}
	return t.withdraw(ctx, "incident_id", incidentID, by)
}

func (t *tx) withdraw(ctx context.Context, column, id, by string) (incident.Acknowledgement, error) {
	ended, err := t.endAcknowledgement(ctx, column, id, by, incident.Withdrawn)
	switch {
	case err != nil:
		return incident.Acknowledgement{}, err
	case len(ended) == 0:
		return incident.Acknowledgement{}, notFound("acknowledgement of", id)
	default:
		return *ended[0].acknowledgement(), nil
	}
}

// moveAcknowledgement gives the acknowledgement of an alert that is to become part of another to that one, unless it
// has one.
func (t *tx) moveAcknowledgement(ctx context.Context, from, into string) error {
	taken, err := t.db.NewSelect().Model((*acknowledgementRow)(nil)).Where("k.alert_id = ?", into).Where("k.ended_at IS NULL").Exists(ctx)
	if err != nil || taken {
		return err
	}
	_, err = t.db.NewUpdate().Model((*acknowledgementRow)(nil)).Set("alert_id = ?", into).Where("alert_id = ?", from).Exec(ctx)
	return err
}

// IncidentAcknowledgements gives the acknowledgements of incidents that have not ended.
func (s *Store) IncidentAcknowledgements(ctx context.Context, incidentIDs []string) (map[string]incident.Acknowledgement, error) {
	found := map[string]incident.Acknowledgement{}
	if len(incidentIDs) == 0 {
		return found, nil
	}
	var rows []acknowledgementRow
	err := s.read(ctx, func(db bun.IDB) error {
		return db.NewSelect().Model(&rows).Where("k.incident_id ?", among(incidentIDs)).Where("k.ended_at IS NULL").Scan(ctx)
	})
	for i := range rows {
		found[rows[i].IncidentID] = *rows[i].acknowledgement()
	}
	return found, err
}

// Cases gives the case of each alert.
func (s *Store) Cases(ctx context.Context, alertIDs []string) (map[string]incident.Case, error) {
	cases := make(map[string]incident.Case, len(alertIDs))
	if len(alertIDs) == 0 {
		return cases, nil
	}
	err := s.read(ctx, func(db bun.IDB) error {
		for ids := range slices.Chunk(alertIDs, rowsPerStatement) {
			if err := addCases(ctx, db, ids, cases); err != nil {
				return err
			}
		}
		return nil
	})
	return cases, err
}

// AcknowledgedCases gives the firing alerts that have an acknowledgement, or whose incident does.
func (s *Store) AcknowledgedCases(ctx context.Context) ([]incident.Case, error) {
	var ids []string
	err := s.read(ctx, func(db bun.IDB) error {
		own := db.NewSelect().Model((*acknowledgementRow)(nil)).Column("k.alert_id").Where("k.ended_at IS NULL").Where("k.alert_id IS NOT NULL")
		ofIncident := db.NewSelect().Model((*linkRow)(nil)).Column("l.alert_id").
			Join("JOIN acknowledgements AS k ON k.incident_id = l.incident_id AND k.ended_at IS NULL").Where("l.active")
		return db.NewSelect().Model((*alertRow)(nil)).Column("a.id").Where("a.status = ?", alert.Firing).
			Where("a.id IN (?)", own.Union(ofIncident)).Order("a.id").Scan(ctx, &ids)
	})
	if err != nil {
		return nil, err
	}
	cases, err := s.Cases(ctx, ids)
	list := make([]incident.Case, 0, len(ids))
	for _, id := range ids {
		if c, ok := cases[id]; ok {
			list = append(list, c)
		}
	}
	return list, err
}

// addCases adds the cases of alerts, by their IDs.
func addCases(ctx context.Context, db bun.IDB, ids []string, cases map[string]incident.Case) error {
	var alerts []alertRow
	if err := db.NewSelect().Model(&alerts).Where("a.id ?", among(ids)).Scan(ctx); err != nil {
		return err
	}
	var links []linkRow
	if err := db.NewSelect().Model(&links).Where("l.alert_id ?", among(ids)).Where("l.active").Scan(ctx); err != nil {
		return err
	}
	linked := map[string]linkRow{}
	var incidentIDs []string
	for _, l := range links {
		linked[l.AlertID] = l
		incidentIDs = append(incidentIDs, l.IncidentID)
	}
	incidents := map[string]*incident.Incident{}
	var acknowledgements []acknowledgementRow
	q := db.NewSelect().Model(&acknowledgements).Where("k.ended_at IS NULL")
	if len(incidentIDs) == 0 {
		q.Where("k.alert_id ?", among(ids))
	} else {
		q.Where("(k.alert_id ? OR k.incident_id ?)", among(ids), among(incidentIDs))
		var rows []incidentRow
		if err := db.NewSelect().Model(&rows).Where("i.id ?", among(incidentIDs)).Scan(ctx); err != nil {
			return err
		}
		for i := range rows {
			in := rows[i].incident()
			incidents[in.ID] = &in
		}
	}
	if err := q.Scan(ctx); err != nil {
		return err
	}
	of := map[string]*incident.Acknowledgement{}
	for i := range acknowledgements {
		of[acknowledgements[i].AlertID+acknowledgements[i].IncidentID] = acknowledgements[i].acknowledgement()
	}
	for i := range alerts {
		id := alerts[i].ID
		c := incident.Case{Alert: alerts[i].record(), Own: of[id]}
		if l, is := linked[id]; is {
			c.Incident, c.LinkedAt, c.IncidentsOwn = incidents[l.IncidentID], l.LinkedAt.Time, of[l.IncidentID]
			c.Path = incident.Path(l.Path)
		}
		cases[id] = c
	}
	return nil
}
