package monitoringapiextension

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/metricstore"
)

const dryRunPath = "/api/v1/alerts/rules/dry-run"

const tooMany = `{"name":"Long","query":"jobs > 10","duration":"2m","severity":"high","evaluationInterval":"1m",` +
	`"labels":{"team":"mail"},"annotations":{"summary":"{{ $value }} jobs wait in {{ $labels.queue }}"}}`

func TestDryRun(t *testing.T) {
	_, base := start(t, newTestStore(t, `load 1m
		jobs{queue="mail"} 0x9 17x9 0x40
		jobs{queue="short"} 0x9 17 0x40`))
	got := decode[api.AlertRuleDryRun](t, sendJSON(t, http.MethodPost, base+dryRunPath+"?start=300&end=3000", tooMany, http.StatusOK))
	fired, ended := time.Unix(12*60, 0).UTC(), time.Unix(20*60, 0).UTC()
	assert.Equal(t, api.AlertRuleDryRun{
		Start: time.Unix(300, 0).UTC(), End: time.Unix(3000, 0).UTC(), Step: "1m", Evaluations: 48, Fired: 1, NeverFired: 1,
		Alerts: []api.DryRunAlert{{
			Name: "Long", Severity: "high", State: api.DryRunAlertStateResolved, ActiveAt: time.Unix(600, 0).UTC(), FiredAt: &fired, ResolvedAt: &ended,
			FiredFor: new("8m"), Labels: map[string]string{"alertname": "Long", "queue": "mail", "team": "mail", "severity": "high"},
			Annotations: &map[string]string{"summary": "17 jobs wait in mail"}, Value: new(17.0),
		}},
	}, got)

	kept := decode[api.AlertRuleDryRun](t, sendJSON(t, http.MethodPost, base+dryRunPath+"?start=300&end=3000&step=30&keepFiringFor=5m", tooMany, http.StatusOK))
	assert.Equal(t, "30s", kept.Step)
	assert.Equal(t, "13m", *kept.Alerts[0].FiredFor)
}

func TestDryRunOfTheLastHour(t *testing.T) {
	store := newTestStore(t, "")
	appendNow(t, store, 17, "__name__", "jobs", "queue", "mail")
	_, base := start(t, store)
	body := `{"name":"Now","query":"jobs > 10","duration":"0s","severity":"low"}`
	got := decode[api.AlertRuleDryRun](t, sendJSON(t, http.MethodPost, base+dryRunPath, body, http.StatusOK))
	assert.Equal(t, time.Hour, got.End.Sub(got.Start))
	assert.Equal(t, "5s", got.Step)
	assert.Equal(t, 1, got.Firing)
	assert.Equal(t, api.DryRunAlertStateFiring, got.Alerts[0].State)
	week := decode[api.AlertRuleDryRun](t, sendJSON(t, http.MethodPost, base+dryRunPath+fmt.Sprintf("?start=%d", time.Now().Add(-7*24*time.Hour).Unix()), body, http.StatusOK))
	assert.LessOrEqual(t, week.Evaluations, dryRunPoints+1)
	assert.GreaterOrEqual(t, week.Evaluations, dryRunPoints-5)
}

func TestDryRunOfAStoredRule(t *testing.T) {
	base, _ := startWithState(t, "ann")
	rule := sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules", `{"name":"One","query":"vector(1)","duration":"0s","severity":"low","enabled":false}`, http.StatusCreated)
	got := decode[api.AlertRuleDryRun](t, sendJSON(t, http.MethodPost, base+rule.header.Get("Location")+"/dry-run?start=0&end=60&step=15s", "", http.StatusOK))
	assert.Equal(t, 1, got.Firing)
	assert.Equal(t, 5, got.Evaluations)
	sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules/0197911e-91f0-7c7e-b3a5-6f0c1f6f4a11/dry-run", "", http.StatusNotFound)
	_, without := start(t, newTestStore(t, ""))
	sendJSON(t, http.MethodPost, without+"/api/v1/alerts/rules/0197911e-91f0-7c7e-b3a5-6f0c1f6f4a11/dry-run", "", http.StatusNotFound)
}

