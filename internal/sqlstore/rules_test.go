package sqlstore

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/servicehealth"
	"github.com/quantivista/monitoring/internal/state"
)

func newRule(name string) rule.Rule {
	return rule.Rule{
		Name: name, Description: "It's", Query: `up{job="a"} == 0`, Duration: "5m", Labels: map[string]string{"team": "a"},
		Annotations: map[string]string{"summary": "{{ $labels.job }}"}, Severity: alert.High, Enabled: true,
		CreatedBy: "me@example.com", EvaluationInterval: "15s",
	}
}

func TestRules(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		s.now = func() time.Time { return noon }
		revision, err := s.RulesRevision(t.Context())
		require.NoError(t, err)
		changed := func(what string) {
			t.Helper()
			now, err := s.RulesRevision(t.Context())
			require.NoError(t, err)
			assert.Greater(t, now, revision, what)
			revision = now
		}
		want := newRule("b")
		created, err := s.CreateRule(t.Context(), want)
		require.NoError(t, err)
		want.ID, want.CreatedAt, want.UpdatedAt, want.Version = created.ID, noon, noon, 1
		assert.Equal(t, want, created)
		changed("create")
		got, err := s.Rule(t.Context(), created.ID)
		require.NoError(t, err)
		assert.Equal(t, rule.Summary{Rule: want}, got)

		edited := created
		edited.Name, edited.CreatedBy = "a", "another"
		edited, err = s.UpdateRule(t.Context(), edited)
		require.NoError(t, err)
		assert.EqualValues(t, 2, edited.Version)
		assert.Equal(t, "me@example.com", edited.CreatedBy)
		changed("update")
		_, err = s.UpdateRule(t.Context(), created)
		require.ErrorIs(t, err, state.ErrVersion)

		other, err := s.CreateRule(t.Context(), newRule("c"))
		require.NoError(t, err)
		off, err := s.SetRuleEnabled(t.Context(), other.ID, 0, false)
		require.NoError(t, err)
		assert.False(t, off.Enabled)
		changed("disable")
		enabled, at, err := s.EnabledRules(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []rule.Rule{edited}, enabled)
		assert.Equal(t, revision, at)

		fires := firing(noon, noon)
		fires.RuleID = edited.ID
		intake(t, s, fires)
		list, err := s.Rules(t.Context(), rule.Query{Page: state.Page{Limit: 1}})
		require.NoError(t, err)
		require.Len(t, list.Rules, 1)
		assert.Equal(t, rule.Summary{Rule: edited, FiringAlerts: 1, LastTriggeredAt: noon}, list.Rules[0])
		list, err = s.Rules(t.Context(), rule.Query{Page: state.Page{Limit: 1, After: list.Next}})
		require.NoError(t, err)
		assert.Equal(t, other.ID, list.Rules[0].ID)
		assert.Empty(t, list.Next)
		yes := true
		list, err = s.Rules(t.Context(), rule.Query{Enabled: &yes, Severity: alert.High})
		require.NoError(t, err)
		assert.Len(t, list.Rules, 1)

		require.ErrorIs(t, s.DeleteRule(t.Context(), edited.ID, 1), state.ErrVersion)
		require.NoError(t, s.DeleteRule(t.Context(), edited.ID, edited.Version))
		changed("delete")
		_, err = s.Rule(t.Context(), edited.ID)
		require.ErrorIs(t, err, state.ErrNotFound)
		require.ErrorIs(t, s.DeleteRule(t.Context(), edited.ID, 0), state.ErrNotFound)
		_, err = s.SetRuleEnabled(t.Context(), "x", 0, true)
		require.ErrorIs(t, err, state.ErrNotFound)
	})
}

func TestInvalidRuleIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		r := newRule(strings.Repeat("x", 256))
		_, err := s.CreateRule(t.Context(), r)
		require.ErrorIs(t, err, state.ErrInvalid)
		var field *rule.FieldError
		require.ErrorAs(t, err, &field)
		assert.Equal(t, "name", field.Field)
	})
}

func TestHealth(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		response := 250.0
		api := servicehealth.Record{
			ID: newID(), Name: "api", Status: servicehealth.Degraded, LastCheck: noon, Uptime: time.Hour, ResponseTime: &response,
			Metrics: map[string]float64{"cpu_usage_percent": 85.5, "p95_latency_ms": 180.4},
		}
		db := servicehealth.Record{ID: newID(), Name: "db", Status: servicehealth.Healthy, LastCheck: noon, Metrics: map[string]float64{}}
		require.NoError(t, s.SaveHealth(t.Context(), []servicehealth.Record{db, api}))
		critical := firing(noon, noon, "service", "api")
		critical.Severity = alert.Critical
		intake(t, s, critical, firing(noon, noon, "job", "api"), resolved(noon, noon, noon, "service", "db"))
		older := api
		older.Status, older.LastCheck = servicehealth.Unhealthy, noon.Add(-time.Minute)
		require.NoError(t, s.SaveHealth(t.Context(), []servicehealth.Record{older}))
		require.NoError(t, s.SaveHealth(t.Context(), nil))
		api.ActiveAlerts, api.CriticalAlerts = 2, 1
		got, err := s.Health(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []servicehealth.Record{api, db}, got)
	})
}

// TestReadSide reads the specification's read models by their columns.
func TestReadSide(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.SaveHealth(t.Context(), []servicehealth.Record{{ID: newID(), Name: "api", Status: servicehealth.Healthy, LastCheck: noon,
			Metrics: map[string]float64{"p95_latency_ms": 180.4}}}))
		start := time.Now().Add(-time.Hour)
		intake(t, s, firing(start, start, "service", "api", "instance", "i"))
		_, err := s.CreateRule(t.Context(), newRule("a"))
		require.NoError(t, err)
		for view, columns := range map[string]string{
			"active_alerts_view":  "id, name, severity, status, service_name, instance_name, value, starts_at, duration_seconds, has_incident",
			"service_status_view": "id, name, status, last_check, uptime_seconds, response_time_ms, cpu_usage_percent, memory_usage_percent, request_rate, error_rate, p95_latency_ms, active_alert_count, critical_alert_count",
			"incidents_view":      "id, title, severity, status, created_at, duration_minutes, created_by_name, assigned_to_name, affected_service_count, related_alert_count, timeline_event_count, last_update_at",
			"alert_rules_view":    "id, name, severity, enabled, created_by_name, firing_alert_count, last_triggered_at, evaluation_interval",
		} {
			_, err := s.db.ExecContext(t.Context(), "SELECT "+columns+" FROM "+view)
			require.NoError(t, err, view)
		}
		var seconds int
		require.NoError(t, s.db.NewSelect().Table("active_alerts_view").Column("duration_seconds").Scan(t.Context(), &seconds))
		assert.InDelta(t, 3600, seconds, 60)
		var latency int
		require.NoError(t, s.db.NewSelect().Table("service_status_view").Column("p95_latency_ms").Scan(t.Context(), &latency))
		assert.Equal(t, 180, latency)
	})
}
