package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// Evidence implements evidence.Reader.
func (s *Store) Evidence(ctx context.Context, incidentID string) (e evidence.Evidence, c evidence.Collection, err error) {
	err = s.read(ctx, func(db bun.IDB) error {
		// In one snapshot, so that what was collected is not told as pending.
		return s.flavour.analyse(ctx, db, func(db bun.IDB) error {
			if _, err := getIncident(ctx, db, incidentID); err != nil {
				return err
			}
			row, err := getCollection(ctx, db, incidentID)
			if err != nil || row == nil {
				return err
			}
			c = row.collection()
			e, err = getEvidence(ctx, db, incidentID)
			return err
		})
	})
	return e, c, err
}

// getCollection gives nil where there is none.
func getCollection(ctx context.Context, db bun.IDB, incidentID string) (*collectionRow, error) {
	row := new(collectionRow)
	err := db.NewSelect().Model(row).Where("c.incident_id = ?", incidentID).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // none is what most incidents have at first
	}
	return row, err
}

func getEvidence(ctx context.Context, db bun.IDB, incidentID string) (evidence.Evidence, error) {
	var rows []evidenceRow
	err := db.NewSelect().Model(&rows).Where("v.incident_id = ?", incidentID).Order("v.kind", "v.place", "v.key").Scan(ctx)
	if err != nil {
		return evidence.Evidence{}, err
	}
	return fromEvidenceRows(rows)
}

// EvidenceCounts implements evidence.Reader.
func (s *Store) EvidenceCounts(ctx context.Context, incidentIDs []string) (map[string]evidence.Counts, error) {
	counts := make(map[string]evidence.Counts, len(incidentIDs))
	ids := possibleIDs("incident", incidentIDs)
	if len(ids) == 0 {
		return counts, nil
	}
	var rows []collectionRow
	err := s.read(ctx, func(db bun.IDB) error {
		return db.NewSelect().Model(&rows).Column("c.incident_id", "c.metrics", "c.traces", "c.log_patterns").
			Where("c.incident_id ?", among(ids)).Where("c.metrics + c.traces + c.log_patterns > 0").Scan(ctx)
	})
	for i := range rows {
		counts[rows[i].IncidentID] = rows[i].counts()
	}
	return counts, err
}

// DueEvidence implements evidence.Store. Each of its queries goes by an index.
func (s *Store) DueEvidence(ctx context.Context, due evidence.Due) (ids []string, err error) {
	free := func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("c.leased_until IS NULL OR c.leased_until <= ?", at(due.Now))
	}
	worst := "CASE i.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, i.created_at, i.id"
	ways := []func(q *bun.SelectQuery){
		func(q *bun.SelectQuery) { // those that are new
			q.Where("i.created_at >= ?", at(due.CreatedFrom)).Where("i.created_at <= ?", at(due.CreatedTo)).
				Where("NOT EXISTS (SELECT 1 FROM evidence_collections AS c WHERE c.incident_id = i.id)")
		},
		func(q *bun.SelectQuery) { // whose time has come
			free(q.Join("JOIN evidence_collections AS c ON c.incident_id = i.id")).Where("c.due_at <= ?", at(due.Now))
		},
		func(q *bun.SelectQuery) { // that have ended, apart from those that wait for their first look
			free(q.Join("JOIN evidence_collections AS c ON c.incident_id = i.id")).Where("c.stage IN ('developing', 'watching')").
				Where("c.stage <> 'ended'").Where("(i.status = 'resolved' AND i.resolved_at <= ?0) OR (i.status = 'mitigated' AND i.mitigated_at <= ?0)", at(due.EndedBefore))
		},
		func(q *bun.SelectQuery) { // that were reopened
			free(q.Join("JOIN evidence_collections AS c ON c.incident_id = i.id")).Where("c.stage = 'ended'").
				Where("i.status IN ('open', 'investigating')")
		},
	}
	err = s.read(ctx, func(db bun.IDB) error {
		ids = nil
		for _, way := range ways {
			if len(ids) >= due.Limit {
				break
			}
			var found []string
			q := db.NewSelect().Model((*incidentRow)(nil)).Column("i.id").OrderExpr(worst).Limit(int64(due.Limit - len(ids)))
			way(q)
			if len(ids) > 0 {
				q.Where("i.id NOT IN (?)", bun.List(ids))
			}
			if err := q.Scan(ctx, &found); err != nil {
				return err
			}
			ids = append(ids, found...)
		}
		return nil
	})
	return ids, err
}

