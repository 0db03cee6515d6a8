package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// withJaeger sends traces to a Jaeger, and asks it for them.
func withJaeger(j *jaeger) option {
	return withEnv("JAEGER_ENDPOINT="+j.endpoint(), fmt.Sprintf("JAEGER_QUERY_ENDPOINT=localhost:%d", j.queryGRPC))
}

// decidingSoon has sampling decided after a second, and the metrics of spans each second.
func decidingSoon() option {
	return func(s *settings) {
		withReplaced("decision_wait: 10s", "decision_wait: 1s")(s)
		withReplaced("metrics_flush_interval: 15s", "metrics_flush_interval: 1s")(s)
	}
}

// awaitReason waits until calls are in Jaeger, whole, with the reason for which they were kept.
func (c *collector) awaitReason(calls []call, reason string) {
	c.t.Helper()
	for i := range calls {
		await(c.t, "a trace kept by "+reason, func() error {
			found, err := c.tryTraces("/" + calls[i].id.String())
			if err != nil {
				return err
			}
			spans := found[calls[i].id]
			if len(spans) != 2 {
				return fmt.Errorf("%d spans", len(spans))
			}
			for _, span := range spans {
				if why, ok := span.Attributes().Get("tailsampling.policy"); !ok || why.Str() != reason {
					c.t.Fatalf("%s of trace %s was kept by %q, not by %q", span.Name(), calls[i].id, why.AsString(), reason)
				}
			}
			return nil
		})
	}
}

// Errors and slow traces all arrive in Jaeger, and of the rest a share, each with the reason; the metrics count every span.
func TestTracesAreSampledByWhatTheyTell(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startCollector(t, "gateway.yaml", withJaeger(j), decidingSoon(), withEnv("SAMPLING_PERCENTAGE=20", "SAMPLING_SPANS_PER_SECOND=100000"))
	failed, slow := newCalls(5, call{failed: true, took: time.Millisecond}), newCalls(5, call{took: 2100 * time.Millisecond})
	patient, impatient := newCalls(20, call{took: 3 * time.Second, threshold: "5s"}), newCalls(5, call{took: 300 * time.Millisecond, threshold: "250ms"})
	thinned, ordinary := newCalls(5, call{took: time.Millisecond, state: "ot=th:8"}), newCalls(400, call{took: time.Millisecond, state: "ot=th:0"})
	all := 0
	for _, calls := range [][]call{failed, slow, impatient, thinned, ordinary} {
		c.sendCalls(calls, "shop", "stock")
		all += len(calls)
	}
	// The shop has no threshold of its own, so that only the stock is asked.
	c.sendCalls(patient, "stock")

	c.awaitReason(failed, "error")
	c.awaitReason(slow, "slow")
	c.awaitReason(impatient, "slow")
	c.awaitReason(thinned, "head-sampled")
	var share int
	await(t, "a share of the rest", func() error {
		found, err := c.tryTraces("?service=shop&limit=1000&tags=tailsampling.policy%3Dshare")
		share = len(found)
		return errors.Join(err, atLeast(share, 40))
	})
	assert.Less(t, share, 130, "of 400, a fifth: 80, and hardly less than 40 or more than 120")

	c.awaitSeries(fmt.Sprintf(`sum(traces_span_metrics_calls_total{service_name="shop"}) == %d`, all))
	c.awaitSeries(fmt.Sprintf(`sum(traces_span_metrics_calls_total{service_name="stock"}) == %d`, all+len(patient)))
	c.awaitSeries(`sum(traces_span_metrics_calls_total{status_code="STATUS_CODE_ERROR"}) == 5`)
	assert.InDelta(t, 2, c.number("count(traces_span_metrics_calls_total{status_code=\"STATUS_CODE_UNSET\"})"), 0, "one series an operation")
	c.requireExemplarOf(t, `traces_span_metrics_duration_seconds_bucket{service_name="stock"}`)
	c.requireComparisons(failed[0].id, slow[0].id, float64(all))
	c.terminate()
}

