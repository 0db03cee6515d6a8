package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stalling is a way to a backend that can come to a halt: connections stand, and nothing gets through.
type stalling struct {
	address string
	target  string

	mu      sync.Mutex
	flowing chan struct{} // closed while it flows
}

func newStalling(t *testing.T, target string) *stalling {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	s := &stalling{address: listener.Addr().String(), target: target, flowing: make(chan struct{})}
	close(s.flowing)
	ended := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.pass(conn, ended) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		close(ended)
		all.Wait()
	})
	return s
}

// pass copies both ways until an end closes, or the test ends.
func (s *stalling) pass(from net.Conn, ended <-chan struct{}) {
	to, err := net.Dial("tcp", s.target)
	if err != nil {
		_ = from.Close()
		return
	}
	done := make(chan struct{}, 2)
	way := func(dst, src net.Conn) {
		defer func() { done <- struct{}{} }()
		chunk := make([]byte, 32<<10)
		for {
			n, err := src.Read(chunk)
			select {
			case <-s.gate():
			case <-ended:
				return
			}
			if _, failed := dst.Write(chunk[:n]); err != nil || failed != nil {
				return
			}
		}
	}
	var ways sync.WaitGroup
	ways.Go(func() { way(to, from) })
	ways.Go(func() { way(from, to) })
	select {
	case <-done:
	case <-ended:
	}
	for _, c := range []io.Closer{from, to} {
		_ = c.Close()
	}
	ways.Wait()
}

func (s *stalling) gate() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flowing
}

func (s *stalling) stall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flowing = make(chan struct{})
}

func (s *stalling) flow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.flowing)
}

// TestBackendsThatStall has Jaeger and Loki take connections and answer nothing, under load. Metrics and alerts go on, and what
// was acknowledged arrives when they answer again.
func TestBackendsThatStall(t *testing.T) {
	t.Parallel()
	j, l := startJaeger(t), startLoki(t)
	toJaeger, toLoki := newStalling(t, j.endpoint()), newStalling(t, fmt.Sprintf("localhost:%d", l.http))
	c := startCollector(t, allInOne, scrapingOften(), withEnv("JAEGER_ENDPOINT="+toJaeger.address, "LOKI_ENDPOINT=http://"+toLoki.address),
		withOverlay("{exporters: {optional_otlp/jaeger: {timeout: 2s}, loki: {timeout: 2s, sending_queue: {queue_size: 100000}}}}"))
	load := startSignals(c, "shop")
	load.awaitMore(50)
	toJaeger.stall()
	toLoki.stall()
	load.awaitMore(100)
	c.postJSON("/api/v1/alerts/rules", http.StatusCreated, `{"name": "QueueLong", "query": "jobs_waiting > 10", "duration": "1s", "evaluationInterval": "1s", "severity": "high"}`)
	c.setQueue(17)
	c.awaitIncident("open", "firing")
	assert.InDelta(t, 17, c.number("jobs_waiting"), 0)
	c.awaitSeries(`sum(otelcol_exporter_queue_size{data_type="traces"}) > 0`)
	c.awaitSeries(`sum(otelcol_exporter_queue_size{data_type="logs"}) > 0`)
	load.awaitMore(50)
	toJaeger.flow()
	toLoki.flow()
	load.awaitMore(50)
	load.end()
	load.requireLines(t, l)
	load.requireTraces(t, j, 0)
	assert.Zero(t, load.refused, "nothing was refused meanwhile")
	c.terminate()
}
