package incident

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/quantivista/monitoring/internal/alert"
)

// DefaultTitle is the template of titles that is used unless another is configured.
const DefaultTitle = "{{ .Name }}{{ with .Service }} on {{ . }}{{ end }}"

// TitleTemplate makes the title of an incident from the alert that it is opened for.
type TitleTemplate struct{ template *template.Template }

// titleData is what a template of titles knows.
type titleData struct {
	Name, Service, Severity string
	Labels, Annotations     map[string]string
}

// ParseTitle reads a Go text/template over .Name, .Service, .Severity, .Labels and .Annotations. A label that an
// alert lacks is empty.
func ParseTitle(text string) (*TitleTemplate, error) {
	parsed, err := template.New("title").Option("missingkey=zero").Parse(text)
	if err != nil {
		return nil, err
	}
	t := &TitleTemplate{parsed}
	title, err := t.execute(&alert.Alert{Labels: map[string]string{"alertname": "Example", "service": "example"}, Severity: alert.High})
	switch {
	case err != nil:
		return nil, err
	case title == "":
		return nil, errors.New("it must not give an empty title")
	default:
		return t, nil
	}
}

// Title gives one line. It is the alert's name where the template gives nothing or fails on this alert.
func (t *TitleTemplate) Title(a *alert.Alert) string {
	title, err := t.execute(a)
	if err != nil || title == "" {
		title = a.Name()
	}
	if utf8.RuneCountInString(title) > maxTitle {
		return string([]rune(title)[:maxTitle-1]) + "…"
	}
	return title
}

// maxTitle is how many characters a title may have.
const maxTitle = 255

func (t *TitleTemplate) execute(a *alert.Alert) (string, error) {
	var text strings.Builder
	err := t.template.Execute(&text, titleData{
		Name: a.Name(), Service: ServiceOf(a), Severity: string(a.Severity), Labels: a.Labels, Annotations: a.Annotations,
	})
	if err != nil {
		return "", fmt.Errorf("cannot be filled in: %w", err)
	}
	return strings.Join(strings.Fields(text.String()), " "), nil
}
