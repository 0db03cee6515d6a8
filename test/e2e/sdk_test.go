package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// OpenTelemetry's SDK for Node.js sends the three signals by gRPC; each is found where it belongs.
func TestNodeSDK(t *testing.T) {
	t.Parallel()
	j, l := startJaeger(t), startLoki(t)
	c := startCollector(t, allInOne, withEnv("JAEGER_ENDPOINT="+j.endpoint(), "LOKI_ENDPOINT="+l.endpoint()))
	trace := runNodeSDK(t, c.otlpGRPC)
	assert.InDelta(t, 3, c.number(`sales_total{job="till"}`), 0)
	await(t, "the trace in Jaeger", func() error { return j.hasTrace(trace, "sale", "pay") })
	await(t, "the line in Loki", func() error { return l.has(`{service_name="till"} | trace_id="`+trace+`"`, "card declined") })
	c.terminate()
}

// runNodeSDK gives the ID of the trace that the SDK sent.
func runNodeSDK(t *testing.T, otlpGRPC int) string {
	t.Helper()
	node, err := exec.LookPath("node")
	require.NoError(t, err, "apt-get install nodejs npm")
	folder := "node"
	require.DirExists(t, filepath.Join(folder, "node_modules"), "make e2e installs it")
	cmd := exec.CommandContext(t.Context(), node, "main.js")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), fmt.Sprintf("OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:%d", otlpGRPC))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}
