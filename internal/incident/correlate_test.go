package incident_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

func TestLifeOfAnIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		slow := firing("Slow", alert.Medium, time.Now())
		assert.Equal(t, incident.Outcome{AlertsFired: 1, Opened: 1}, b.handle(slow))
		in := b.only()
		assert.Equal(t, "Slow on cart", in.Title)
		assert.Equal(t, "It hurts", in.Description)
		assert.Equal(t, []any{alert.Medium, incident.Open, []string{"cart"}, 1}, []any{in.Severity, in.Status, in.AffectedServices, in.AlertCount})

		pass(time.Minute)
		down := firing("Down", alert.Critical, time.Now())
		assert.Equal(t, incident.Outcome{AlertsFired: 1, Escalated: 1}, b.handle(down))
		assert.Equal(t, alert.Critical, b.only().Severity)

		pass(time.Minute)
		assert.Equal(t, incident.Outcome{AlertsResolved: 1}, b.handle(resolved(down)))
		assert.Equal(t, alert.Critical, b.only().Severity, "it never falls by itself")
		assert.Equal(t, incident.Outcome{AlertsResolved: 1, Mitigated: 1}, b.handle(resolved(slow)))
		assert.Equal(t, incident.Mitigated, b.only().Status)

		pass(incident.DefaultQuietPeriod)
		assert.Zero(t, b.sweep())
		pass(time.Second)
		assert.Equal(t, incident.Outcome{Resolved: 1}, b.sweep())
		assert.Zero(t, b.sweep())
		in = b.only()
		assert.Equal(t, incident.Resolved, in.Status)

		var told []string
		for i, e := range b.timeline(in.ID) {
			assert.EqualValues(t, i+1, e.Sequence)
			assert.Equal(t, incident.Author, e.CreatedBy)
			told = append(told, string(e.Type)+": "+e.Content)
		}
		assert.Equal(t, []string{
			"system: Incident opened with severity 'medium'",
			"alert: Slow began to fire",
			"alert: Down began to fire",
			"system: Severity raised from 'medium' to 'critical'",
			"alert: Down was resolved",
			"alert: Slow was resolved",
			"status_change: Status changed from 'open' to 'mitigated': all alerts are resolved",
			"status_change: Status changed from 'mitigated' to 'resolved': no alert fired for 10m0s",
		}, told)
		metadata := b.timeline(in.ID)[6].Metadata
		assert.Equal(t, []any{"open", "mitigated"}, []any{metadata["oldStatus"], metadata["newStatus"]})
	})
}

func TestAlertThatComesBack(t *testing.T) {
	for name, c := range map[string]struct {
		after     time.Duration
		sweep     bool
		incidents int
		outcome   incident.Outcome
	}{
		"while mitigated":          {time.Minute, false, 1, incident.Outcome{AlertsFlapped: 1, Reopened: 1}},
		"within the reopen window": {time.Hour, true, 1, incident.Outcome{AlertsFired: 1, Reopened: 1}},
		"too late":                 {2 * time.Hour, true, 2, incident.Outcome{AlertsFired: 1, Opened: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				slow := firing("Slow", alert.Medium, time.Now())
				b.handle(slow)
				b.handle(resolved(slow))
				if c.sweep {
					pass(11 * time.Minute)
					require.Equal(t, 1, b.sweep().Resolved)
				}
				pass(c.after)
				assert.Equal(t, c.outcome, b.handle(firing("Slow", alert.Medium, time.Now())))
				all := b.incidents()
				require.Len(t, all, c.incidents)
				assert.Equal(t, incident.Open, all[0].Status)
			})
		})
	}
}

func TestSeverityDecidesWhatOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		assert.Equal(t, incident.Outcome{AlertsFired: 1}, b.handle(firing("Low", alert.Low, time.Now())))
		assert.Empty(t, b.incidents())
		b.handle(firing("Other", alert.Info, time.Now()), firing("Slow", alert.High, time.Now()))
		assert.Equal(t, 3, b.only().AlertCount, "lesser alerts of the key join, also the one before")
		assert.Equal(t, "Slow on cart", b.only().Title)

		minor := firing("Minor", alert.Low, time.Now(), "service", "shop")
		b.handle(minor)
		minor.Severity, minor.UpdatedAt = alert.Critical, time.Now().Add(time.Second)
		assert.Equal(t, incident.Outcome{AlertsWorsened: 1, Opened: 1}, b.handle(minor))
	})
}

func TestLesserAlertsThatFiredBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		low, over := firing("Low", alert.Low, time.Now()), firing("Over", alert.Low, time.Now())
		b.handle(low, over, firing("Low", alert.Low, time.Now(), "namespace", "a"), firing("Low", alert.Low, time.Now(), "service", "shop"))
		b.handle(resolved(over))
		pass(time.Minute)
		slow := firing("Slow", alert.High, time.Now())
		b.handle(slow)
		assert.Equal(t, 2, b.only().AlertCount, "of the same key, and still firing")
		told := b.timeline(b.only().ID)
		assert.Equal(t, "Low joined, which has fired since 2000-01-01T00:00:00Z", told[2].Content)
		assert.Equal(t, []any{"firing", "firing", "low"}, []any{told[2].Metadata["oldStatus"], told[2].Metadata["newStatus"], told[2].Metadata["newSeverity"]})

		b.handle(resolved(slow))
		assert.Equal(t, incident.Open, b.only().Status, "the lesser one fires")
		b.handle(resolved(low))
		pass(11 * time.Minute)
		b.sweep()
		later := firing("Later", alert.Info, time.Now())
		b.handle(later)
		assert.Equal(t, incident.Resolved, b.only().Status)
		assert.Equal(t, incident.Outcome{AlertsFired: 1, Reopened: 1}, b.handle(firing("Down", alert.High, time.Now())))
		assert.Equal(t, 4, b.only().AlertCount, "reopened as well")
	})
}

func TestAlertThatFiredOnWhenItsIncidentWasResolvedByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.handle(firing("Down", alert.Critical, time.Now()))
		require.NoError(t, b.store.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
			in := b.only().Incident
			in.Status = incident.Resolved
			_, err := tx.UpdateIncident(ctx, in)
			return err
		}))
		pass(2 * time.Hour)
		b.handle(firing("Slow", alert.Medium, time.Now()))
		in := b.incidents()[0]
		assert.Equal(t, []any{2, alert.Critical}, []any{in.AlertCount, in.Severity})
	})
}

func TestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for _, labels := range [][]string{
			{}, {"service", "", "job", "cart"}, {"service", "", "service_name", "cart"}, // one
			{"cluster", "eu"}, {"namespace", "eu"}, // one each
			{"service", ""}, {"service", "", "instance", "a"}, // one, by the name of the alert
		} {
			b.handle(firing("Slow", alert.High, time.Now(), labels...))
		}
		b.handle(firing("Down", alert.High, time.Now(), "service", ""))
		b.handle(firing("Slow", alert.High, time.Now(), "service", string(make([]byte, 10_000))))
		var counts []int
		for _, in := range b.incidents() {
			counts = append(counts, in.AlertCount)
		}
		assert.ElementsMatch(t, []int{3, 1, 1, 2, 1, 1}, counts)
	})
}

func TestPeopleDecide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		slow := firing("Slow", alert.High, time.Now())
		b.handle(slow)
		setStatus := func(status incident.Status) {
			require.NoError(t, b.store.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
				in := b.only().Incident
				in.Status = status
				_, err := tx.UpdateIncident(ctx, in)
				return err
			}))
		}
		setStatus(incident.Mitigated)
		pass(time.Hour)
		assert.Zero(t, b.sweep(), "an alert still fires")
		assert.Zero(t, b.handle(slow))
		assert.Equal(t, incident.Outcome{AlertsResolved: 1}, b.handle(resolved(slow)))
		assert.Zero(t, b.sweep(), "the quiet period begins with the end of the last alert")
		setStatus(incident.Resolved)
		assert.Zero(t, b.handle(resolved(slow)))
		assert.Equal(t, incident.Resolved, b.only().Status)
	})
}

func TestEndedBeforeItWasKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		slow := firing("Slow", alert.High, time.Now())
		pass(time.Minute)
		assert.Equal(t, incident.Outcome{AlertsFired: 1, AlertsResolved: 1, Opened: 1, Mitigated: 1}, b.handle(slow, resolved(slow)))
		assert.Equal(t, incident.Mitigated, b.only().Status)
		before := b.timeline(b.only().ID)
		assert.Zero(t, b.handle(slow, resolved(slow)))
		assert.Zero(t, b.handle(slow))
		assert.Equal(t, before, b.timeline(b.only().ID), "a replay tells nothing twice")
	})
}

func TestTitles(t *testing.T) {
	for _, bad := range []string{"{{", "{{ .Nope }}", "{{ index .Labels 1 2 }}", " "} {
		_, err := incident.ParseTitle(bad)
		assert.Error(t, err, bad)
	}
	title, err := incident.ParseTitle("{{ .Severity }}:\n{{ .Labels.team }} {{ slice .Service 0 3 }}")
	require.NoError(t, err)
	a := firing("Slow", alert.High, time.Now(), "team", "a")
	assert.Equal(t, "high: a car", title.Title(&a))
	a.Labels["service"] = "x"
	assert.Equal(t, "Slow", title.Title(&a), "the template fails on this one")
}