// ClaimEvidence implements evidence.Store.
func (s *Store) ClaimEvidence(ctx context.Context, incidentID, worker string, now, until time.Time) (claimed *evidence.Case, err error) {
	err = s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		claimed, err = claimEvidence(ctx, db, incidentID, worker, at(now), at(until))
		return err
	})
	return claimed, err
}

func claimEvidence(ctx context.Context, db bun.Tx, incidentID, worker string, now, until instant) (*evidence.Case, error) {
	in, err := getIncident(ctx, db, incidentID)
	if err != nil {
		return nil, err
	}
	claimed := &evidence.Case{Incident: in}
	row, err := getCollection(ctx, db, incidentID)
	switch {
	case err != nil:
		return nil, err
	case row == nil:
		// The worker decides what follows; until then it waits for that.
		row = &collectionRow{
			IncidentID: incidentID, Stage: evidence.Opening, StageAt: now, DueAt: now, Sources: jsonMap[evidence.SourceState]{},
			Worker: short(worker), LeasedUntil: until,
		}
		_, err = db.NewInsert().Model(row).Exec(ctx)
		claimed.Collection.IncidentID = incidentID
		return claimed, err
	case row.LeasedUntil.After(now.Time) && row.Worker != short(worker):
		return nil, fmt.Errorf("the evidence of incident %q is being collected: it %w", incidentID, state.ErrConflict)
	}
	row.Worker, row.LeasedUntil = short(worker), until
	if _, err := db.NewUpdate().Model(row).Column("worker", "leased_until").WherePK().Exec(ctx); err != nil {
		return nil, err
	}
	claimed.Collection = row.collection()
	claimed.Evidence, err = getEvidence(ctx, db, incidentID)
	return claimed, err
}

// SaveEvidence implements evidence.Store.
func (s *Store) SaveEvidence(ctx context.Context, worker string, c *evidence.Collection, e *evidence.Evidence, dueAt time.Time, told *incident.TimelineEvent) error {
	now := at(s.now())
	rows, err := toEvidenceRows(c.IncidentID, e, now)
	if err != nil {
		return err
	}
	row := toCollectionRow(c, e.Counts())
	row.DueAt = at(dueAt)
	return s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		known, err := getCollection(ctx, db, c.IncidentID)
		switch {
		case err != nil:
			return err
		case known == nil:
			return notFound("incident", c.IncidentID)
		case known.Worker != short(worker):
			return fmt.Errorf("the evidence of incident %q has another worker by now: it %w", c.IncidentID, state.ErrConflict)
		}
		if _, err := db.NewUpdate().Model(row).WherePK().Exec(ctx); err != nil {
			return err
		}
		if err := replaceEvidence(ctx, db, c.IncidentID, rows); err != nil {
			return err
		}
		if told != nil {
			_, err = (&tx{db: db, store: s}).AppendEvents(ctx, *told)
		}
		return err
	})
}

// replaceEvidence keeps the time of what has not changed.
func replaceEvidence(ctx context.Context, db bun.Tx, incidentID string, rows []evidenceRow) error {
	gone := db.NewDelete().Model((*evidenceRow)(nil)).Where("v.incident_id = ?", incidentID)
	if len(rows) > 0 {
		keys := make([]string, len(rows)) // a hash is not that of two kinds
		for i := range rows {
			keys[i] = rows[i].Key
		}
		gone.Where("v.key NOT IN (?)", bun.List(keys))
	}
	if _, err := gone.Exec(ctx); err != nil || len(rows) == 0 {
		return err
	}
	_, err := db.NewInsert().Model(&rows).On("CONFLICT (incident_id, kind, key) DO UPDATE").
		Set("place = EXCLUDED.place").Set("data = EXCLUDED.data").
		Set("collected_at = CASE WHEN v.data = EXCLUDED.data THEN v.collected_at ELSE EXCLUDED.collected_at END").Exec(ctx)
	return err
}
