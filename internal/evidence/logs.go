package evidence

import (
	"context"

	"github.com/quantivista/monitoring/internal/logpattern"
)

// logsOf gives the patterns of the error lines of the affected services.
func logsOf(ctx context.Context, source LogSource, c *Case, windows []Window, b *Budget) (Evidence, error) {
	var found Evidence
	for _, service := range first(c.Incident.AffectedServices, b.Services) {
		for _, w := range windows {
			lines, err := source.ErrorLines(ctx, service, w, b.LogLines)
			if err != nil {
				return found, err
			}
			found.Logs = append(found.Logs, patterns(service, lines, len(lines) >= b.LogLines)...)
		}
	}
	return found, nil
}

// patterns counts lines. Where there are more than were looked at, the counts are the least.
func patterns(service string, lines []LogLine, more bool) []LogPattern {
	place := map[string]int{}
	var all []LogPattern
	for i := range lines {
		line := &lines[i]
		pattern := logpattern.Of(line.Text)
		at, known := place[pattern]
		if !known {
			at = len(all)
			place[pattern] = at
			all = append(all, LogPattern{Service: service, Pattern: pattern, FirstSeen: line.At, LastSeen: line.At, AtLeast: more})
			all[at].exemplify(line)
		}
		p := &all[at]
		p.Count++
		if line.At.Before(p.FirstSeen) {
			p.FirstSeen = line.At
		}
		if line.At.After(p.LastSeen) {
			p.LastSeen = line.At
		}
		if p.TraceID == "" && normalID(line.TraceID) != "" {
			p.exemplify(line) // it leads to a trace
		}
	}
	return all
}

// exemplify has a line stand for the pattern.
func (p *LogPattern) exemplify(line *LogLine) {
	p.Severity, p.Example, p.Labels, p.TraceID = clip(line.Severity), clip(line.Text), clipAll(line.Labels), normalID(line.TraceID)
}
