package servicehealth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
)

// reasons writes those of a service as "status source: message".
func reasons(s *Service) (texts []string) {
	for _, r := range s.Reasons {
		texts = append(texts, fmt.Sprintf("%s %s: %s", r.Status, r.Source, r.Message))
	}
	return texts
}

// The series are those of httpcheck: one that is 1 for the class of the newest answer, with its status, and one that is
// 0 for every other class, without. Those of earlier answers end.
func TestProbes(t *testing.T) {
	const url = `http_url="http://shop:80/health"`
	tests := map[string]struct {
		load, service string
		status        Status
		reason        string
	}{
		"answers": {
			`httpcheck_status{service="shop",` + url + `,http_status_class="2xx",http_status_code="200"} 1+0x60
			httpcheck_status{service="shop",` + url + `,http_status_class="5xx"} 0+0x60`,
			"shop", Healthy, "healthy probe: http://shop:80/health answers",
		},
		"answered until now": {
			`httpcheck_status{service="shop",` + url + `,http_status_class="2xx",http_status_code="200"} 1+0x59
			httpcheck_status{service="shop",` + url + `,http_status_class="2xx"} _x60 0
			httpcheck_status{service="shop",` + url + `,http_status_class="5xx",http_status_code="503"} _x60 1`,
			"shop", Unhealthy, "unhealthy probe: http://shop:80/health answers 503",
		},
		"answers again": {
			`httpcheck_status{service="shop",` + url + `,http_status_class="2xx",http_status_code="200"} _x60 1
			httpcheck_status{service="shop",` + url + `,http_status_class="2xx"} 0+0x59
			httpcheck_status{service="shop",` + url + `,http_status_class="5xx",http_status_code="503"} 1+0x59
			httpcheck_status{service="shop",` + url + `,http_status_class="5xx"} _x60 0`,
			"shop", Healthy, "healthy probe: http://shop:80/health answers",
		},
		"cannot be reached": {
			`httpcheck_status{job="shop",` + url + `,http_status_class="2xx"} 0+0x60
			httpcheck_error{job="shop",` + url + `,error_message="connection refused"} 1+0x60`,
			"shop", Unhealthy, "unhealthy probe: http://shop:80/health does not answer: connection refused",
		},
		"without a name": {
			`httpcheck_status{` + url + `,http_status_class="4xx",http_status_code="404"} 1+0x60`,
			"shop:80", Unhealthy, "unhealthy probe: http://shop:80/health answers 404",
		},
		"named by its URL": {
			`httpcheck_status{service="shop",http_url="http://named",http_status_class="3xx",http_status_code="304"} 1+0x60`,
			"by url", Healthy, "healthy probe: http://named answers",
		},
		"blackbox exporter": {
			`probe_success{service="shop",job="blackbox",instance="http://shop"} 0+0x60`,
			"shop", Unhealthy, "unhealthy probe: http://shop does not pass its probe",
		},
		"one of two fails": {
			`probe_success{service="shop",job="blackbox",instance="a"} 0+0x60
			probe_success{service="shop",job="blackbox",instance="b"} 1+0x60`,
			"shop", Degraded, "degraded probe: a does not pass its probe",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := at(t, time.Hour, "load 1m\n"+tt.load)
			a.rules.Services = map[string]string{"http://named": "by url"}
			s, err := a.Service(t.Context(), tt.service)
			require.NoError(t, err)
			assert.Equal(t, tt.status, s.Status)
			assert.Equal(t, tt.reason, reasons(&s)[0])
			assert.Equal(t, time.Unix(3600, 0).UTC(), s.LastSeen)
		})
	}
}

func TestResponseTimeOfAProbe(t *testing.T) {
	const load = `load 1m
		httpcheck_status{service="shop",http_url="http://a",http_status_class="2xx",http_status_code="200"} 1+0x60
		httpcheck_duration_milliseconds{service="shop",http_url="http://a"} 12+0x60
		probe_success{service="other",instance="b"} 1+0x60
		probe_duration_seconds{service="other",instance="b"} 0.25+0x60`
	services, err := at(t, time.Hour, load).Services(t.Context())
	require.NoError(t, err)
	require.Len(t, services, 2)
	assert.InDelta(t, 250, services[0].Details.ResponseTime, 1e-9)
	assert.InDelta(t, 12, services[1].Details.ResponseTime, 1e-9)
}

