package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/quantivista/monitoring/internal/alert"
)

// serviceLabels name the service of an alert; the first that it has counts. Prometheus names services by job, and
// OpenTelemetry by service.name.
var serviceLabels = []string{"service", "service_name", "service.name", "job"}

// serviceOf gives the name of the service that an alert is about; empty where it does not say.
func serviceOf(a *alert.Alert) string {
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
// in serviceOf. An alert with none of them shares its name only: things that say nothing about where they happen
// have nothing in common.
func shared(a *alert.Alert, labels []string) map[string]string {
	values := make(map[string]string, len(labels))
	for _, label := range labels {
		value := a.Labels[label]
		if label == serviceLabels[0] {
			value = serviceOf(a)
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
func keyOf(a *alert.Alert, labels []string) string {
	key, err := json.Marshal(shared(a, labels))
	if err != nil { // a map of strings always marshals
		return ""
	}
	if len(key) > maxKeyLength {
		sum := sha256.Sum256(key)
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return string(key)
}
