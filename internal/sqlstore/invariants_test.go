package sqlstore

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// refused runs plain SQL, which one constraint must refuse.
func refused(t *testing.T, s *Store, constraint, statement string, args ...any) {
	t.Helper()
	_, err := s.db.ExecContext(t.Context(), statement, args...)
	require.Error(t, err, statement)
	require.ErrorIs(t, s.fault(err), state.ErrConflict)
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		require.Equal(t, constraint, pg.ConstraintName, statement)
		return
	}
	// SQLite names its triggers and the checks that have a name.
	for _, kind := range []string{constraint, "UNIQUE constraint failed", "FOREIGN KEY constraint failed", "CHECK constraint failed"} {
		if strings.Contains(err.Error(), kind) {
			return
		}
	}
	require.Fail(t, "refused for another reason", err)
}

func accepted(t *testing.T, s *Store, statement string, args ...any) {
	t.Helper()
	_, err := s.db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

func TestInvariantsOfAlerts(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		intake(t, s, firing(noon, noon))
		id := alerts(t, s)[0].ID
		columns := `name, description, severity, labels, annotations, created_at, updated_at, fingerprint, reported_at, reported_status, last_starts_at, periods`
		second := `INSERT INTO alerts (id, status, starts_at, ` + columns + `) SELECT ?, 'firing', ?, ` + columns + ` FROM alerts WHERE id = ?`
		refused(t, s, "alerts_one_firing", second, newID(), "2026-03-02T12:00:00.000000Z", id)
		refused(t, s, "alerts_ends_when_resolved", `UPDATE alerts SET status = 'resolved' WHERE id = ?`, id)
		refused(t, s, "alerts_ends_when_resolved", `UPDATE alerts SET ends_at = starts_at WHERE id = ?`, id)
		refused(t, s, "alerts_ends_after_start", `UPDATE alerts SET status = 'resolved', ends_at = '2026-01-01T00:00:00.000000Z' WHERE id = ?`, id)
		refused(t, s, "alerts_status_check", `UPDATE alerts SET status = 'pending' WHERE id = ?`, id)
		refused(t, s, "alerts_severity_check", `UPDATE alerts SET severity = 'page' WHERE id = ?`, id)
		accepted(t, s, `UPDATE alerts SET status = 'resolved', ends_at = starts_at WHERE id = ?`, id)
		accepted(t, s, second, newID(), "2026-03-02T12:00:00.000000Z", id)
		refused(t, s, "alerts_one_firing", `UPDATE alerts SET status = 'firing', ends_at = NULL WHERE id = ?`, id)
	})
}

// TestTransitions compares the trigger with the domain's table, for every pair.
func TestTransitions(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for _, from := range incident.Statuses() {
			for _, to := range incident.Statuses() {
				in := newIncident(t, s, incident.Incident{Status: from})
				sql := `UPDATE incidents SET status = ?, mitigated_at = created_at, resolved_at = CASE WHEN ? = 'resolved' THEN created_at END WHERE id = ?`
				_, err := s.db.ExecContext(t.Context(), sql, to, to, in.ID)
				legal := from.Check(to) == nil
				assert.Equal(t, legal, err == nil, "%s to %s: %v", from, to, err)

				in = newIncident(t, s, incident.Incident{Status: from})
				in.Status = to
				err = s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
					_, err := tx.UpdateIncident(ctx, in)
					return err
				})
				var transition *incident.TransitionError
				assert.Equal(t, legal, err == nil, "%s to %s: %v", from, to, err)
				if !legal {
					require.ErrorAs(t, err, &transition)
					assert.Equal(t, from.Next(), transition.Legal())
				}
			}
		}
	})
}

func TestInvariantsOfIncidents(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		in := newIncident(t, s, incident.Incident{CorrelationKey: "a"})
		refused(t, s, "incidents_resolved_at_when_resolved", `UPDATE incidents SET status = 'resolved' WHERE id = ?`, in.ID)
		refused(t, s, "incidents_resolved_at_when_resolved", `UPDATE incidents SET resolved_at = created_at WHERE id = ?`, in.ID)
		refused(t, s, "incidents_severity_check", `UPDATE incidents SET severity = 'info' WHERE id = ?`, in.ID)
		other := newIncident(t, s, incident.Incident{CorrelationKey: "b"})
		refused(t, s, "incidents_one_open_a_key", `UPDATE incidents SET correlation_key = 'a' WHERE id = ?`, other.ID)
		newIncident(t, s, incident.Incident{})
		newIncident(t, s, incident.Incident{})
	})
}

