package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// stack is the folder with the configurations of the backends.
const stack = "../../deploy/stack"

// jaeger is a real Jaeger with the shipped configuration. It can be ended and started again on its ports and its data.
type jaeger struct {
	t    *testing.T
	data string
	// otlpGRPC and otlpHTTP take spans; queryHTTP has the UI, /api/v3 and /api; queryGRPC has api_v3.
	otlpGRPC, otlpHTTP, queryHTTP, queryGRPC int

	process *process
}

// newJaeger prepares a Jaeger and does not start it.
func newJaeger(t *testing.T) *jaeger {
	t.Helper()
	return &jaeger{
		t: t, data: t.TempDir(),
		otlpGRPC: freePort(t), otlpHTTP: freePort(t), queryHTTP: freePort(t), queryGRPC: freePort(t),
	}
}

// startJaeger starts a Jaeger and waits until it answers.
func startJaeger(t *testing.T) *jaeger {
	t.Helper()
	j := newJaeger(t)
	j.start()
	return j
}

// start a Jaeger that is not running, and wait until it answers.
func (j *jaeger) start() {
	j.t.Helper()
	config, err := filepath.Abs(filepath.Join(stack, "jaeger.yaml"))
	if err != nil {
		j.t.Fatal(err)
	}
	env := append(os.Environ(), "DATA_DIR="+j.data,
		fmt.Sprintf("JAEGER_OTLP_GRPC=localhost:%d", j.otlpGRPC), fmt.Sprintf("JAEGER_OTLP_HTTP=localhost:%d", j.otlpHTTP),
		fmt.Sprintf("JAEGER_QUERY_HTTP=localhost:%d", j.queryHTTP), fmt.Sprintf("JAEGER_QUERY_GRPC=localhost:%d", j.queryGRPC))
	j.process = launch(j.t, j.data, env, 0, requiredFile(j.t, "JAEGER", "a Jaeger"), "--config", config)
	awaitOK(j.t, j.process, at(j.queryHTTP, "/api/v3/services"))
}

// endpoint is what JAEGER_ENDPOINT is set to: OTLP/gRPC.
func (j *jaeger) endpoint() string { return fmt.Sprintf("localhost:%d", j.otlpGRPC) }

// kill ends it as a crash does.
func (j *jaeger) kill() { endNow(j.t, j.process) }

// awaitOK waits until a URL of a process answers 200.
func awaitOK(t *testing.T, p *process, url string) {
	t.Helper()
	await(t, url, func() error {
		if p.exited() {
			t.Fatalf("it ended at its start: %v; its log:\n%s", p.err, p.log.tail(5000))
		}
		status, body, err := tryRequest(http.MethodGet, url, "", nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d: %s", status, body)
		}
		return err
	})
}

// endNow kills a process and waits for its end.
func endNow(t *testing.T, p *process) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.done
}
