package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/deploy/stack/demo"
)

// TestTheStackExplainsAFailure is what `make stack` shows, with its very files: the shop is told to fail, somebody is paged,
// and the incident has the metric, the trace and the log line that explain it; healed, it ends.
func TestTheStackExplainsAFailure(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(stack, name))
		require.NoError(t, err)
		return string(data)
	}
	control := fmt.Sprintf("localhost:%d", freePort(t))
	routes := filepath.Join(t.TempDir(), "alertmanager.yml")
	require.NoError(t, os.WriteFile(routes, []byte(strings.ReplaceAll(read("alertmanager.yml"), "localhost:8070", control)), 0o600))
	rules, err := filepath.Abs(filepath.Join(stack, "rules.yaml"))
	require.NoError(t, err)
	j, l := startJaeger(t), startLoki(t)
	c := startCollector(t, allInOne, withOverlay(read("collector.yaml")), withJaeger(j),
		withEnv("LOKI_ENDPOINT="+l.endpoint(), "RULE_FILES="+rules, "ALERTMANAGER_CONFIG="+routes))

	pages := make(chan demo.Notification, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, demo.Config{
			OTLP: fmt.Sprintf("localhost:%d", c.otlpGRPC), Control: control, Every: 200 * time.Millisecond,
			Page: func(n demo.Notification) { pages <- n },
		})
	}()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	tell := func(what string) {
		await(t, what, func() error {
			status, _, err := tryRequest(http.MethodPost, "http://"+control+"/"+what, "", nil)
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("the shop answers %d", status)
			}
			return err
		})
	}
	awaitPage := func(status string) {
		await(t, "a page: "+status, func() error {
			select {
			case n := <-pages:
				if n.Status != status {
					return fmt.Errorf("the last one is %q", n.Status)
				}
				return nil
			default:
				return errors.New("there is none")
			}
		})
	}
	tell("fail")
	awaitPage("firing")
	in := c.awaitIncident("open", "firing", "firing", "firing")
	assert.Equal(t, "HTTPErrorsHigh on payments", in.Title, "of three services that fail, the one that the others call")
	assert.ElementsMatch(t, []string{"shop", "orders", "payments"}, in.AffectedServices)
	await(t, "the metric, the trace and the log line that explain it", func() error {
		kept, err := c.evidence(in.ID)
		if err != nil {
			return err
		}
		return kept.explains("HTTPErrorsHigh", "payments", "The card processor cannot be reached")
	})
	tell("heal")
	awaitPage("resolved")
	c.awaitIncident("mitigated", "resolved", "resolved", "resolved")
}

// explains gives an error unless there are a metric of the alert, a failed trace through a service, and a line.
func (e *keptEvidence) explains(alertName, service, line string) error {
	var missed []string
	if len(e.Metrics) == 0 || e.Metrics[0].AlertName != alertName || len(e.Metrics[0].Series) == 0 {
		missed = append(missed, "metric")
	}
	failed := false
	for _, trace := range e.Traces {
		for _, failure := range trace.Failures {
			failed = failed || failure.Service == service
		}
	}
	if !failed {
		missed = append(missed, "trace")
	}
	logged := false
	for _, pattern := range e.Logs {
		logged = logged || strings.Contains(pattern.Pattern, line)
	}
	if !logged {
		missed = append(missed, "log line")
	}
	if len(missed) > 0 {
		return fmt.Errorf("no %s in %+v", strings.Join(missed, ", "), e)
	}
	return nil
}
