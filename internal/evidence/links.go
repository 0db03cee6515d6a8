package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"text/template"
	"time"
)

// LinkTemplates are Go text/templates of links to where there is more; empty for none.
type LinkTemplates struct{ Metric, Trace, Logs string }

// LinkData is what a template of links knows. What does not apply is empty.
type LinkData struct {
	IncidentID, Service string
	// Query and Expression are PromQL of a metric.
	Query, Expression string
	TraceID           string
	// Pattern is that of log lines.
	Pattern string
	// Start and End are of the time that was looked at.
	Start, End time.Time
}

// Links fills in templates. It is safe for concurrent use.
type Links struct{ metric, trace, logs *template.Template }

// ParseLinks reads templates and tries them. Its errors name the key that is at fault.
func ParseLinks(t LinkTemplates) (*Links, error) {
	var l Links
	var errs []error
	for _, one := range []struct {
		key, text string
		into      **template.Template
	}{{"metric", t.Metric, &l.metric}, {"trace", t.Trace, &l.trace}, {"logs", t.Logs, &l.logs}} {
		if one.text == "" {
			continue
		}
		parsed, err := parseLink(one.text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%q must be a Go text/template of a URL, such as http://localhost:16686/trace/{{ .TraceID }}: %w", one.key, err))
		}
		*one.into = parsed
	}
	return &l, errors.Join(errs...)
}

var linkFunctions = template.FuncMap{
	// json writes a text as JSON does, for links that carry JSON, as Grafana's do.
	"json": func(v any) (string, error) {
		data, err := json.Marshal(v)
		return string(data), err
	},
}

func parseLink(text string) (*template.Template, error) {
	parsed, err := template.New("link").Funcs(linkFunctions).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	now := time.Unix(1_800_000_000, 0)
	link, err := fill(parsed, &LinkData{
		IncidentID: "0197911e-91f0-7c7e-b3a5-6f0c1f6f4a11", Service: "shop", Query: "up", Expression: "up == 0",
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Pattern: "order <_> failed", Start: now.Add(-time.Hour), End: now,
	})
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(link); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("it gives %q, which is no http or https URL", link)
	}
	return parsed, nil
}

func fill(t *template.Template, data *LinkData) (string, error) {
	var b strings.Builder
	err := t.Execute(&b, data)
	return b.String(), err
}

// Metric gives a link; empty where no template is configured, or it fails on this.
func (l *Links) Metric(data *LinkData) string { return l.link(l.metric, data) }

// Trace is as Metric.
func (l *Links) Trace(data *LinkData) string { return l.link(l.trace, data) }

// Logs is as Metric.
func (l *Links) Logs(data *LinkData) string { return l.link(l.logs, data) }

func (*Links) link(t *template.Template, data *LinkData) string {
	if t == nil {
		return ""
	}
	link, err := fill(t, data)
	if err != nil {
		return ""
	}
	return link
}
