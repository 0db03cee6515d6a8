package monitoringapiextension

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
)

func TestLinkAndUnlinkAlerts(t *testing.T) {
	base, stored := startWithState(t, "ann")
	records := stored.intake(t, firingAlert("A", 0, alert.Critical, "service", "x"), firingAlert("B", 0, alert.High))
	in := createIncident(t, base, `{"title":"T","severity":"low"}`)
	other := createIncident(t, base, `{"title":"Other","severity":"low","relatedAlerts":["`+records[1].ID+`"]}`)
	url := base + "/api/v1/incidents/" + in.ID
	known := get(t, url).header.Get("ETag")

	linked := sendJSON(t, http.MethodPost, url+"/alerts", `{"ids":["`+records[0].ID+`"]}`, http.StatusOK, "If-Match", known)
	got := decode[api.Incident](t, linked)
	require.Len(t, *got.RelatedAlerts, 1)
	assert.Equal(t, api.IncidentSeverityCritical, got.Severity)
	assert.Equal(t, []string{"x"}, *got.AffectedServices)
	assert.Equal(t, linked.header.Get("ETag"), get(t, url).header.Get("ETag"))
	sendJSON(t, http.MethodPost, url+"/alerts", `{"ids":["`+records[0].ID+`"]}`, http.StatusPreconditionFailed, "If-Match", known)

	taken := sendJSON(t, http.MethodPost, url+"/alerts", `{"ids":["`+records[0].ID+`","`+records[1].ID+`"]}`, http.StatusConflict)
	assert.Contains(t, taken.problem(t).Detail, other.ID)

	sendJSON(t, http.MethodDelete, url+"/alerts/"+records[0].ID, "", http.StatusPreconditionFailed, "If-Match", known)
	left := sendJSON(t, http.MethodDelete, url+"/alerts/"+records[0].ID, "", http.StatusOK, "If-Match", linked.header.Get("ETag"))
	assert.Empty(t, *decode[api.Incident](t, left).RelatedAlerts)
	sendJSON(t, http.MethodDelete, url+"/alerts/"+records[0].ID, "", http.StatusNotFound)
	sendJSON(t, http.MethodDelete, url+"/alerts/"+records[1].ID, "", http.StatusNotFound)
	assert.Equal(t, []string{
		"system ann: Incident opened", "alert ann: Alerts linked: A", "system ann: Severity raised from 'low' to 'critical'",
		"system ann: Affected services added: x", "alert ann: Alert unlinked: A",
	}, events(t, base, in.ID))

	sendJSON(t, http.MethodPut, url, `{"status":"resolved"}`, http.StatusOK)
	sendJSON(t, http.MethodPost, url+"/alerts", `{"ids":["`+records[0].ID+`"]}`, http.StatusConflict)
	sendJSON(t, http.MethodPut, base+"/api/v1/incidents/"+other.ID, `{"status":"resolved"}`, http.StatusOK)
	sendJSON(t, http.MethodDelete, base+"/api/v1/incidents/"+other.ID+"/alerts/"+records[1].ID, "", http.StatusConflict)
}

func TestMergeIncidents(t *testing.T) {
	base, stored := startWithState(t, "ann")
	id := stored.intake(t, firingAlert("A", 0, alert.Critical, "service", "x"))[0].ID
	from := stored.correlate(t, "service=x", id)
	in := createIncident(t, base, `{"title":"T","severity":"low"}`)
	url := base + "/api/v1/incidents/" + in.ID
	known := get(t, url).header.Get("ETag")

	merged := sendJSON(t, http.MethodPost, url+"/merge", `{"from":["`+from+`"],"comment":"One cause"}`, http.StatusOK, "If-Match", known)
	got := decode[api.Incident](t, merged)
	assert.Equal(t, api.IncidentSeverityCritical, got.Severity)
	require.Len(t, *got.RelatedAlerts, 1)
	assert.JSONEq(t, merged.body, get(t, url).body)
	ended := decode[api.Incident](t, get(t, base+"/api/v1/incidents/"+from))
	assert.Equal(t, api.IncidentStatusResolved, ended.Status)
	assert.Equal(t, in.ID, *ended.MergedInto)
	assert.Equal(t, []string{"status_change ann: Status changed from 'open' to 'resolved': merged into 'T'"}, events(t, base, from))
	assert.Contains(t, events(t, base, in.ID), "comment ann: One cause")

	sendJSON(t, http.MethodPost, url+"/merge", `{"from":["`+unknownID+`"]}`, http.StatusPreconditionFailed, "If-Match", known)
	assert.Contains(t, sendJSON(t, http.MethodPost, url+"/merge", `{"from":["`+from+`"]}`, http.StatusConflict).problem(t).Detail, from)
	reopened := sendJSON(t, http.MethodPut, base+"/api/v1/incidents/"+from, `{"status":"open"}`, http.StatusConflict)
	assert.Contains(t, reopened.problem(t).Detail, in.ID)
}

