package e2e

import (
	"bytes"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAmtool works with Alertmanager's own tool on the shipped configuration.
func TestAmtool(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	amtool := func(args ...string) string { return runAmtool(t, at(c.api, "/alertmanager"), args...) }

	assert.Contains(t, amtool("config", "show"), "receiver: critical")
	assert.Contains(t, amtool("cluster", "show"), "disabled")
	amtool("alert", "add", "alertname=DiskFull", "severity=critical", "service=shop", "--annotation=summary=98 %")
	await(t, "the alert", func() error {
		return missing(strings.Fields(amtool("alert", "query", "-o", "simple")), "DiskFull", "active")
	})
	assert.Equal(t, "DiskFull on shop", c.awaitIncident("open", "firing").Title, "an incident, too")

	id := strings.TrimSpace(amtool("silence", "add", "alertname=DiskFull", "--author=ada", "--comment=being replaced", "--duration=1h"))
	assert.Contains(t, amtool("silence", "query"), id)
	assert.NotContains(t, amtool("alert", "query"), "DiskFull")
	assert.Contains(t, amtool("alert", "query", "--silenced"), "suppressed")
	amtool("silence", "update", id, "--comment=replaced")
	all := amtool("silence", "query", "-q")
	id = strings.TrimSpace(all)
	assert.Len(t, strings.Fields(all), 1)
	amtool("silence", "expire", id)
	assert.NotContains(t, amtool("silence", "query"), id)
	assert.Contains(t, amtool("silence", "query", "--expired"), id)
	assert.Contains(t, amtool("alert", "query"), "DiskFull")

	for severity, receiver := range map[string]string{"Critical": "critical", "page": "critical", "high": "high", "warning": "medium", "info": "digest", "other": "medium"} {
		assert.Equal(t, receiver, strings.TrimSpace(amtool("config", "routes", "test", "alertname=x", "severity="+severity)), severity)
	}
	for path, want := range map[string]int{"/-/ready": http.StatusOK, "/-/healthy": http.StatusOK, "/api/v2/alerts/groups": http.StatusOK, "/api/v2/receivers": http.StatusOK, "/api/v1/alerts": http.StatusGone} {
		status, body := get(t, at(c.api, "/alertmanager"+path))
		assert.Equal(t, want, status, "%s: %s", path, body)
	}
	c.terminate()
}

func runAmtool(t *testing.T, url string, args ...string) string {
	t.Helper()
	tool := requiredFile(t, "AMTOOL", "Alertmanager's amtool")
	var faults bytes.Buffer
	cmd := exec.CommandContext(t.Context(), tool, append([]string{"--alertmanager.url=" + url}, args...)...)
	cmd.Stderr = &faults
	out, err := cmd.Output()
	require.NoError(t, err, "amtool %q: %s", args, faults.String())
	return string(out)
}
