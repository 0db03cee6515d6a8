package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// Intake stores reports.
func (t *tx) Intake(ctx context.Context, reports []alert.Alert, flapWindow time.Duration) ([]alert.Change, error) {
	byFingerprint := map[string][]*alert.Alert{}
	for i := range reports {
		report, err := t.clean(&reports[i])
		if err != nil {
			return nil, err
		}
		fp := report.Fingerprint()
		byFingerprint[fp] = append(byFingerprint[fp], report)
	}
	var changes []alert.Change
	for fingerprints := range slices.Chunk(slices.Sorted(maps.Keys(byFingerprint)), rowsPerStatement) {
		stored, err := t.loadHistory(ctx, fingerprints, byFingerprint, flapWindow)
		if err != nil {
			return nil, err
		}
		merged := mergedAlerts{removed: map[string]string{}}
		for _, fp := range fingerprints {
			merged.take(stored[fp], byFingerprint[fp], flapWindow)
		}
		if err := t.saveMerged(ctx, &merged); err != nil {
			return nil, err
		}
		changes = append(changes, merged.changes()...)
	}
	return changes, nil
}

// clean makes a report storable, and refuses what has no meaning.
func (t *tx) clean(report *alert.Alert) (*alert.Alert, error) {
	if len(report.Labels) == 0 {
		return nil, fmt.Errorf("an alert must have labels: it %w", state.ErrInvalid)
	}
	if err := checkSeverity(report.Severity); err != nil {
		return nil, err
	}
	if _, err := alert.ParseStatus(string(report.Status)); err != nil {
		return nil, invalid(err)
	}
	c := report.Clone()
	c.Labels, c.Annotations = texts(c.Labels), texts(c.Annotations)
	c.GeneratorURL, c.RuleID = text(c.GeneratorURL), text(c.RuleID)
	if c.UpdatedAt.IsZero() {
		c.UpdatedAt = t.now()
	}
	if c.StartsAt.IsZero() {
		c.StartsAt = c.UpdatedAt
	}
	if c.Status == alert.Resolved && c.EndsAt.IsZero() {
		c.EndsAt = c.UpdatedAt
	}
	c.StartsAt, c.EndsAt, c.UpdatedAt, c.ExpiresAt = at(c.StartsAt).Time, at(c.EndsAt).Time, at(c.UpdatedAt).Time, at(c.ExpiresAt).Time
	return c, nil
}

// loadHistory gives the rows by fingerprint that the reports can touch: those that reach into the window before the
// earliest one or begin later, and the one before them where it lasts until the next one begins.
func (t *tx) loadHistory(ctx context.Context, fingerprints []string, reports map[string][]*alert.Alert, window time.Duration) (map[string][]*alert.Record, error) {
	var earliest time.Time
	for _, fp := range fingerprints {
		for _, r := range reports[fp] {
			if earliest.IsZero() || r.StartsAt.Before(earliest) {
				earliest = r.StartsAt
			}
		}
	}
	var rows, before []alertRow
	since := at(earliest.Add(-window))
	err := t.db.NewSelect().Model(&rows).
		Where("a.fingerprint ?", among(fingerprints)).Where("a.last_starts_at >= ?", since).Scan(ctx)
	if err != nil {
		return nil, err
	}
	last := t.db.NewSelect().Model((*alertRow)(nil)).ModelTableExpr("alerts AS b").
		ColumnExpr("b.fingerprint, MAX(b.last_starts_at) AS last_starts_at").
		Where("b.fingerprint ?", among(fingerprints)).Where("b.last_starts_at < ?", since).Group("b.fingerprint")
	err = t.db.NewSelect().Model(&before).
		Join("JOIN (?) AS p ON p.fingerprint = a.fingerprint AND p.last_starts_at = a.last_starts_at", last).
		Where("a.reported_status = ?", alert.Firing).Scan(ctx)
	rows = append(rows, before...)
	byFingerprint := make(map[string][]*alert.Record, len(rows))
	for i := range rows {
		record := rows[i].record()
		byFingerprint[rows[i].Fingerprint] = append(byFingerprint[rows[i].Fingerprint], &record)
	}
	return byFingerprint, err
}

// mergedAlerts is what reports make of stored alerts.
type mergedAlerts struct {
	changed []changedAlert
	// rounds are the rows of changed in the order in which they are to be stored: of one fingerprint those that end first, so
	// that no two fire in between. A round has one row of a fingerprint at most.
	rounds  [][]*alert.Record
	removed map[string]string
}

