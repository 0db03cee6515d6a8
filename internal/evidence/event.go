package evidence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quantivista/monitoring/internal/incident"
)

// tell gives the event that evidence was collected, once there is some; nil for none. It is told once.
func (c *Collection) tell(e *Evidence) *incident.TimelineEvent {
	counts := e.Counts()
	if c.Told || counts.Total() == 0 {
		return nil
	}
	c.Told = true
	content := fmt.Sprintf("Evidence collected: %s, %s, %s",
		several(counts.Metrics, "metric"), several(counts.Traces, "trace"), several(counts.LogPatterns, "log pattern"))
	metadata := map[string]any{"metrics": counts.Metrics, "traces": counts.Traces, "logPatterns": counts.LogPatterns}
	var away []string
	for source, state := range c.Sources {
		if state.Away() {
			away = append(away, string(source))
		}
	}
	if len(away) > 0 {
		slices.Sort(away)
		content += "; " + strings.Join(away, " and ") + " could not be asked"
		metadata["away"] = away
	}
	return &incident.TimelineEvent{IncidentID: c.IncidentID, Type: incident.System, CreatedBy: incident.Author, Content: content, Metadata: metadata}
}

func several(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
