package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
)

// startWithRules starts a collector with the rules of what is broken.
func startWithRules(t *testing.T, options ...option) *collector {
	t.Helper()
	c := newCollector(t, allInOne, options...)
	c.writeRules("broken.yaml", brokenRules)
	c.start()
	return c
}

const (
	awayLine = "The state database is not available"
	backLine = "The state database is available again"
)

// someIncident is a valid body.
const someIncident = `{"title": "A person saw it", "severity": "low"}`

// TestPostgresStopsUnderLoad stops the database, kills it, and breaks its connections, while alerts come and go.
func TestPostgresStopsUnderLoad(t *testing.T) {
	t.Parallel()
	d := newPostgres(t)
	c := startWithRules(t, d.option())
	w := startWaves(c, 3)
	w.awaitMore(3)
	for round, stop := range []func() error{d.server.Shutdown, d.server.Kill} {
		require.NoError(t, stop())
		c.requireUnavailable(http.MethodGet, "/api/v1/alerts", "")
		c.requireUnavailable(http.MethodGet, "/api/v1/incidents", "")
		c.requireUnavailable(http.MethodPost, "/api/v1/incidents", someIncident)
		require.NoError(t, c.ready(), "the collector itself is well")
		c.awaitLines(round+1, awayLine)
		w.awaitMore(4) // rules go on
		require.NoError(t, d.server.Start())
		c.awaitLines(round+1, backLine)
		c.postJSON("/api/v1/incidents", http.StatusCreated, someIncident)
		w.awaitMore(2)
	}
	broken := rounds(t, 20, 500)
	for range broken {
		require.NoError(t, d.server.Exec(t.Context(), "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = '`+databaseName+`' AND application_name = 'otelcol-quantivista'`))
	}
	w.awaitMore(3)
	w.end(d)
	c.requireQuiet(broken)
	c.terminate()
}

// awaitLines waits for the log to have at least so many lines with some words.
func (c *collector) awaitLines(n int, words ...string) {
	c.t.Helper()
	await(c.t, fmt.Sprintf("log lines with %q", words), func() error { return atLeast(len(c.log().lines(words...)), n) })
}

// requireUnavailable wants a request to be refused for now.
func (c *collector) requireUnavailable(method, path, body string) {
	c.t.Helper()
	resp, answer, err := tryRequestFull(client, method, at(c.api, path), "application/json", []byte(body), nil)
	require.NoError(c.t, err)
	requireProblem(c.t, http.StatusServiceUnavailable, resp, answer)
	require.NotEmpty(c.t, resp.Header.Get("Retry-After"))
}

// TestAnOutageWithRestarts has alerts come and go while the database is away, and the collector stopped or killed
// after each: what the rules told is all there afterwards. An outage of an hour differs in length alone.
func TestAnOutageWithRestarts(t *testing.T) {
	t.Parallel()
	d := newPostgres(t)
	c := startWithRules(t, d.option())
	c.setBroken("before", brokenSeries, 1)
	d.awaitAlerts(c, "before", rulesOfBroken*brokenSeries, "firing", "open")
	require.NoError(t, d.server.Shutdown())
	services := []string{"before"}
	for round := range rounds(t, 2, 20) {
		service := fmt.Sprintf("round-%d", round)
		services = append(services, service)
		for _, value := range []int{1, 0} {
			c.setBroken(service, brokenSeries, value)
			await(t, "the rules tell", func() error {
				got, err := c.toldAlerts(service)
				if want := value * rulesOfBroken * brokenSeries; err == nil && got != want {
					err = fmt.Errorf("%d of %d", got, want)
				}
				return err
			})
			if (round+value)%2 == 0 {
				c.kill()
			} else {
				c.terminate()
			}
			c.start()
		}
	}
	c.setBroken("before", brokenSeries, 0)
	require.NoError(t, d.server.Start())
	for _, service := range services {
		d.awaitAlerts(c, service, rulesOfBroken*brokenSeries, "resolved", "mitigated")
		d.requireToldOnce(c, service, brokenSeries)
	}
	d.requireSound(c)
	c.terminate()
}

// TestPostgresDiskFull fills the disk of the tables while alerts come and go. Only a file system of its own can be filled, so
// that this needs leave to mount one, as CI has it.
func TestPostgresDiskFull(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(parent), 0o755), "for the server's user to get there")
	folder := filepath.Join(parent, "small")
	require.NoError(t, os.Mkdir(folder, 0o700))
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=64m", "none", folder).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted: %s", out)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(folder, 0)) })
	require.NoError(t, postgrestest.Own(folder))
	d := newPostgres(t)
	require.NoError(t, d.server.Exec(t.Context(), "postgres", "CREATE TABLESPACE small LOCATION '"+folder+"'"))
	require.NoError(t, d.server.Exec(t.Context(), "postgres", "ALTER DATABASE "+databaseName+" SET TABLESPACE small"))
	c := startWithRules(t, d.option())
	w := startWaves(c, 3)
	w.awaitMore(3)

	small := fileSystem{folder}
	small.leave(t, 0)
	refused := 0
	await(t, "refusals", func() error {
		resp, answer, err := tryRequestFull(client, http.MethodPost, at(c.api, "/api/v1/incidents"), "application/json",
			fmt.Appendf(nil, `{"title": "Large", "severity": "low", "description": "%s"}`, randomHex(60<<10)), nil)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusCreated {
			requireProblem(t, http.StatusServiceUnavailable, resp, answer)
			refused++
		}
		return atLeast(refused, 3)
	})
	status, body := get(t, at(c.api, "/api/v1/incidents"))
	assert.Equal(t, http.StatusOK, status, "what is there can be read: %s", body)
	w.awaitMore(4)
	small.free(c)
	w.awaitMore(2)
	w.end(d)
	c.postJSON("/api/v1/incidents", http.StatusCreated, someIncident)
	c.requireQuiet(0)
	c.terminate()
}

// randomHex gives a text that a database cannot make smaller than half.
func randomHex(length int) string {
	raw := make([]byte, length/2)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}
