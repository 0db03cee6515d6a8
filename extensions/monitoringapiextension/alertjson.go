package monitoringapiextension

import (
	"math"
	"time"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
)

// toAlert leaves out a value that JSON cannot write.
func toAlert(r *alert.Record) api.Alert {
	answer := api.Alert{
		ID: r.ID, Name: r.Name(), Description: given(r.Description()),
		Severity: api.AlertSeverity(r.Severity), Status: api.AlertStatus(r.Status),
		StartsAt: stored(r.StartsAt), EndsAt: given(stored(r.EndsAt)), Labels: &r.Labels, GeneratorURL: given(r.GeneratorURL),
	}
	if r.Status == alert.Firing {
		answer.ExpiresAt = given(stored(r.ExpiresAt))
	}
	if len(r.Annotations) > 0 {
		answer.Annotations = &r.Annotations
	}
	if r.Value != nil && !math.IsNaN(*r.Value) && !math.IsInf(*r.Value, 0) {
		answer.Value = r.Value
	}
	return answer
}

// stored gives a time as it is stored, so that an alert is told the same before and after it was read.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
