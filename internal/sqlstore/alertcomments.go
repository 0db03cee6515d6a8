package sqlstore

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/incident"
)

// commentRow is a row of alert_comments.
type commentRow struct {
	bun.BaseModel `bun:"table:alert_comments,alias:c"`

	ID         string  `bun:"id,pk"`
	AlertID    string  `bun:"alert_id"`
	CreatedAt  instant `bun:"created_at"`
	CreatedBy  string  `bun:"created_by"`
	Content    string  `bun:"content"`
	IncidentID string  `bun:"incident_id,nullzero"`
}

func comments(rows []commentRow) []incident.AlertComment {
	all := make([]incident.AlertComment, len(rows))
	for i, r := range rows {
		all[i] = incident.AlertComment{
			ID: r.ID, AlertID: r.AlertID, CreatedAt: r.CreatedAt.Time, CreatedBy: r.CreatedBy, Content: r.Content, IncidentID: r.IncidentID,
		}
	}
	return all
}

// AlertComments gives the last comments. Their IDs are in the order in which they were stored.
func (s *Store) AlertComments(ctx context.Context, alertID string, limit int) ([]incident.AlertComment, error) {
	if err := checkID("alert", alertID); err != nil {
		return nil, err
	}
	var rows []commentRow
	err := s.read(ctx, func(db bun.IDB) error {
		return db.NewSelect().Model(&rows).Where("c.alert_id = ?", alertID).OrderExpr("c.id DESC").Limit(int64(limit)).Scan(ctx)
	})
	slices.Reverse(rows)
	return comments(rows), err
}

// CommentAlert stores a comment.
func (t *tx) CommentAlert(ctx context.Context, c incident.AlertComment) (incident.AlertComment, error) {
	if err := getAlert(ctx, t.db, c.AlertID, &alertRow{}); err != nil {
		return incident.AlertComment{}, err
	}
	if c.ID == "" {
		c.ID = newID()
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = t.now()
	}
	row := commentRow{
		ID: c.ID, AlertID: c.AlertID, CreatedAt: at(c.CreatedAt), CreatedBy: short(c.CreatedBy), Content: text(c.Content), IncidentID: c.IncidentID,
	}
	if _, err := t.db.NewInsert().Model(&row).Exec(ctx); err != nil {
		return incident.AlertComment{}, err
	}
	return comments([]commentRow{row})[0], nil
}

// UntoldComments gives the comments on alerts that are in no timeline.
func (t *tx) UntoldComments(ctx context.Context, alertIDs []string) ([]incident.AlertComment, error) {
	if len(alertIDs) == 0 {
		return nil, nil
	}
	var rows []commentRow
	err := t.db.NewSelect().Model(&rows).Where("c.alert_id ?", among(alertIDs)).Where("c.incident_id IS NULL").Order("c.id").Scan(ctx)
	return comments(rows), err
}

// CommentsTold remembers the incident that tells comments.
func (t *tx) CommentsTold(ctx context.Context, incidentID string, commentIDs []string) error {
	if len(commentIDs) == 0 {
		return nil
	}
	_, err := t.db.NewUpdate().Model((*commentRow)(nil)).Set("incident_id = ?", incidentID).
		Where("c.id ?", among(commentIDs)).Exec(ctx)
	return err
}
