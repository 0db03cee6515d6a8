package monitoringapiextension

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
)

const unknownID = "0197911e-91f0-7c7e-b3a5-6f0c1f6f4a11"

func createIncident(t testing.TB, base, body string) api.Incident {
	t.Helper()
	return decode[api.Incident](t, sendJSON(t, http.MethodPost, base+"/api/v1/incidents", body, http.StatusCreated))
}

// events gives the timeline as lines of type, author and content.
func events(t testing.TB, base, id string) (lines []string) {
	t.Helper()
	for i, e := range decode[[]api.TimelineEvent](t, get(t, base+"/api/v1/incidents/"+id+"/timeline")) {
		assert.Equal(t, id, e.IncidentID, i)
		lines = append(lines, fmt.Sprintf("%s %s: %s", e.Type, *e.CreatedBy, e.Content))
	}
	return lines
}

func TestIncidentsLife(t *testing.T) {
	base, _ := startWithState(t, "ann")
	created := sendJSON(t, http.MethodPost, base+"/api/v1/incidents",
		`{"title":"Slow","description":"Orders wait","severity":"high","affectedServices":["b","a","b"]}`, http.StatusCreated)
	in := decode[api.Incident](t, created)
	assert.Equal(t, "Slow", in.Title)
	assert.Equal(t, "ann", *in.CreatedBy)
	assert.Equal(t, api.IncidentStatusOpen, in.Status)
	assert.Equal(t, []string{"a", "b"}, *in.AffectedServices)
	assert.Equal(t, "/api/v1/incidents/"+in.ID, created.header.Get("Location"))
	url := base + created.header.Get("Location")
	got := get(t, url)
	assert.JSONEq(t, created.body, got.body)
	assert.Equal(t, created.header.Get("ETag"), got.header.Get("ETag"))

	updated := sendJSON(t, http.MethodPut, url, `{"status":"investigating","comment":"On it","assignedTo":"bob"}`, http.StatusOK)
	in = decode[api.Incident](t, updated)
	assert.Equal(t, api.IncidentStatusInvestigating, in.Status)
	assert.Equal(t, "bob", *in.AssignedTo)
	assert.NotEqual(t, created.header.Get("ETag"), updated.header.Get("ETag"))

	same := sendJSON(t, http.MethodPut, url, `{"status":"investigating","assignedTo":"bob"}`, http.StatusOK)
	assert.Equal(t, updated.header.Get("ETag"), same.header.Get("ETag"), "nothing changed")

	illegal := sendJSON(t, http.MethodPut, url, `{"status":"open","comment":"lost"}`, http.StatusConflict)
	assert.Contains(t, illegal.problem(t).Detail, "only to mitigated, resolved")
	assert.Equal(t, "status", illegal.problem(t).Errors[0].Field)

	sendJSON(t, http.MethodPost, url+"/timeline", `{"type":"action","content":"Restarted","metadata":{"pods":2}}`, http.StatusCreated)
	in = decode[api.Incident](t, sendJSON(t, http.MethodPut, url, `{"status":"resolved","assignedTo":""}`, http.StatusOK))
	assert.NotNil(t, in.ResolvedAt)
	assert.Nil(t, in.AssignedTo)
	in = decode[api.Incident](t, sendJSON(t, http.MethodPut, url, `{"status":"open"}`, http.StatusOK))
	assert.Nil(t, in.ResolvedAt)

	assert.Equal(t, []string{
		"system ann: Incident opened",
		"status_change ann: Status changed from 'open' to 'investigating'",
		"action ann: Assigned to 'bob'",
		"comment ann: On it",
		"action ann: Restarted",
		"status_change ann: Status changed from 'investigating' to 'resolved'",
		"action ann: Assigned to nobody",
		"status_change ann: Status changed from 'resolved' to 'open'",
	}, events(t, base, in.ID))
	timeline := decode[[]api.TimelineEvent](t, get(t, url+"/timeline"))
	assert.Equal(t, map[string]any{"oldStatus": "open", "newStatus": "investigating"}, *timeline[1].Metadata)
	assert.Equal(t, map[string]any{"pods": 2.0}, *timeline[4].Metadata)
}

func TestAuthorsWithoutNames(t *testing.T) {
	base, _ := startWithState(t, "")
	assert.Equal(t, "anonymous", *createIncident(t, base, `{"title":"T","severity":"low"}`).CreatedBy)
}

