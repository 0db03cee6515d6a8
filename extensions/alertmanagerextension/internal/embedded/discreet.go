package embedded

import (
	"context"
	"regexp"
	"strings"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
)

// discreet keeps secrets out of what an integration says when it fails: the text goes into logs, the send ledger and
// answers of the API. Integrations that have their token in a URL tell it.
type discreet struct {
	inner  notify.Notifier
	redact func(string) string
}

// Notify implements notify.Notifier.
func (d *discreet) Notify(ctx context.Context, alerts ...*types.Alert) (bool, error) {
	retry, err := d.inner.Notify(ctx, alerts...)
	if err == nil {
		return retry, nil
	}
	return retry, &redactedError{cause: err, text: brief(d.redact(err.Error()))}
}

// longest is how much of an answer is told, in bytes: servers send whole pages.
const longest = 1000

func brief(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// redactedError has another text than its cause.
type redactedError struct {
	cause error
	text  string
}

// Error is without secrets.
func (e *redactedError) Error() string { return e.text }

// Unwrap gives the cause to those who look for its kind.
func (e *redactedError) Unwrap() error { return e.cause }

// anyURL is cut behind its host: a path or a query may be a secret, and come from a file that is not known here.
var anyURL = regexp.MustCompile(`(https?://)(?:[^\s/@"']*@)?([^\s/?#"']*)[^\s"']*`)

// redact takes secrets out of a text.
func (c *Configuration) redact(text string) string {
	return anyURL.ReplaceAllString(redact(c.nodes(), text), "$1$2/<redacted>")
}
