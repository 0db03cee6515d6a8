package monitoringapiextension

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
)

const cpuRule = `{"name":"HighCpu","query":"cpu > 80","duration":"5m","severity":"high","labels":{"team":"a"},` +
	`"annotations":{"summary":"{{ $value }}% on {{ $labels.host }}"},"id":"mine","createdBy":"me"}`

func TestAlertRulesLife(t *testing.T) {
	base, _ := startWithState(t, "ann")
	created := sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules", cpuRule, http.StatusCreated)
	r := decode[api.AlertRule](t, created)
	assert.Equal(t, "ann", *r.CreatedBy, "what the server gives is not the client's")
	assert.NotEqual(t, "mine", *r.ID)
	assert.True(t, *r.Enabled)
	assert.Equal(t, "5s", *r.EvaluationInterval)
	assert.Equal(t, map[string]string{"team": "a"}, *r.Labels)
	url := base + created.header.Get("Location")
	got := get(t, url)
	assert.JSONEq(t, created.body, got.body)
	assert.Equal(t, created.header.Get("ETag"), got.header.Get("ETag"))

	disabled := sendJSON(t, http.MethodPost, url+"/disable", "", http.StatusOK)
	assert.False(t, *decode[api.AlertRule](t, disabled).Enabled)
	again := sendJSON(t, http.MethodPost, url+"/disable", "", http.StatusOK)
	assert.Equal(t, disabled.header.Get("ETag"), again.header.Get("ETag"), "nothing changed")

	updated := decode[api.AlertRule](t, sendJSON(t, http.MethodPut, url,
		`{"name":"Cpu","query":"cpu > 90","duration":"0s","severity":"critical","evaluationInterval":"1m"}`, http.StatusOK))
	assert.Equal(t, "Cpu", updated.Name)
	assert.Equal(t, "cpu > 90", updated.Query)
	assert.Equal(t, "1m", *updated.EvaluationInterval)
	assert.Nil(t, updated.Labels)
	assert.False(t, *updated.Enabled, "as it was")
	assert.Equal(t, "ann", *updated.CreatedBy)
	assert.Equal(t, r.CreatedAt, updated.CreatedAt)
	assert.Equal(t, updated, decode[api.AlertRule](t, get(t, url)))

	assert.True(t, *decode[api.AlertRule](t, sendJSON(t, http.MethodPost, url+"/enable", "", http.StatusOK)).Enabled)
	sendJSON(t, http.MethodPut, url, got.body, http.StatusOK)
	assert.Equal(t, http.StatusNoContent, do(t, http.MethodDelete, url, "").status)
	assert.Equal(t, http.StatusNotFound, get(t, url).status)
	assert.JSONEq(t, `[]`, get(t, base+"/api/v1/alerts/rules").body)
}

func TestAlertRuleTellsItsAlerts(t *testing.T) {
	base, stored := startWithState(t, "ann")
	created := sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules", cpuRule, http.StatusCreated)
	a := firingAlert("HighCpu", 0, alert.High)
	a.RuleID = *decode[api.AlertRule](t, created).ID
	stored.intake(t, a)
	r := decode[api.AlertRule](t, get(t, base+created.header.Get("Location")))
	assert.Equal(t, 1, *r.FiringAlerts)
	assert.Equal(t, noon, *r.LastTriggeredAt)
}

func TestTwoWritersOfAnAlertRule(t *testing.T) {
	base, _ := startWithState(t, "ann")
	created := sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules", cpuRule, http.StatusCreated)
	url, known := base+created.header.Get("Location"), created.header.Get("ETag")
	disabled := sendJSON(t, http.MethodPost, url+"/disable", "", http.StatusOK, "If-Match", known)
	for _, path := range []string{"/enable", "/disable"} {
		sendJSON(t, http.MethodPost, url+path, "", http.StatusPreconditionFailed, "If-Match", known)
	}
	sendJSON(t, http.MethodPut, url, cpuRuleOf(t, created), http.StatusPreconditionFailed, "If-Match", known)
	assert.Equal(t, http.StatusPreconditionFailed, do(t, http.MethodDelete, url, "", "If-Match", known).status)
	assert.Equal(t, http.StatusNoContent, do(t, http.MethodDelete, url, "", "If-Match", disabled.header.Get("ETag")).status)
}

// cpuRuleOf is the body of an answer, as a client would send it back.
func cpuRuleOf(t testing.TB, a answer) string {
	t.Helper()
	decode[api.AlertRule](t, a)
	return a.body
}

