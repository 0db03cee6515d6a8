package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// configFile is the name of a collector's configuration in its folder.
const configFile = "config.yaml"

var configs = filepath.Join("..", "..", "configs")

// writeConfig copies a shipped file with its ports replaced, and what the test replaces besides.
func (c *collector) writeConfig(shipped string) {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(configs, shipped))
	require.NoError(c.t, err)
	// Only what stands behind a host is a port of ours to listen on or to scrape; comments hold others.
	pairs := []string{}
	from, to := defaults, c.ports
	for i, port := range from.all() {
		for _, host := range []string{"${env:LISTEN_HOST:-localhost}", "localhost"} {
			pairs = append(pairs, fmt.Sprintf("%s:%d", host, *port), fmt.Sprintf("%s:%d", host, *to.all()[i]))
		}
	}
	for i := 0; i < len(c.replace); i += 2 {
		require.Contains(c.t, string(text), c.replace[i], "a test replaces this in %s", shipped)
	}
	config := strings.NewReplacer(append(pairs, c.replace...)...).Replace(string(text))
	require.NoError(c.t, os.WriteFile(filepath.Join(c.dir, configFile), []byte(config), 0o600))
}

// shippedRoutes is where the shipped alertmanager.yml is.
func shippedRoutes(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(configs, "alertmanager.yaml"))
	require.NoError(t, err)
	return path
}

// telemetryOverlay moves the collector's own metrics, whose port is the collector's default and in no file. The
// reader is that default.
func (c *collector) telemetryOverlay() string {
	return fmt.Sprintf("{service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: "+
		"{host: localhost, port: %d, without_scope_info: true, without_type_suffix: true, without_units: true, "+
		"with_resource_constant_labels: {included: []}}}}}]}}}}", c.telemetry)
}