func TestTwoWritersOfAnIncident(t *testing.T) {
	base, _ := startWithState(t, "ann")
	created := sendJSON(t, http.MethodPost, base+"/api/v1/incidents", `{"title":"T","severity":"low"}`, http.StatusCreated)
	url, known := base+created.header.Get("Location"), created.header.Get("ETag")
	first := sendJSON(t, http.MethodPut, url, `{"status":"investigating"}`, http.StatusOK, "If-Match", known)
	second := sendJSON(t, http.MethodPut, url, `{"status":"resolved"}`, http.StatusPreconditionFailed, "If-Match", known)
	assert.Contains(t, second.problem(t).Detail, first.header.Get("ETag"))
	sendJSON(t, http.MethodPut, url, `{"status":"resolved"}`, http.StatusBadRequest, "If-Match", "7")
	assert.Equal(t, api.IncidentStatusInvestigating, decode[api.Incident](t, get(t, url)).Status)
	sendJSON(t, http.MethodPut, url, `{"status":"resolved"}`, http.StatusOK, "If-Match", "*")
}

func TestIncidentsWithAlerts(t *testing.T) {
	base, stored := startWithState(t, "ann")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	value := 85.2
	records := stored.intake(t, alert.Alert{
		Labels: map[string]string{"alertname": "HighCpu", "service": "a"}, Annotations: map[string]string{"summary": "Hot"},
		Severity: alert.High, Status: alert.Firing, StartsAt: at, UpdatedAt: at, Value: &value,
	})
	id := records[0].ID
	in := createIncident(t, base, `{"title":"T","severity":"low","relatedAlerts":["`+id+`","`+id+`"]}`)
	require.Len(t, *in.RelatedAlerts, 1)
	related := (*in.RelatedAlerts)[0]
	assert.Equal(t, id, related.ID)
	assert.Equal(t, "HighCpu", related.Name)
	assert.Equal(t, "Hot", *related.Description)
	assert.InDelta(t, value, *related.Value, 0)
	assert.Equal(t, at, related.StartsAt)
	assert.Equal(t, []string{"system ann: Incident opened", "alert ann: Alerts added: 1"}, events(t, base, in.ID))

	taken := sendJSON(t, http.MethodPost, base+"/api/v1/incidents", `{"title":"T","severity":"low","relatedAlerts":["`+id+`"]}`, http.StatusConflict)
	assert.Contains(t, taken.problem(t).Detail, in.ID)
	for _, unknown := range []string{unknownID, "x"} {
		got := sendJSON(t, http.MethodPost, base+"/api/v1/incidents", `{"title":"T","severity":"low","relatedAlerts":["`+unknown+`"]}`, http.StatusBadRequest)
		assert.Equal(t, "relatedAlerts", got.problem(t).Errors[0].Field)
	}
	list := decode[[]api.Incident](t, get(t, base+"/api/v1/incidents"))
	require.Len(t, list, 1, "what was refused stored nothing")
	assert.Equal(t, in, list[0])
}

func TestListOfIncidents(t *testing.T) {
	base, _ := startWithState(t, "ann")
	assert.JSONEq(t, `[]`, get(t, base+"/api/v1/incidents").body)
	var ids []string // the newest first
	for i := range 5 {
		in := createIncident(t, base, fmt.Sprintf(`{"title":"T%d","severity":%q}`, i, []string{"low", "high"}[i%2]))
		ids = append([]string{in.ID}, ids...)
	}
	sendJSON(t, http.MethodPut, base+"/api/v1/incidents/"+ids[4], `{"status":"resolved"}`, http.StatusOK)
	sendJSON(t, http.MethodPut, base+"/api/v1/incidents/"+ids[3], `{"status":"mitigated","assignedTo":"bob"}`, http.StatusOK)
	tests := map[string][]string{
		"":                                    ids,
		"status=all":                          ids,
		"status=active":                       ids[:4],
		"status=resolved":                     ids[4:],
		"severity=high":                       {ids[1], ids[3]},
		"assignedTo=bob":                      ids[3:4],
		"assignedTo=' OR '1'='1":              nil,
		"start=2100-01-01T00:00:00Z":          nil,
		"end=2100-01-01T00:00:00Z&limit=1000": ids,
	}
	for query, want := range tests {
		assert.Equal(t, want, allPages(t, base+"/api/v1/incidents?"+escaped(t, query), "id", func() {}), query)
	}
	newcomers := func() { createIncident(t, base, `{"title":"new","severity":"low"}`) }
	assert.Equal(t, ids, allPages(t, base+"/api/v1/incidents?limit=2", "id", newcomers), "newcomers come before the first page")
}