func TestDryRunFaults(t *testing.T) {
	store := newTestStore(t, "load 1m\n"+`a{i="1"} 1x60`+"\n"+`a{i="2"} 1x60`)
	_, base := start(t, store)
	rule := func(query string) string {
		return `{"name":"N","query":"` + query + `","duration":"1m","severity":"low","labels":{"i":"same"}}`
	}
	for name, tt := range map[string]struct {
		parameters, body string
		status           int
		field, detail    string
	}{
		"no PromQL":        {"", rule("a >"), http.StatusBadRequest, "query", "1:4: parse error"},
		"a string":         {"", rule("'a'"), http.StatusBadRequest, "query", "must give an instant vector"},
		"start":            {"?start=x", rule("a"), http.StatusBadRequest, "start", "must be an RFC 3339 time"},
		"end before start": {"?start=10&end=5", rule("a"), http.StatusBadRequest, "end", "must not be before"},
		"before all times": {"?end=0000-01-01T00:00:00Z", rule("a"), http.StatusBadRequest, "start", "must be in 1970 or later"},
		"step":             {"?step=0", rule("a"), http.StatusBadRequest, "step", "must be at least 1ms"},
		"keepFiringFor":    {"?keepFiringFor=x", rule("a"), http.StatusBadRequest, "keepFiringFor", "must be a duration"},
		"too many steps":   {"?start=0&end=3600&step=100ms", rule("a"), http.StatusBadRequest, "step", "makes 36601 evaluations"},
		"a long lead":      {"?keepFiringFor=290y&step=1ms", rule("a"), http.StatusBadRequest, "step", "evaluations"},
		"the same labels":  {"?start=0&end=60", rule("a"), http.StatusUnprocessableEntity, "query", "at 1970-01-01T00:00:00Z: vector contains metrics with the same labelset"},
		"many to many":     {"?start=0&end=60", rule("a * on () a"), http.StatusUnprocessableEntity, "query", "many-to-many"},
		"too many samples": {"?start=0&end=3600", rule("sum(sum_over_time(a[1h:1s]))"), http.StatusUnprocessableEntity, "query", "too many samples"},
	} {
		t.Run(name, func(t *testing.T) {
			got := sendJSON(t, http.MethodPost, base+dryRunPath+tt.parameters, tt.body, tt.status)
			fault := got.problem(t).Errors[0]
			assert.Equal(t, tt.field, fault.Field)
			assert.Contains(t, fault.Detail, tt.detail)
		})
	}

	store.breakdown(metricstore.ErrUnavailable)
	assert.NotEmpty(t, sendJSON(t, http.MethodPost, base+dryRunPath, rule("a"), http.StatusServiceUnavailable).header.Get("Retry-After"))
	store.breakdown(metricstore.ErrTimeout)
	sendJSON(t, http.MethodPost, base+dryRunPath, rule("a"), http.StatusServiceUnavailable)
}

// FuzzDryRun wants an answer or a fault that is the client's.
func FuzzDryRun(f *testing.F) {
	f.Add(tooMany, "300", "3000", "1m", "5m")
	f.Add(`{"name":"A","query":"a[5m]","duration":"292y","severity":"high"}`, "-1e9", "1e11", "0.0015", "292y")
	f.Add(`{"name":"A","query":"rate(jobs[1m]) or vector(NaN)","duration":"1ms","severity":"info","annotations":{"a":"{{ query \"1\" }}"}}`, "", "0", "", "")
	f.Add(`[]`, "x", "2025-06-20T15:08:23Z", "\x00", "é")
	store := newTestStore(f, "load 1m\n"+`jobs{queue="mail"} 0x9 17x9 0x40`)
	_, base := start(f, store)
	f.Fuzz(func(t *testing.T, body, begin, end, step, keep string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		query := url.Values{}
		for name, value := range map[string]string{"start": begin, "end": end, "step": step, "keepFiringFor": keep} {
			if value != "" {
				query.Set(name, value)
			}
		}
		got := do(t, http.MethodPost, base+dryRunPath+"?"+query.Encode(), body, "Content-Type", jsonType)
		require.NoError(t, ctx.Err())
		switch got.status {
		case http.StatusOK:
			decode[api.AlertRuleDryRun](t, got)
		case http.StatusBadRequest, http.StatusUnprocessableEntity:
			require.NotEmpty(t, got.problem(t).Errors, got.body)
		default:
			t.Fatalf("status %d for %q: %s", got.status, body, got.body)
		}
	})
}