// requireExemplarOf wants a trace id at a series.
func (c *collector) requireExemplarOf(t *testing.T, selector string) {
	t.Helper()
	var found []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	c.prometheus(t, http.MethodGet, "query_exemplars", url.Values{"query": {selector}, "start": {fromNow(-time.Hour)}, "end": {fromNow(time.Hour)}}, &found)
	require.NotEmpty(t, found)
	assert.Len(t, found[0].Exemplars[0].Labels["trace_id"], 32)
}

// requireComparisons wants the analyses of what a real Jaeger and the metrics know.
func (c *collector) requireComparisons(failed, slow pcommon.TraceID, calls float64) {
	c.t.Helper()
	var dependencies []struct {
		Parent, Child         string
		CallCount, ErrorCount float64
	}
	await(c.t, "the service graph", func() error {
		if err := tryJSON(at(c.api, "/api/v1/traces/dependencies"), &dependencies); err != nil {
			return err
		}
		if len(dependencies) != 1 || dependencies[0].CallCount < calls-0.5 {
			return fmt.Errorf("%v of %f", dependencies, calls)
		}
		return nil
	})
	assert.Equal(c.t, "shop", dependencies[0].Parent)
	assert.Equal(c.t, "stock", dependencies[0].Child)
	assert.InDelta(c.t, 5, dependencies[0].ErrorCount, 0.5)

	var analysis struct {
		CriticalPath []struct{ Service string }
		Errors       []struct{ Service, Message string }
	}
	getJSON(c.t, at(c.api, "/api/v1/traces/"+failed.String()+"/analysis"), &analysis)
	require.NotEmpty(c.t, analysis.CriticalPath)
	require.Len(c.t, analysis.Errors, 1)
	assert.Equal(c.t, "out of stock", analysis.Errors[0].Message)

	var compared struct {
		Operations []struct{ SelfSecondsMore float64 }
	}
	getJSON(c.t, at(c.api, "/api/v1/traces/compare?a="+failed.String()+"&b="+slow.String()), &compared)
	require.NotEmpty(c.t, compared.Operations)
	assert.InDelta(c.t, 2.1, compared.Operations[0].SelfSecondsMore, 0.5)

	var periods struct {
		Operations []struct {
			Operation, Verdict string
			Current            struct{ Calls float64 }
		}
		NewErrors []struct {
			Message string
			Count   int
		}
	}
	getJSON(c.t, at(c.api, "/api/v1/traces/services/stock/comparison"), &periods)
	require.Len(c.t, periods.Operations, 1)
	assert.Equal(c.t, "new", periods.Operations[0].Verdict)
	require.Len(c.t, periods.NewErrors, 1)
	assert.Equal(c.t, 5, periods.NewErrors[0].Count)

	var names []string
	getJSON(c.t, at(c.api, "/api/v1/traces/services"), &names)
	assert.Subset(c.t, names, []string{"shop", "stock"})
	var operations []struct{ Name, Kind string }
	getJSON(c.t, at(c.api, "/api/v1/traces/services/shop/operations"), &operations)
	require.Len(c.t, operations, 1)
	assert.Equal(c.t, "shop-work", operations[0].Name)
}

// The share of the rest has a bound in spans a second.
func TestTheShareOfTracesIsRateLimited(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startCollector(t, "gateway.yaml", withJaeger(j), decidingSoon(), withEnv("SAMPLING_PERCENTAGE=100", "SAMPLING_SPANS_PER_SECOND=50"))
	c.sendCalls(newCalls(1000, call{took: time.Millisecond}), "shop", "stock")
	c.awaitSeries(`sum(traces_span_metrics_calls_total{service_name="shop"}) == 1000`)
	await(t, "all to be decided on", func() error {
		kept, keptErr := c.gauge("otelcol_processor_tail_sampling_global_count_traces_sampled", `decision="sampled"`)
		not, notErr := c.gauge("otelcol_processor_tail_sampling_global_count_traces_sampled", `decision="not_sampled"`)
		return errors.Join(keptErr, notErr, atLeast(int(kept+not), 1000))
	})
	c.terminate() // What was kept is in Jaeger then, or in the queue.
	c.start()
	var kept int
	await(t, "some traces", func() error {
		found, err := c.tryTraces("?service=shop&limit=1000")
		kept = len(found)
		return errors.Join(err, atLeast(kept, 20))
	})
	assert.Less(t, kept, 100, "24 traces of two spans a second, in a few seconds at most")
}