func TestCommentsOnAnAlert(t *testing.T) {
	base, stored := startWithState(t, "ann")
	id := stored.intake(t, firingAlert("A", 0, alert.High))[0].ID
	url := base + "/api/v1/alerts/" + id
	comments := func() []api.AlertComment { return deref(decode[api.Alert](t, get(t, url)).Comments) }
	assert.Empty(t, comments())
	texts := []string{"one", `'; DROP TABLE alert_comments; --`, "日本 ?0 $1", "four"}
	for _, text := range texts {
		body, err := json.Marshal(map[string]string{"status": "firing", "comment": text})
		require.NoError(t, err)
		sendJSON(t, http.MethodPut, url, string(body), http.StatusOK)
	}
	for i, c := range comments() {
		assert.Equal(t, []any{texts[i], "ann", (*string)(nil)}, []any{c.Content, c.CreatedBy, c.IncidentID})
	}
	assert.Len(t, comments(), len(texts))
	in := createIncident(t, base, `{"title":"T","severity":"low","relatedAlerts":["`+id+`"]}`)
	assert.Equal(t, in.ID, *comments()[3].IncidentID)
	assert.Equal(t, "comment ann: four", events(t, base, in.ID)[5])
}

func TestRequestsThatNameWhatIsNotThere(t *testing.T) {
	base, stored := startWithState(t, "ann")
	id := stored.intake(t, firingAlert("A", 0, alert.High))[0].ID
	in := createIncident(t, base, `{"title":"T","severity":"low"}`)
	own := "/api/v1/incidents/" + in.ID
	many := `"` + strings.Repeat(unknownID+`","`, 1000) + unknownID + `"`
	tests := map[string]struct {
		method, path, body string
		status             int
		field              string
	}{
		"link to unknown":     {http.MethodPost, "/api/v1/incidents/" + unknownID + "/alerts", `{"ids":["` + id + `"]}`, http.StatusNotFound, ""},
		"link unknown":        {http.MethodPost, own + "/alerts", `{"ids":["` + id + `","` + unknownID + `"]}`, http.StatusBadRequest, "ids"},
		"link nonsense":       {http.MethodPost, own + "/alerts", `{"ids":["x' OR '1'='1"]}`, http.StatusBadRequest, "ids"},
		"link nothing":        {http.MethodPost, own + "/alerts", `{"ids":[]}`, http.StatusBadRequest, "ids"},
		"link too many":       {http.MethodPost, own + "/alerts", `{"ids":[` + many + `]}`, http.StatusBadRequest, "ids"},
		"no ids":              {http.MethodPost, own + "/alerts", `{}`, http.StatusBadRequest, "ids"},
		"unlink unknown":      {http.MethodDelete, own + "/alerts/" + unknownID, "", http.StatusNotFound, ""},
		"unlink nonsense":     {http.MethodDelete, own + "/alerts/x'--", "", http.StatusNotFound, ""},
		"unlink from unknown": {http.MethodDelete, "/api/v1/incidents/x/alerts/" + id, "", http.StatusNotFound, ""},
		"merge into unknown":  {http.MethodPost, "/api/v1/incidents/" + unknownID + "/merge", `{"from":["` + in.ID + `"]}`, http.StatusNotFound, ""},
		"merge unknown":       {http.MethodPost, own + "/merge", `{"from":["` + unknownID + `"]}`, http.StatusBadRequest, "from"},
		"merge nonsense":      {http.MethodPost, own + "/merge", `{"from":["x'; DROP TABLE incidents; --"]}`, http.StatusBadRequest, "from"},
		"merge with itself":   {http.MethodPost, own + "/merge", `{"from":["` + in.ID + `"]}`, http.StatusBadRequest, "from"},
		"merge nothing":       {http.MethodPost, own + "/merge", `{"from":[]}`, http.StatusBadRequest, "from"},
		"no from":             {http.MethodPost, own + "/merge", `{"comment":"c"}`, http.StatusBadRequest, "from"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := do(t, tt.method, base+tt.path, tt.body, "Content-Type", jsonType)
			require.Equal(t, tt.status, got.status, got.body)
			if d := got.problem(t); tt.field != "" {
				require.NotEmpty(t, d.Errors, got.body)
				assert.Contains(t, d.Errors[0].Field, tt.field)
			}
		})
	}
	assert.Equal(t, []string{"system ann: Incident opened"}, events(t, base, in.ID), "what was refused stored nothing")
}

// FuzzIncidentBodies wants of every body that it is taken, or refused with its fault named.
func FuzzIncidentBodies(f *testing.F) {
	base, stored := startWithState(f, "ann")
	id := stored.intake(f, firingAlert("A", 0, alert.High))[0].ID
	in, other := createIncident(f, base, `{"title":"T","severity":"low"}`), createIncident(f, base, `{"title":"T","severity":"low"}`)
	for _, seed := range []string{
		`{"ids":["` + id + `"]}`, `{"ids":["` + unknownID + `"]}`, `{"from":["` + other.ID + `"],"comment":"\u0000'"}`, `{"from":[1]}`, `{"ids":null}`, `[`,
	} {
		f.Add(true, []byte(seed))
		f.Add(false, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, links bool, body []byte) {
		path := "/merge"
		if links {
			path = "/alerts"
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/v1/incidents/"+in.ID+path, bytes.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", jsonType)
		switch got := send(t, req); got.status {
		case http.StatusOK:
			require.True(t, json.Valid(body))
		case http.StatusBadRequest:
			require.NotEmpty(t, got.problem(t).Errors)
		case http.StatusConflict:
		default:
			t.Fatalf("status %d for %q: %s", got.status, body, got.body)
		}
	})
}
