package incident

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quantivista/monitoring/internal/alert"
)

// Raise makes an incident as severe as what it takes over, and gives the event that tells it; none where it is so
// already. An incident never becomes less severe by itself.
func (in *Incident) Raise(by string, severity alert.Severity) []TimelineEvent {
	if !severity.Worse(in.Severity) {
		return nil
	}
	from := in.Severity
	in.Severity = severity
	return []TimelineEvent{{
		IncidentID: in.ID, Type: System, CreatedBy: by, Content: fmt.Sprintf("Severity raised from '%s' to '%s'", from, severity),
		Metadata: map[string]any{"oldSeverity": string(from), "newSeverity": string(severity)},
	}}
}

// AddServices adds services to those that an incident affects, and gives the event that tells it; none where it has
// them already. Empty names are no services.
func (in *Incident) AddServices(by string, names []string) []TimelineEvent {
	before := in.AffectedServices
	after := sortedOnce(slices.Concat(before, names))
	if len(after) <= len(before) {
		return nil
	}
	in.AffectedServices = after
	added := slices.DeleteFunc(slices.Clone(after), func(name string) bool { return slices.Contains(before, name) })
	return []TimelineEvent{{
		IncidentID: in.ID, Type: System, CreatedBy: by, Content: "Affected services added: " + strings.Join(added, ", "),
		Metadata: map[string]any{"oldAffectedServices": slices.Clone(before), "newAffectedServices": slices.Clone(after)},
	}}
}

// sortedOnce gives names sorted, each once, without the empty one.
func sortedOnce(names []string) []string {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	slices.Sort(names)
	return slices.Compact(names)
}