func TestInvariantsOfLinks(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		intake(t, s, firing(noon, noon), firing(noon, noon, "n", "2"))
		rows := alerts(t, s)
		first, second := newIncident(t, s, incident.Incident{}), newIncident(t, s, incident.Incident{})
		const link = `INSERT INTO incident_alerts (incident_id, alert_id, linked_at) SELECT ?, ?, created_at FROM incidents LIMIT 1`
		const resolve = `UPDATE incidents SET status = 'resolved', resolved_at = created_at WHERE id = ?`
		const reopen = `UPDATE incidents SET status = 'open', resolved_at = NULL WHERE id = ?`
		accepted(t, s, link, first.ID, rows[0].ID)
		refused(t, s, "incident_alerts_one_open_incident", link, second.ID, rows[0].ID)
		refused(t, s, "incident_alerts_active_agrees", `UPDATE incident_alerts SET active = FALSE WHERE incident_id = ?`, first.ID)
		refused(t, s, "incident_alerts_incident_id_fkey", link, newID(), rows[1].ID)
		refused(t, s, "incident_alerts_alert_id_fkey", link, first.ID, newID())
		accepted(t, s, resolve, first.ID)
		refused(t, s, "incident_alerts_not_when_resolved", link, first.ID, rows[1].ID)
		refused(t, s, "incident_alerts_active_agrees", `UPDATE incident_alerts SET active = TRUE WHERE incident_id = ?`, first.ID)
		accepted(t, s, link, second.ID, rows[0].ID)
		refused(t, s, "incident_alerts_one_open_incident", reopen, first.ID)
		accepted(t, s, resolve, second.ID)
		accepted(t, s, reopen, first.ID)
	})
}

func TestInvariantsOfTimelines(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		in, other := newIncident(t, s, incident.Incident{}), newIncident(t, s, incident.Incident{})
		const event = `INSERT INTO timeline_events (id, incident_id, timestamp, type, content, created_by, sequence)
			SELECT ?, ?, created_at, 'comment', 'Hello', 'me', ? FROM incidents LIMIT 1`
		refused(t, s, "timeline_events_no_gap", event, newID(), in.ID, 0)
		refused(t, s, "timeline_events_no_gap", event, newID(), in.ID, 2)
		accepted(t, s, event, newID(), in.ID, 1)
		twice := "timeline_events_no_gap"
		if s.flavour.name() == (postgresFlavour{}).name() {
			twice = "timeline_events_one_a_sequence" // is checked first
		}
		refused(t, s, twice, event, newID(), in.ID, 1)
		refused(t, s, "timeline_events_no_gap", event, newID(), in.ID, 3)
		accepted(t, s, event, newID(), in.ID, 2)
		accepted(t, s, event, newID(), other.ID, 1)
		const row = `(?, ?, '2026-03-01T12:00:00.000000Z', 'comment', 'Hello', 'me', ?)`
		const events = `INSERT INTO timeline_events (id, incident_id, timestamp, type, content, created_by, sequence) VALUES ` + row + ", " + row + ", " + row
		one, two, three := newID(), newID(), newID()
		for name, sequences := range map[string][3]int{"a gap": {3, 5, 2}, "a gap before all": {4, 5, 2}, "a gap in the other": {3, 4, 3}} {
			t.Log(name)
			refused(t, s, "timeline_events_no_gap", events, one, in.ID, sequences[0], two, in.ID, sequences[1], three, other.ID, sequences[2])
		}
		more := newIncident(t, s, incident.Incident{})
		accepted(t, s, events, one, more.ID, 1, two, more.ID, 2, three, other.ID, 2)
		refused(t, s, "timeline_events_incident_id_fkey", event, newID(), newID(), 1)
		refused(t, s, "timeline_events_kept", `DELETE FROM timeline_events WHERE incident_id = ? AND sequence = 1`, in.ID)
		refused(t, s, "timeline_events_kept", `UPDATE timeline_events SET sequence = 7 WHERE incident_id = ? AND sequence = 2`, in.ID)
		refused(t, s, "timeline_events_type_check", `INSERT INTO timeline_events (id, incident_id, timestamp, type, content, created_by, sequence)
			SELECT ?, ?, created_at, 'gossip', 'Hello', 'me', 3 FROM incidents LIMIT 1`, newID(), in.ID)
		accepted(t, s, `DELETE FROM incidents WHERE id = ?`, in.ID)
		left, err := s.db.NewSelect().Table("timeline_events").Count(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 4, left, "those of the other incidents")
	})
}