// A fleet: a front routes traces, whole, to two samplers, which decide on them as one gateway does, and send the metrics
// of all spans to the gateway.
func TestTwoTiersKeepTracesWhole(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	gateway := startCollector(t, "gateway.yaml", withJaeger(j))
	var samplers []*collector
	var addresses []string
	for i := range 2 {
		s := startCollector(t, "sampling.yaml", withEnv("JAEGER_ENDPOINT="+j.endpoint(), fmt.Sprintf("SAMPLER_NAME=sampler-%d", i),
			fmt.Sprintf("GATEWAY_ENDPOINT=localhost:%d", gateway.otlpGRPC), "SAMPLING_PERCENTAGE=0"), decidingSoon(),
			withReplaced("scrape_interval: 15s", "scrape_interval: 1s"))
		samplers = append(samplers, s)
		addresses = append(addresses, fmt.Sprintf("localhost:%d", s.otlpGRPC))
	}
	front := startCollector(t, "gateway-tracing.yaml", withEnv(fmt.Sprintf("GATEWAY_ENDPOINT=localhost:%d", gateway.otlpGRPC)),
		withReplaced(`      dns:
        hostname: ${env:SAMPLING_HOST:-quantivista-sampling}
        port: "${env:SAMPLING_PORT:-4317}"
`, "      static: {hostnames: ["+strings.Join(addresses, ", ")+"]}\n"))

	failed, ordinary := newCalls(40, call{failed: true, took: time.Millisecond}), newCalls(40, call{took: time.Millisecond})
	for _, calls := range [][]call{failed, ordinary} {
		// As two services send: the half that is in order comes by itself.
		front.sendCalls(calls, "shop")
		front.sendCalls(calls, "stock")
	}
	front.send(gauges("shop", "orders", 0, 1, time.Now(), 3))

	gateway.awaitReason(failed, "error")
	for _, s := range samplers {
		assert.Empty(t, s.log().lines("Dropping"))
	}
	gateway.awaitSeries(`sum(traces_span_metrics_calls_total) == 160`)
	gateway.awaitSeries(`count(count by (collector_instance_id) (traces_span_metrics_calls_total)) == 2`)
	gateway.awaitSeries(`sum(traces_service_graph_request_total{client="shop",server="stock"}) == 80`)
	gateway.awaitSeries(`orders == 3`)
	gateway.awaitSeries(`count(up{job="otelcol-quantivista-sampling"} == 1) == 2`)
	found, err := gateway.tryTraces("?service=shop&limit=1000")
	require.NoError(t, err)
	assert.Len(t, found, 40, "only those that failed")
}

// A Jaeger that is away, and one that hangs, are answered for within the time-out, and hold nothing else up.
func TestJaegerIsAwayFromQueries(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startCollector(t, allInOne, withJaeger(j), withOverlay("{extensions: {monitoring_api: {jaeger: {timeout: 1s}}}}"))
	c.sendSpan("shop")
	await(t, "the span in Jaeger", func() error { return j.has("shop") })
	asks := func(want int) {
		t.Helper()
		await(t, fmt.Sprint("the answer ", want), func() error {
			status, body, err := tryRequest(http.MethodGet, at(c.api, "/api/v1/traces/services"), "", nil)
			if err == nil && status != want {
				err = fmt.Errorf("%d: %s", status, body)
			}
			if err == nil && want != http.StatusOK && !strings.Contains(string(body), "Jaeger at localhost:") {
				t.Fatalf("it does not name Jaeger: %s", body)
			}
			return err
		})
	}
	asks(http.StatusOK)
	require.NoError(t, j.process.cmd.Process.Signal(syscall.SIGSTOP))
	asks(http.StatusGatewayTimeout)
	require.NoError(t, j.process.cmd.Process.Signal(syscall.SIGCONT))
	asks(http.StatusOK)
	j.kill()
	asks(http.StatusBadGateway)
	j.start()
	asks(http.StatusOK)
}