func TestChecks(t *testing.T) {
	a := at(t, time.Hour, `load 1m
		up{job="shop"} 1+0x60
		up{job="cart"} 1+0x60
		orders{job="shop"} 3+0x60`)
	a.rules.Checks = []Check{
		{Service: "shop", Name: "few orders", Query: "orders < 5", Status: Degraded},
		{Service: "cart", Name: "many orders", Query: "orders > 5", Status: Unhealthy},
		{Name: "not up", Query: `label_replace(vector(7), "job", "cart", "", "")`, Status: Unhealthy},
		{Name: "service before job", Query: `label_replace(orders, "service", "labelled", "", "")`, Status: Degraded},
		{Name: "says nothing of a service", Query: "vector(1)", Status: Unhealthy},
	}
	services, err := a.Services(t.Context())
	require.NoError(t, err)
	require.Len(t, services, 3)
	assert.Equal(t, []string{"unhealthy check: not up: the query gives 7", "healthy check: many orders is in order", "healthy targets: 1 of 1 targets are up"}, reasons(&services[0]))
	assert.Equal(t, []string{"degraded check: service before job: the query gives 3"}, reasons(&services[1]))
	assert.Equal(t, []string{"degraded check: few orders: the query gives 3", "healthy targets: 1 of 1 targets are up"}, reasons(&services[2]))
}

func TestACheckThatFailsDegradesItsServiceAlone(t *testing.T) {
	works := loaded(t, "load 1m\n"+`up{job="shop"} 1+0x60`+"\n"+`up{job="cart"} 1+0x60`)
	a := NewAssessor(func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		if expr == "broken" {
			return nil, errors.New("many-to-many")
		}
		return works(ctx, expr, at)
	}, Rules{Checks: []Check{{Service: "shop", Name: "c", Query: "broken", Status: Unhealthy}, {Name: "of all", Query: "broken", Status: Unhealthy}}},
		func() time.Time { return time.Unix(3600, 0) })
	services, err := a.Services(t.Context())
	require.NoError(t, err)
	require.Len(t, services, 2)
	assert.Equal(t, Healthy, services[0].Status)
	assert.Equal(t, Degraded, services[1].Status)
	assert.Equal(t, "degraded check: c cannot be evaluated: many-to-many", reasons(&services[1])[0])
}

func TestAlertRules(t *testing.T) {
	rules := AlertRules{Unhealthy: alert.Critical, Degraded: alert.Medium}
	for severity, want := range map[alert.Severity]Status{
		alert.Critical: Unhealthy, alert.High: Degraded, alert.Medium: Degraded, alert.Low: Healthy, alert.Info: Healthy,
	} {
		assert.Equal(t, want, rules.status(severity), severity)
		assert.Equal(t, Healthy, AlertRules{}.status(severity), "none counts")
	}
}

func TestReasonsAreBounded(t *testing.T) {
	found := findings{}
	for i := range 3 * maxReasons {
		found.add("shop", time.Time{}, Reason{FromCheck, Degraded, fmt.Sprintf("%03d %s", i, strings.Repeat("é", maxMessage))})
	}
	found.add("shop", time.Time{}, Reason{FromProbe, Unhealthy, "the worst"})
	s := found.judge(time.Unix(0, 0))[0]
	assert.Equal(t, Unhealthy, s.Status)
	require.Len(t, s.Reasons, maxReasons)
	assert.Equal(t, "the worst", s.Reasons[0].Message)
	assert.Contains(t, s.Reasons[maxReasons-1].Message, "(and 21 more)")
	assert.Less(t, len(s.Reasons[1].Message), maxMessage+10)
}

func TestLongNamesStayDifferent(t *testing.T) {
	long := strings.Repeat("é", 300)
	a, b := storable(long+"a"), storable(long+"b")
	assert.NotEqual(t, a, b)
	assert.Len(t, []rune(a), maxName)
	assert.Equal(t, a, storable(a))
	assert.Equal(t, "a\ufffd\ufffd", storable("a\x00\xff"))
}
