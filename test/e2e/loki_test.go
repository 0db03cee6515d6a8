package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// loki is a real Loki with the shipped configuration. It can be ended and started again on its port and its data.
type loki struct {
	t          *testing.T
	data       string
	http, grpc int
	// args are further flags, such as those of the ruler.
	args []string

	process *process
}

// newLoki prepares a Loki and does not start it.
func newLoki(t *testing.T, args ...string) *loki {
	t.Helper()
	return &loki{t: t, data: t.TempDir(), http: freePort(t), grpc: freePort(t), args: args}
}

// startLoki starts a Loki and waits until it takes and answers.
func startLoki(t *testing.T, args ...string) *loki {
	t.Helper()
	l := newLoki(t, args...)
	l.start()
	return l
}

// start a Loki that is not running, and wait until it takes and answers.
func (l *loki) start() {
	l.t.Helper()
	config, err := filepath.Abs(filepath.Join(stack, "loki.yaml"))
	if err != nil {
		l.t.Fatal(err)
	}
	env := append(os.Environ(), "DATA_DIR="+l.data, fmt.Sprintf("LOKI_HTTP_PORT=%d", l.http), fmt.Sprintf("LOKI_GRPC_PORT=%d", l.grpc))
	args := append([]string{requiredFile(l.t, "LOKI", "a Loki"), "-config.file=" + config, "-config.expand-env=true"}, l.args...)
	l.process = launch(l.t, l.data, env, 0, args...)
	awaitOK(l.t, l.process, l.url("/ready"))
}

// endpoint is what LOKI_ENDPOINT is set to.
func (l *loki) endpoint() string { return l.url("") }

func (l *loki) url(path string) string { return at(l.http, path) }

// kill ends it as a crash does.
func (l *loki) kill() { endNow(l.t, l.process) }
