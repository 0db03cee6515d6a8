package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// eventRow is a row of timeline_events.
type eventRow struct {
	bun.BaseModel `bun:"table:timeline_events,alias:e"`

	ID         string             `bun:"id,pk,type:uuid"`
	IncidentID string             `bun:"incident_id,type:uuid"`
	Timestamp  instant            `bun:"timestamp"`
	Type       incident.EventType `bun:"type"`
	Content    string             `bun:"content"`
	CreatedBy  string             `bun:"created_by"`
	Metadata   jsonMap[any]       `bun:"metadata"`
	Sequence   int64              `bun:"sequence"`
}

func (r *eventRow) event() incident.TimelineEvent {
	return incident.TimelineEvent{
		ID: r.ID, IncidentID: r.IncidentID, Sequence: r.Sequence, Timestamp: r.Timestamp.Time,
		Type: r.Type, Content: r.Content, CreatedBy: r.CreatedBy, Metadata: r.Metadata,
	}
}

// Timeline gives a page of an incident's events, in their sequence.
func (s *Store) Timeline(ctx context.Context, incidentID string, p state.Page) (incident.Timeline, error) {
	var rows []eventRow
	page, after, err := startTimeline(incidentID, p)
	if err != nil {
		return incident.Timeline{}, err
	}
	err = s.read(ctx, func(db bun.IDB) error {
		if _, err := getIncident(ctx, db, incidentID); err != nil {
			return err
		}
		return db.NewSelect().Model(&rows).Where("e.incident_id = ?", incidentID).Where("e.sequence > ?", after).
			Order("e.sequence").Limit(int64(page.size) + 1).Scan(ctx)
	})
	if err != nil {
		return incident.Timeline{}, err
	}
	rows, next := cutBy(page, rows, func(r *eventRow) (string, string) { return strconv.FormatInt(r.Sequence, 10), r.ID })
	timeline := incident.Timeline{Events: make([]incident.TimelineEvent, len(rows)), Next: next}
	for i := range rows {
		timeline.Events[i] = rows[i].event()
	}
	return timeline, nil
}

func startTimeline(incidentID string, p state.Page) (page page, after int64, err error) {
	page, err = startPage("timeline/"+incidentID, p)
	if err == nil && page.after != nil {
		if after, err = strconv.ParseInt(page.after.Key, 10, 64); err != nil {
			err = fmt.Errorf("cursor must be one that the list before it gave: it %w", state.ErrInvalid)
		}
	}
	return page, after, err
}

// AppendEvents adds events behind those that the incidents have, which are updated by that and keep their version.
func (t *tx) AppendEvents(ctx context.Context, events ...incident.TimelineEvent) ([]incident.TimelineEvent, error) {
	if len(events) == 0 {
		return nil, nil
	}
	last, err := t.lastSequences(ctx, events)
	if err != nil {
		return nil, err
	}
	rows := make([]eventRow, len(events))
	for i, e := range events {
		if _, err := incident.ParseEventType(string(e.Type)); err != nil {
			return nil, invalid(err)
		}
		if _, err := marshal(e.Metadata); err != nil {
			return nil, invalid(fmt.Errorf("metadata must be a JSON object: %w", err))
		}
		last[e.IncidentID]++
		e.Sequence = last[e.IncidentID]
		if e.ID == "" {
			e.ID = newID()
		}
		if e.Timestamp.IsZero() {
			e.Timestamp = t.now()
		}
		rows[i] = eventRow{
			ID: e.ID, IncidentID: e.IncidentID, Timestamp: at(e.Timestamp), Type: e.Type, Content: text(e.Content),
			CreatedBy: short(e.CreatedBy), Metadata: e.Metadata, Sequence: e.Sequence,
		}
	}
	if err := insertRows(ctx, t.db, rows, ""); err != nil {
		return nil, err
	}
	_, err = t.db.NewUpdate().Table("incidents").Set("updated_at = ?", at(t.now())).
		Where("id ?", among(slices.Collect(maps.Keys(last)))).Exec(ctx)
	if err != nil {
		return nil, err
	}
	stored := make([]incident.TimelineEvent, len(rows))
	for i := range rows {
		stored[i] = rows[i].event()
	}
	return stored, nil
}

// lastSequences gives where the timeline of each event's incident ends: 0 where it has none.
func (t *tx) lastSequences(ctx context.Context, events []incident.TimelineEvent) (map[string]int64, error) {
	ids := make([]string, 0, len(events))
	for i := range events {
		if err := checkID("incident", events[i].IncidentID); err != nil {
			return nil, err
		}
		ids = append(ids, events[i].IncidentID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var rows []struct {
		ID   string `bun:"id"`
		Last int64  `bun:"last"`
	}
	err := t.db.NewSelect().Model((*incidentRow)(nil)).Column("i.id").
		ColumnExpr("COALESCE((SELECT MAX(e.sequence) FROM timeline_events e WHERE e.incident_id = i.id), 0) AS last").
		Where("i.id ?", among(ids)).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	last := make(map[string]int64, len(rows))
	for _, r := range rows {
		last[r.ID] = r.Last
	}
	for _, id := range ids {
		if _, ok := last[id]; !ok {
			return nil, notFound("incident", id)
		}
	}
	return last, nil
}
