// Package e2e tests the built binary as its users meet it: a shipped configuration in, HTTP out, and faults in
// between. OTELCOL_BINARY is the binary and PROMTOOL Prometheus' promtool; `make e2e` sets both.
//
// Every collector runs in a folder and on ports of its own, so that tests run beside each other.
package e2e
