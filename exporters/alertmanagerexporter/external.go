package alertmanagerexporter

import (
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/notifier"

	"github.com/quantivista/monitoring/internal/alert"
)

// toExternal gives Prometheus' form. The end of one that fires is its expiry. Without one each Alertmanager ends it after
// its resolve_timeout, unless it is reported again.
func toExternal(alerts []alert.Alert) []*notifier.Alert {
	converted := make([]*notifier.Alert, len(alerts))
	for i := range alerts {
		a := &alerts[i]
		converted[i] = &notifier.Alert{
			Labels: labels.FromMap(a.Labels), Annotations: labels.FromMap(a.Annotations),
			StartsAt: a.StartsAt, EndsAt: a.EndsAt, GeneratorURL: a.GeneratorURL,
		}
		if a.Status == alert.Firing {
			converted[i].EndsAt = a.ExpiresAt
		}
	}
	return converted
}
