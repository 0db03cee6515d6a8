package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"github.com/quantivista/monitoring/internal/alert"
)

// serviceLabels name the service of an alert; the first that it has counts. Prometheus names services by job, and
// OpenTelemetry by service.name.
var serviceLabels = []string{"service", "service_name", "service.name", "job"}

// ServiceOf gives the name of the service that an alert is about; empty where it does not say.
func ServiceOf(a *alert.Alert) string {
	for _, label := range serviceLabels {
		if name := a.Labels[label]; name != "" {
			return name
		}
	}
	return ""
}

// maxKeyLength holds a key below what a database index takes, by far.
const maxKeyLength = 512

// shared gives the labels of an alert that it is correlated by, without those that it lacks. "service" falls back as
// in ServiceOf. An alert with none of them shares its name only: things that say nothing about where they happen
// have nothing in common.
func shared(a *alert.Alert, labels []string) map[string]string {
	values := make(map[string]string, len(labels))
	for _, label := range labels {
		value := a.Labels[label]
		if label == serviceLabels[0] {
			value = ServiceOf(a)
		}
		if value != "" {
			values[label] = value
		}
	}
	if len(values) == 0 {
		values["alertname"] = a.Name()
	}
	return values
}

// keyOf gives the correlation key of an alert: its shared labels as JSON, or a hash of them where they are long.
func keyOf(a *alert.Alert, labels []string) string { return keyWith(shared(a, labels)) }

func keyWith(labels map[string]string) string {
	key, err := json.Marshal(labels)
	if err != nil { // a map of strings always marshals
		return ""
	}
	if len(key) > maxKeyLength {
		sum := sha256.Sum256(key)
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return string(key)
}

// Shared selects alerts that may be of one correlation key: all that are, and some that have further labels.
type Shared struct {
	// Service is the service that the alerts are about, empty for none; nil where that does not matter.
	Service *string
	// Labels are those that the alerts have.
	Labels []alert.Matcher
}

// maxSharedLabels bounds the search for alerts of a key.
const maxSharedLabels = 16

// siblingsOf selects the alerts that share a's key, and maybe more.
func siblingsOf(a *alert.Alert, labels []string) Shared {
	var s Shared
	values := shared(a, labels)
	if slices.Contains(labels, serviceLabels[0]) {
		s.Service = new(ServiceOf(a))
		delete(values, serviceLabels[0])
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(s.Labels) < maxSharedLabels {
			s.Labels = append(s.Labels, alert.Matcher{Name: name, Op: alert.MatchEqual, Value: values[name]})
		}
	}
	return s
}
