package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestVendors sends an alert and its end to every vendor, while each vendor's server fails, limits, hangs or cuts
// connections. Behind that each message arrives once, in the form that the vendor documents. No secret shows.
func TestVendors(t *testing.T) {
	t.Parallel()
	routes, receivers := &strings.Builder{}, &strings.Builder{}
	boxes := map[string]*inbox{}
	receiver := func(name, integration string, box *inbox) {
		fmt.Fprintf(routes, "  - {matchers: [to=%s], receiver: %s}\n", name, name)
		fmt.Fprintf(receivers, "- name: %s\n  %s\n", name, integration)
		boxes[name] = box
	}
	for _, v := range vendors(t) {
		for _, f := range faults {
			url, box := v.serve(t, &f)
			receiver(v.name+"-"+f.name, v.integration(url), box)
		}
	}
	for _, f := range mailFaults {
		server := newMailServer(t, f)
		receiver("email-"+f, server.integration(), &server.inbox)
	}
	c := startCollector(t, allInOne, withRoutes(t, `
global: {smtp_require_tls: true}
route:
  receiver: nobody
  group_by: [to]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 24h
  routes:
`+routes.String()+"receivers:\n- name: nobody\n"+receivers.String()))
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(boxes)) {
		labels = append(labels, fmt.Sprintf(`"alertname": "DiskFull", "severity": "high", "to": %q`, name))
	}
	arrived := func(told ...string) {
		t.Helper()
		for name, box := range boxes {
			await(t, name, func() error { return box.has(told...) })
		}
	}
	c.fire(labels...)
	arrived("firing")
	c.end(labels...)
	arrived("firing", "resolved")

	places := map[string]string{"the log": c.log().String()}
	for _, path := range []string{"/alertmanager/api/v2/status", "/alertmanager/api/v2/receivers", "/alertmanager/api/v2/alerts/groups", "/api/v1/alerts?status=all"} {
		status, body := get(t, at(c.api, path))
		require.Equal(t, http.StatusOK, status, path)
		places[path] = body
	}
	_, metrics := get(t, at(c.telemetry, "/metrics"))
	places["the metrics"] = metrics
	for place, text := range places {
		for _, secret := range secrets {
			assert.NotContains(t, text, secret, place)
		}
	}
	assert.Contains(t, places["the log"], "out of order", "the log tells why messages failed")
	c.terminate()
	arrived("firing", "resolved")
}