// changedAlert is a row as it was, nil where it is new, and as it is to be.
type changedAlert struct{ before, after *alert.Record }

// take merges the reports of one fingerprint.
func (m *mergedAlerts) take(stored []*alert.Record, reports []*alert.Alert, window time.Duration) {
	before := make(map[string]*alert.Record, len(stored))
	for _, r := range stored {
		before[r.ID] = r.Clone()
	}
	history := alert.NewHistory(stored, window, newID)
	for _, r := range reports {
		history.Add(r)
	}
	maps.Copy(m.removed, history.Removed())
	var rows []*alert.Record
	for _, row := range history.Rows() {
		if old := before[row.ID]; old == nil || !reflect.DeepEqual(old, row) {
			m.changed = append(m.changed, changedAlert{old, row})
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b *alert.Record) int { return -strings.Compare(string(a.Status), string(b.Status)) })
	for i, row := range rows {
		if i == len(m.rounds) {
			m.rounds = append(m.rounds, nil)
		}
		m.rounds[i] = append(m.rounds[i], row)
	}
}

// changes gives what is worth telling, once it is saved.
func (m *mergedAlerts) changes() []alert.Change {
	var told []alert.Change
	for _, c := range m.changed {
		change := alert.Change{Before: c.before, After: *c.after}
		if change.Fired() || change.Resolved() || change.Flapped() || change.Worsened() {
			told = append(told, change)
		}
	}
	return told
}

// saveMerged writes rows.
func (t *tx) saveMerged(ctx context.Context, m *mergedAlerts) error {
	for _, removed := range slices.Sorted(maps.Keys(m.removed)) {
		if err := t.removeAlert(ctx, removed, m.removed[removed]); err != nil {
			return err
		}
	}
	for _, round := range m.rounds {
		if err := t.saveAlerts(ctx, round); err != nil {
			return err
		}
	}
	return nil
}

// alertColumns are those that a change of an alert writes.
var alertColumns = []string{
	"description", "severity", "status", "starts_at", "ends_at", "expires_at", "annotations", "generator_url", "value", "updated_at", "rule_id",
	"reported_at", "reported_status", "last_starts_at", "periods", "flap_count", "resolved_by", "manual_at", "version",
}

// saveAlerts inserts alerts or updates those that have a version, no two of a fingerprint, and gives them their times and
// versions. An upsert would have PostgreSQL make the keys of all labels for nothing.
func (t *tx) saveAlerts(ctx context.Context, records []*alert.Record) error {
	var added, changed []alertRow
	for _, r := range records {
		r.ChangedAt = t.now()
		r.Version++
		if r.Version == 1 {
			r.CreatedAt = r.ChangedAt
			added = append(added, toAlertRow(r))
		} else {
			changed = append(changed, toAlertRow(r))
		}
	}
	if err := updateRows(ctx, t.db, changed, alertColumns); err != nil {
		return err
	}
	return insertRows(ctx, t.db, added, "")
}

// removeAlert drops a row that has become part of another, which takes over its incident and what people did to it.
func (t *tx) removeAlert(ctx context.Context, id, into string) error {
	var links []linkRow
	if err := t.db.NewSelect().Model(&links).Where("alert_id = ?", id).Scan(ctx); err != nil {
		return err
	}
	if err := t.moveAcknowledgement(ctx, id, into); err != nil {
		return err
	}
	for _, statement := range []string{
		"UPDATE alert_comments SET alert_id = ?1 WHERE alert_id = ?0",
		"INSERT INTO alert_detachments (alert_id, last_starts_at) SELECT ?1, last_starts_at FROM alert_detachments WHERE alert_id = ?0 ON CONFLICT DO NOTHING",
		"DELETE FROM alerts WHERE id = ?0",
	} {
		if _, err := t.db.ExecContext(ctx, statement, id, into); err != nil {
			return err
		}
	}
	taken, err := t.LinkedAlerts(ctx, []string{into})
	if err != nil {
		return err
	}
	for _, l := range links {
		if err := t.relate(ctx, l.IncidentID); err != nil {
			return err
		}
		if l.Active && taken[into] == "" {
			if err := t.LinkAlerts(ctx, incident.Links{l.IncidentID: {into}}); err != nil {
				return err
			}
			if err := t.KeepPath(ctx, l.IncidentID, []string{into}, incident.Path(l.Path)); err != nil {
				return err
			}
		}
	}
	return nil
}
