package e2e

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// ports are those that the shipped configurations name, by what listens there.
type ports struct {
	otlpGRPC, otlpHTTP, api, health, telemetry, scrapeAPI, loki int
}

// defaults are the ports in the files.
var defaults = ports{otlpGRPC: 4317, otlpHTTP: 4318, api: 8090, health: 13133, telemetry: 8888, scrapeAPI: 8091, loki: 3500}

func freePorts(t *testing.T) ports {
	t.Helper()
	var p ports
	for _, port := range p.all() {
		*port = freePort(t)
	}
	return p
}

func (p *ports) all() []*int {
	return []*int{&p.otlpGRPC, &p.otlpHTTP, &p.api, &p.health, &p.telemetry, &p.scrapeAPI, &p.loki}
}

// The ports that tests take lie below those that Linux gives to outgoing connections: one of these, of a test
// beside, would take a port between our look and the collector's.
const firstPort, lastPort = 12000, 32000

var nextPort atomic.Int64

// freePort gives each port once in this process, and begins elsewhere in another.
func freePort(t *testing.T) int {
	t.Helper()
	for range lastPort - firstPort {
		port := firstPort + (os.Getpid()*97+int(nextPort.Add(1)))%(lastPort-firstPort)
		listener, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
		if err == nil {
			require.NoError(t, listener.Close())
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func at(port int, path string) string {
	return fmt.Sprintf("http://localhost:%d%s", port, path)
}