// Writers without If-Match do not hinder each other.
func TestManyWritersOfAnAlertRule(t *testing.T) {
	base, _ := startWithState(t, "ann")
	created := sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules", cpuRule, http.StatusCreated)
	url := base + created.header.Get("Location")
	statuses := make([]int, 4)
	var writers sync.WaitGroup
	for i := range statuses {
		writers.Go(func() {
			statuses[i] = do(t, http.MethodPut, url, created.body, "Content-Type", jsonType).status
		})
	}
	writers.Wait()
	for _, status := range statuses {
		assert.Equal(t, http.StatusOK, status)
	}
	assert.Equal(t, `"5"`, get(t, url).header.Get("ETag"))
}

func TestListOfAlertRules(t *testing.T) {
	base, _ := startWithState(t, "ann")
	for i, name := range []string{"C", "A", "D", "B"} {
		sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules", fmt.Sprintf(
			`{"name":%q,"query":"up == 0","duration":"1m","severity":%q,"enabled":%t}`, name, []string{"low", "high"}[i%2], i > 0), http.StatusCreated)
	}
	for query, want := range map[string][]string{
		"": {"A", "B", "C", "D"}, "limit=1": {"A", "B", "C", "D"}, "enabled=true": {"A", "B", "D"}, "enabled=false": {"C"}, "severity=high": {"A", "B"},
	} {
		assert.Equal(t, want, allPages(t, base+"/api/v1/alerts/rules?"+query, "name", func() {}), query)
	}
}

func TestAlertRulesThatAreRefused(t *testing.T) {
	base, _ := startWithState(t, "ann")
	created := sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules", cpuRule, http.StatusCreated)
	const rest = `,"duration":"1m","severity":"low"}`
	tests := map[string]struct{ body, field, detail string }{
		"query does not parse": {`{"name":"A","query":"up ==\n  == 1"` + rest, "query", "2:3: parse error: unexpected <op:==>"},
		"query gives a range":  {`{"name":"A","query":"up[5m]"` + rest, "query", "gives a range vector"},
		"query gives a string": {`{"name":"A","query":"'a'"` + rest, "query", "gives a string"},
		"no query":             {`{"name":"A"` + rest, "query", "must be given"},
		"no duration":          {`{"name":"A","query":"up","severity":"low"}`, "duration", "must be given"},
		"duration has no unit": {`{"name":"A","query":"up","duration":"5","severity":"low"}`, "duration", "such as 30s"},
		"negative duration":    {`{"name":"A","query":"up","duration":"-5m","severity":"low"}`, "duration", "such as 30s"},
		"interval is 0":        {`{"name":"A","query":"up","evaluationInterval":"0s"` + rest, "evaluationInterval", "longer than 0"},
		"template":             {`{"name":"A","query":"up","annotations":{"a":"{{ $value"}` + rest, "annotations.a", "template"},
		"template of a label":  {`{"name":"A","query":"up","labels":{"l":"{{ nothing }}"}` + rest, "labels.l", "nothing"},
		"label alertname":      {`{"name":"A","query":"up","labels":{"alertname":"B"}` + rest, "labels", "other than"},
		"severity":             {`{"name":"A","query":"up","duration":"1m","severity":"page"}`, "severity", ""},
		"empty name":           {`{"name":"","query":"up"` + rest, "name", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for method, url := range map[string]string{http.MethodPost: base + "/api/v1/alerts/rules", http.MethodPut: base + created.header.Get("Location")} {
				got := sendJSON(t, method, url, tt.body, http.StatusBadRequest)
				faults := got.problem(t).Errors
				require.Len(t, faults, 1, got.body)
				assert.Equal(t, tt.field, faults[0].Field)
				assert.Contains(t, faults[0].Detail, tt.detail)
			}
		})
	}
	several := sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules", `{"name":"A","query":"(","duration":"x","severity":"low"}`, http.StatusBadRequest)
	assert.Len(t, several.problem(t).Errors, 2)
	other := sendJSON(t, http.MethodPut, base+created.header.Get("Location"), cpuRule, http.StatusBadRequest)
	assert.Equal(t, "id", other.problem(t).Errors[0].Field)

	assert.JSONEq(t, "["+created.body+"]", get(t, base+"/api/v1/alerts/rules").body, "nothing was stored")
	for _, id := range []string{unknownID, "x"} {
		for _, path := range []string{"/enable", "/disable"} {
			sendJSON(t, http.MethodPost, base+"/api/v1/alerts/rules/"+id+path, "", http.StatusNotFound)
		}
		assert.Equal(t, http.StatusNotFound, do(t, http.MethodDelete, base+"/api/v1/alerts/rules/"+id, "").status)
		assert.Equal(t, http.StatusNotFound, get(t, base+"/api/v1/alerts/rules/"+id).status)
	}
	assert.Equal(t, http.StatusBadRequest, get(t, base+"/api/v1/alerts/rules?cursor=x").status)
}
