package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// collector is the binary with one configuration and one folder. It can be ended and started again.
type collector struct {
	t *testing.T
	ports
	// dir is the working directory, data its DATA_DIR.
	dir, data string
	settings

	process *process
}

// settings are what a test changes of a shipped configuration.
type settings struct {
	// overlays are merged over the file, in YAML.
	overlays []string
	env      []string
	// replace are pairs of texts in the file.
	replace []string
	// wrapper is a command that runs the binary, such as prlimit.
	wrapper []string
	// clockOff is by how much its clock is ahead.
	clockOff time.Duration
}

type option func(*settings)

func withOverlay(yaml string) option {
	return func(s *settings) { s.overlays = append(s.overlays, yaml) }
}

func withEnv(pairs ...string) option {
	return func(s *settings) { s.env = append(s.env, pairs...) }
}

// withReplaced replaces a text in the shipped file.
func withReplaced(old, by string) option {
	return func(s *settings) { s.replace = append(s.replace, old, by) }
}

func withWrapper(command ...string) option {
	return func(s *settings) { s.wrapper = command }
}

// scrapingOften has everything collected each second.
func scrapingOften() option {
	return func(s *settings) {
		s.replace = append(s.replace, "scrape_interval: 15s", "scrape_interval: 1s",
			"collection_interval: 15s", "collection_interval: 1s", "metrics_flush_interval: 15s", "metrics_flush_interval: 1s")
	}
}

// newCollector prepares a collector with a file of configs/ and does not start it.
func newCollector(t *testing.T, shipped string, options ...option) *collector {
	t.Helper()
	c := &collector{t: t, ports: freePorts(t), dir: t.TempDir()}
	c.data = filepath.Join(c.dir, "data")
	for _, option := range options {
		option(&c.settings)
	}
	for _, folder := range []string{"targets", "logs"} {
		require.NoError(t, os.MkdirAll(filepath.Join(c.data, folder), 0o750))
	}
	c.writeConfig(shipped)
	t.Cleanup(c.finish)
	return c
}

// startCollector starts a collector and waits until it is ready.
func startCollector(t *testing.T, shipped string, options ...option) *collector {
	t.Helper()
	c := newCollector(t, shipped, options...)
	c.start()
	return c
}

// start a collector that is not running, and wait until it is ready.
func (c *collector) start() {
	c.t.Helper()
	c.process = c.launch()
	await(c.t, "ready", func() error {
		if c.process.exited() {
			c.t.Fatalf("the collector ended at its start: %v", c.process.err)
		}
		return c.ready()
	})
}

// ready asks health_check.
func (c *collector) ready() error {
	status, body, err := tryRequest(http.MethodGet, at(c.health, "/"), "", nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("health_check answers %d: %s", status, body)
	}
	return err
}

// launch the process and wait for nothing.
func (c *collector) launch() *process {
	c.t.Helper()
	args := append(slices.Clone(c.wrapper), binary(c.t), "--config", filepath.Join(c.dir, configFile))
	for _, overlay := range append([]string{c.telemetryOverlay()}, c.overlays...) {
		args = append(args, "--config", "yaml:"+overlay)
	}
	env := append(os.Environ(), "DATA_DIR="+c.data, "LISTEN_HOST=localhost", "JAEGER_ENDPOINT=", "LOKI_ENDPOINT=",
		"ALERTMANAGER_CONFIG="+shippedRoutes(c.t))
	return launch(c.t, c.dir, append(env, c.env...), c.clockOff, args...)
}

// kill ends the process as a crash does.
func (c *collector) kill() {
	c.t.Helper()
	require.NoError(c.t, c.process.cmd.Process.Kill())
	<-c.process.done
}

// terminate asks the process to end and wants it to end well, within the time that orchestrators allow.
func (c *collector) terminate() {
	c.t.Helper()
	require.NoError(c.t, c.process.terminate(), "exit within %s of SIGTERM", stopDeadline)
}

// log is the output of the process that was started last.
func (c *collector) log() *logBuffer { return &c.process.log }

// finish ends what still runs, and shows the log of a test that failed.
func (c *collector) finish() {
	if c.process == nil {
		return
	}
	if !c.process.exited() {
		assert.NoError(c.t, c.process.terminate())
	}
	assert.NotContains(c.t, c.log().String(), "panic", "the log")
	if c.t.Failed() {
		c.t.Logf("the collector's log:\n%s", c.log().tail(20000))
	}
}

func binary(t *testing.T) string {
	t.Helper()
	return requiredFile(t, "OTELCOL_BINARY", "the built binary")
}

// requiredFile gives the path in an environment variable. A test without its peer fails; skipped, it would look
// as if it had passed.
func requiredFile(t *testing.T, variable, what string) string {
	t.Helper()
	path := os.Getenv(variable)
	require.NotEmpty(t, path, "%s must be the path of %s: run make e2e", variable, what)
	require.FileExists(t, path, "%s: run make e2e", variable)
	return path
}

// exitCode of a command that ended.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// rss is the resident memory of the process in MiB, now and at its peak.
func (c *collector) rss() (now, peak int) {
	c.t.Helper()
	return memory(c.t, c.process.cmd.Process.Pid)
}