// escaped writes a query in the form of a URL.
func escaped(t testing.TB, query string) string {
	t.Helper()
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	return values.Encode()
}

func TestPagesOfATimeline(t *testing.T) {
	base, _ := startWithState(t, "ann")
	url := base + "/api/v1/incidents/" + createIncident(t, base, `{"title":"T","severity":"low"}`).ID + "/timeline"
	want := []string{"Incident opened"}
	for i := range 4 {
		want = append(want, fmt.Sprintf("note %d", i))
		sendJSON(t, http.MethodPost, url, fmt.Sprintf(`{"type":"comment","content":"note %d"}`, i), http.StatusCreated)
	}
	assert.Equal(t, want, allPages(t, url+"?limit=2", "content", func() {}))
}

func TestRequestsOfIncidentsThatAreRefused(t *testing.T) {
	base, _ := startWithState(t, "ann")
	in := createIncident(t, base, `{"title":"T","severity":"low"}`)
	own := "/api/v1/incidents/" + in.ID
	tests := map[string]struct {
		method, path, body string
		status             int
		field              string
	}{
		"unknown id":           {http.MethodGet, "/api/v1/incidents/" + unknownID, "", http.StatusNotFound, ""},
		"no id":                {http.MethodGet, "/api/v1/incidents/x'--", "", http.StatusNotFound, ""},
		"update unknown":       {http.MethodPut, "/api/v1/incidents/" + unknownID, `{"status":"resolved"}`, http.StatusNotFound, ""},
		"timeline of unknown":  {http.MethodGet, "/api/v1/incidents/" + unknownID + "/timeline", "", http.StatusNotFound, ""},
		"event of unknown":     {http.MethodPost, "/api/v1/incidents/x/timeline", `{"type":"comment","content":"c"}`, http.StatusNotFound, ""},
		"no title":             {http.MethodPost, "/api/v1/incidents", `{"severity":"low"}`, http.StatusBadRequest, "title"},
		"empty title":          {http.MethodPost, "/api/v1/incidents", `{"title":"","severity":"low"}`, http.StatusBadRequest, "title"},
		"severity of an alert": {http.MethodPost, "/api/v1/incidents", `{"title":"T","severity":"info"}`, http.StatusBadRequest, "severity"},
		"empty service":        {http.MethodPost, "/api/v1/incidents", `{"title":"T","severity":"low","affectedServices":[""]}`, http.StatusBadRequest, "affectedServices[0]"},
		"no status":            {http.MethodPut, own, `{"comment":"c"}`, http.StatusBadRequest, "status"},
		"no such status":       {http.MethodPut, own, `{"status":"closed"}`, http.StatusBadRequest, "status"},
		"no such type":         {http.MethodPost, own + "/timeline", `{"type":"note","content":"c"}`, http.StatusBadRequest, "type"},
		"no content":           {http.MethodPost, own + "/timeline", `{"type":"comment","content":""}`, http.StatusBadRequest, "content"},
		"metadata is a list":   {http.MethodPost, own + "/timeline", `{"type":"comment","content":"c","metadata":[]}`, http.StatusBadRequest, "metadata"},
		"limit 0":              {http.MethodGet, "/api/v1/incidents?limit=0", "", http.StatusBadRequest, "limit"},
		"limit too large":      {http.MethodGet, own + "/timeline?limit=1001", "", http.StatusBadRequest, "limit"},
		"no cursor":            {http.MethodGet, "/api/v1/incidents?cursor=x", "", http.StatusBadRequest, "cursor"},
		"no such filter":       {http.MethodGet, "/api/v1/incidents?status=open", "", http.StatusBadRequest, "status"},
		"no time":              {http.MethodGet, "/api/v1/incidents?start=yesterday", "", http.StatusBadRequest, "start"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := do(t, tt.method, base+tt.path, tt.body, "Content-Type", jsonType)
			require.Equal(t, tt.status, got.status, got.body)
			if d := got.problem(t); tt.field != "" {
				require.NotEmpty(t, d.Errors, got.body)
				assert.Equal(t, tt.field, d.Errors[0].Field)
			}
		})
	}
	assert.Len(t, decode[[]api.Incident](t, get(t, base+"/api/v1/incidents")), 1)
	assert.Equal(t, []string{"system ann: Incident opened"}, events(t, base, in.ID))
}
