package incident_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// cases draws an alert and whatever acknowledgements there can be of it.
func cases(t *rapid.T, now time.Time) incident.Case {
	severity := func(label string) alert.Severity { return rapid.SampledFrom(alert.Severities()).Draw(t, label) }
	around := func(label string) time.Time {
		return now.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, label)) * time.Hour)
	}
	acknowledgement := func(label string) *incident.Acknowledgement {
		if !rapid.Bool().Draw(t, label) {
			return nil
		}
		a := &incident.Acknowledgement{By: label, At: around("at"), Severity: severity("then"), Flaps: rapid.IntRange(0, 2).Draw(t, "flaps")}
		if rapid.Bool().Draw(t, "expires") {
			a.ExpiresAt = around("expires at")
		}
		if rapid.IntRange(0, 3).Draw(t, "ended") == 0 {
			a.EndedAt = around("ended at")
		}
		return a
	}
	var c incident.Case
	c.Alert = alert.Record{ID: "a", Alert: alert.Alert{Status: rapid.SampledFrom([]alert.Status{alert.Firing, alert.Resolved}).Draw(t, "status"), Severity: severity("now")}}
	for i := range rapid.IntRange(1, 3).Draw(t, "periods") {
		start := now.Add(time.Duration(i-10) * time.Hour)
		c.Alert.Periods = append(c.Alert.Periods, alert.Period{Start: start, End: start.Add(time.Minute), Reported: start})
	}
	if c.Own = acknowledgement("own"); c.Own != nil {
		c.Own.AlertID = "a"
	}
	if rapid.Bool().Draw(t, "in an incident") {
		c.Incident = &incident.Incident{ID: "i", Status: rapid.SampledFrom(incident.Statuses()).Draw(t, "incident's status"), Severity: severity("incident's")}
		c.LinkedAt = around("linked")
		if c.IncidentsOwn = acknowledgement("incident's own"); c.IncidentsOwn != nil {
			c.IncidentsOwn.IncidentID = "i"
		}
	}
	return c
}

func TestWhatAnAcknowledgementHoldsFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		c := cases(t, now)
		got := c.Acknowledged(now)
		if got == nil {
			return
		}
		switch {
		case c.Alert.Status != alert.Firing,
			!got.EndedAt.IsZero(),
			!got.ExpiresAt.IsZero() && !now.Before(got.ExpiresAt),
			got == c.Own && (c.Alert.Severity.Worse(got.Severity) || c.Alert.Flaps() > got.Flaps),
			got == c.IncidentsOwn && (c.Incident.Status == incident.Resolved || c.Incident.Severity.Worse(got.Severity) || c.LinkedAt.After(got.At)):
			t.Fatalf("%+v holds for %+v", got, c)
		}
		// Neither time nor what happens lets one hold again that does not.
		later := now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "later")) * time.Hour)
		if then := c.Acknowledged(later); then != nil && then != got {
			if got.ExpiresAt.IsZero() || later.Before(got.ExpiresAt) {
				t.Fatalf("%+v gave way to %+v", got, then)
			}
		}
		worse := c
		worse.Alert.Severity = alert.Critical
		if then := worse.Acknowledged(now); then == c.Own && c.Own != nil && c.Own.Severity != alert.Critical {
			t.Fatalf("%+v holds for a critical alert", then)
		}
	})
}

// acknowledgedReader counts how often it is asked.
type acknowledgedReader struct {
	incident.AcknowledgementReader
	asked int
	err   error
	cases []incident.Case
}

func (r *acknowledgedReader) AcknowledgedCases(context.Context) ([]incident.Case, error) {
	r.asked++
	return r.cases, r.err
}

func TestAcknowledgedAlertsAreAskedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		record := alert.Record{ID: "a", Alert: firing("Slow", alert.High, start), Periods: []alert.Period{{Start: start, Reported: start}}}
		reader := &acknowledgedReader{cases: []incident.Case{{
			Alert: record, Own: &incident.Acknowledgement{AlertID: "a", By: "ada", Severity: alert.High, ExpiresAt: start.Add(1500 * time.Millisecond)},
		}}}
		acknowledged := incident.AcknowledgedAlerts{Reader: reader, MaxAge: 2 * time.Second, Now: time.Now}
		by := func() string {
			a, err := acknowledged.Of(t.Context(), record.Fingerprint())
			require.NoError(t, err)
			if a == nil {
				return ""
			}
			return a.By
		}
		assert.Equal(t, "ada", by())
		pass(time.Second)
		assert.Equal(t, "ada", by())
		pass(500 * time.Millisecond)
		assert.Empty(t, by(), "it expires on time")
		assert.Equal(t, 1, reader.asked)
		none, err := acknowledged.Of(t.Context(), "other")
		require.NoError(t, err)
		assert.Nil(t, none)
		pass(500 * time.Millisecond)
		reader.err = errors.New("away")
		_, err = acknowledged.Of(t.Context(), record.Fingerprint())
		require.ErrorIs(t, err, reader.err)
		reader.err = nil
		by()
		assert.Equal(t, 3, reader.asked)
	})
}
