package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPromtool asks with Prometheus' own tool, as its users do.
func TestPromtool(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	server := at(c.api, "/prometheus")

	metrics := filepath.Join(c.dir, "metrics.txt")
	require.NoError(t, os.WriteFile(metrics, []byte("# HELP shop_open Is it open?\n# TYPE shop_open gauge\nshop_open{town=\"bonn\"} 1\n"), 0o600))
	// The tool adds api/v1/write to the URL.
	promtool(t, "push", "metrics", server, metrics)

	assert.Regexp(t, `^shop_open{job="promtool", town="bonn"} => 1 @\[`, promtool(t, "query", "instant", server, "shop_open"))
	assert.Regexp(t, `^shop_open{job="promtool", town="bonn"} =>\n1 @\[`,
		promtool(t, "query", "range", "--start="+fromNow(-time.Minute), "--end="+fromNow(time.Minute), "--step=15s", server, "shop_open"))
	assert.Equal(t, "{__name__=\"shop_open\", job=\"promtool\", town=\"bonn\"}\n", promtool(t, "query", "series", "--match=shop_open", server))
	assert.Equal(t, "bonn\n", promtool(t, "query", "labels", server, "town"))
	promtool(t, "check", "healthy", "--url="+server)
	promtool(t, "check", "ready", "--url="+server)
}

// promtool gives what it prints.
func promtool(t *testing.T, args ...string) string {
	t.Helper()
	tool := requiredFile(t, "PROMTOOL", "Prometheus' promtool")
	var faults bytes.Buffer
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Stderr = &faults
	out, err := cmd.Output()
	require.NoError(t, err, "promtool %q: %s", args, faults.String())
	return string(out)
}
