package monitoringapiextension

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
)

// windowBody is a window from now plus start until now plus end.
func windowBody(name string, start, end time.Duration, more string) string {
	now := time.Now().UTC()
	return fmt.Sprintf(`{"name":%q,"matchers":["service=\"db\""],"startsAt":%q,"endsAt":%q%s}`,
		name, now.Add(start).Format(time.RFC3339), now.Add(end).Format(time.RFC3339), more)
}

func TestMaintenanceWindowsLife(t *testing.T) {
	base, _ := startWithState(t, "ann")
	created := sendJSON(t, http.MethodPost, base+"/api/v1/maintenance-windows",
		windowBody("Patches", -time.Hour, time.Hour, `,"timeZone":"Europe/Berlin","recurrence":"FREQ=WEEKLY","createdBy":"eve","state":"ended"`), http.StatusCreated)
	w := decode[api.MaintenanceWindow](t, created)
	assert.Equal(t, []any{"Patches", "ann", "active", "Europe/Berlin"}, []any{w.Name, *w.CreatedBy, string(*w.State), *w.TimeZone})
	require.NotNil(t, w.Current)
	require.NotNil(t, w.Next)
	assert.Equal(t, w.StartsAt, w.Current.StartsAt)
	window := base + created.header.Get("Location")
	got := get(t, window)
	assert.JSONEq(t, created.body, got.body)
	assert.Equal(t, `"1"`, got.header.Get("ETag"))

	sendJSON(t, http.MethodPut, window, got.body, http.StatusPreconditionFailed, "If-Match", `"7"`)
	changed := sendJSON(t, http.MethodPut, window, strings.ReplaceAll(got.body, "Patches", "Upgrades"), http.StatusOK, "If-Match", `"1"`)
	assert.Equal(t, "Upgrades", decode[api.MaintenanceWindow](t, changed).Name)
	assert.Len(t, *decode[api.MaintenanceWindow](t, changed).History, 2)

	assert.Equal(t, http.StatusPreconditionFailed, do(t, http.MethodDelete, window, "", "If-Match", `"1"`).status)
	over := decode[api.MaintenanceWindow](t, sendJSON(t, http.MethodDelete, window+"?scope=occurrence", "", http.StatusOK))
	assert.Equal(t, "upcoming", string(*over.State))
	assert.Nil(t, over.Current)
	assert.Equal(t, http.StatusConflict, do(t, http.MethodDelete, window+"?scope=occurrence", "").status, "nothing goes on")
	ended := sendJSON(t, http.MethodDelete, window, "", http.StatusOK)
	w = decode[api.MaintenanceWindow](t, ended)
	assert.Equal(t, "ended", string(*w.State))
	var did []string
	for _, r := range *w.History {
		did = append(did, string(r.Action)+" "+r.Name)
	}
	assert.Equal(t, []string{"cancelled Upgrades", "occurrence_ended Upgrades", "changed Upgrades", "created Patches"}, did)
	assert.Equal(t, ended.body, sendJSON(t, http.MethodDelete, window, "", http.StatusOK).body, "it stays as it is")
	sendJSON(t, http.MethodPut, window, got.body, http.StatusConflict)

	past := get(t, window+"/occurrences?start="+url.QueryEscape(w.StartsAt.Add(-time.Hour).Format(time.RFC3339)))
	assert.Len(t, decode[[]api.MaintenanceOccurrence](t, past), 1, past.body)
	assert.JSONEq(t, `[]`, get(t, window+"/occurrences").body)
}

func TestOccurrencesOfAMaintenanceWindow(t *testing.T) {
	base, _ := startWithState(t, "ann")
	body := `{"name":"Month end","matchers":["job=batch"],"startsAt":"2126-01-31T22:00:00+01:00","endsAt":"2126-02-01T06:00:00+01:00",` +
		`"timeZone":"Europe/Berlin","recurrence":"FREQ=MONTHLY;BYMONTHDAY=-1"}`
	window := base + sendJSON(t, http.MethodPost, base+"/api/v1/maintenance-windows", body, http.StatusCreated).header.Get("Location")
	got := get(t, window+"/occurrences?start=2126-03-02T00:00:00Z&end=2126-05-01T00:00:00Z")
	assert.JSONEq(t, `[{"startsAt":"2126-03-31T20:00:00Z","endsAt":"2126-04-01T04:00:00Z"},{"startsAt":"2126-04-30T20:00:00Z","endsAt":"2126-05-01T04:00:00Z"}]`, got.body)
	assert.Len(t, decode[[]api.MaintenanceOccurrence](t, get(t, window+"/occurrences?start=2126-01-01T00:00:00Z&limit=3")), 3)
	for _, query := range []string{"start=2126-03-01T00:00:00Z&end=2126-02-01T00:00:00Z", "start=2126-03-01T00:00:00Z&end=2150-01-01T00:00:00Z", "limit=0", "start=soon"} {
		assert.Equal(t, http.StatusBadRequest, get(t, window+"/occurrences?"+query).status, query)
	}
}

func TestListOfMaintenanceWindows(t *testing.T) {
	base, _ := startWithState(t, "ann")
	list := base + "/api/v1/maintenance-windows"
	for i, name := range []string{"A", "B", "C", "D", "E", "F"} {
		start := time.Duration([]int{3, -2, 1, -1, 2, -3}[i]) * time.Hour
		created := sendJSON(t, http.MethodPost, list, windowBody(name, start, start+4*time.Hour, ""), http.StatusCreated)
		if name == "F" {
			sendJSON(t, http.MethodDelete, base+created.header.Get("Location"), "", http.StatusOK)
		}
	}
	for query, want := range map[string][]string{
		"": {"F", "E", "D", "C", "B", "A"}, "limit=1": {"F", "E", "D", "C", "B", "A"}, "state=all&limit=4": {"F", "E", "D", "C", "B", "A"},
		"state=active": {"B", "D"}, "state=active&limit=1": {"B", "D"}, "state=upcoming&limit=2": {"C", "E", "A"}, "state=ended": {"F"},
	} {
		assert.Equal(t, want, allPages(t, list+"?"+query, "name", func() {}), query)
	}
	for _, query := range []string{"cursor=x", "state=active&cursor=x", "state=ended&cursor=x", "state=gone", "limit=1001"} {
		assert.Equal(t, http.StatusBadRequest, get(t, list+"?"+query).status, query)
	}
}

func TestMaintenanceWindowsThatAreRefused(t *testing.T) {
	base, _ := startWithState(t, "ann")
	list := base + "/api/v1/maintenance-windows"
	good := windowBody("A", time.Hour, 2*time.Hour, "")
	created := sendJSON(t, http.MethodPost, list, good, http.StatusCreated)
	for name, tt := range map[string]struct{ body, field, detail string }{
		"ends before it starts": {windowBody("A", 2*time.Hour, time.Hour, ""), "endsAt", "after startsAt"},
		"has passed":            {windowBody("A", -2*time.Hour, -time.Hour, ""), "endsAt", "in the future"},
		"unknown time zone":     {windowBody("A", time.Hour, 2*time.Hour, `,"timeZone":"Mars/Olympus"`), "timeZone", "IANA"},
		"every second":          {windowBody("A", time.Hour, 2*time.Hour, `,"recurrence":"FREQ=SECONDLY"`), "recurrence", "DAILY"},
		"never":                 {windowBody("A", time.Hour, 2*time.Hour, `,"recurrence":"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"`), "recurrence", "none within"},
		"a wrong matcher":       {strings.ReplaceAll(good, `service=\"db\"`, `service=~\"(\"`), "matchers", "missing closing )"},
		"a matcher of all":      {strings.ReplaceAll(good, `service=\"db\"`, `service=~\".*\"`), "matchers", "empty value"},
		"no matcher":            {strings.ReplaceAll(good, `"service=\"db\""`, ``), "matchers", ""},
		"no name":               {strings.ReplaceAll(good, `"A"`, `""`), "name", ""},
		"no time":               {`{"name":"A","matchers":["a=b"],"endsAt":"2126-01-01T00:00:00Z"}`, "startsAt", "must be given"},
		"a wrong time":          {strings.ReplaceAll(good, `"startsAt":"2`, `"startsAt":"x2`), "startsAt", "RFC 3339"},
	} {
		t.Run(name, func(t *testing.T) {
			for method, url := range map[string]string{http.MethodPost: list, http.MethodPut: base + created.header.Get("Location")} {
				faults := sendJSON(t, method, url, tt.body, http.StatusBadRequest).problem(t).Errors
				require.Len(t, faults, 1)
				assert.Equal(t, tt.field, faults[0].Field)
				assert.Contains(t, faults[0].Detail, tt.detail)
			}
		})
	}
	sendJSON(t, http.MethodPut, base+created.header.Get("Location"), strings.Replace(good, `{`, `{"id":"x",`, 1), http.StatusBadRequest)
	for _, id := range []string{unknownID, "x"} {
		sendJSON(t, http.MethodPut, list+"/"+id, good, http.StatusNotFound)
		for _, path := range []string{"", "/occurrences"} {
			assert.Equal(t, http.StatusNotFound, get(t, list+"/"+id+path).status)
		}
		assert.Equal(t, http.StatusNotFound, do(t, http.MethodDelete, list+"/"+id, "").status)
	}
}

// No body is the server's fault.
func FuzzMaintenanceWindowBody(f *testing.F) {
	base, _ := startWithState(f, "ann")
	for _, seed := range []string{windowBody("A", time.Hour, 2*time.Hour, `,"recurrence":"FREQ=DAILY"`), `{}`, `[]`, `{"matchers":["a=b\u0000"]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got := do(t, http.MethodPost, base+"/api/v1/maintenance-windows", body, "Content-Type", jsonType)
		require.Less(t, got.status, 500, got.body)
		if got.status == http.StatusCreated {
			sendJSON(t, http.MethodDelete, base+got.header.Get("Location"), "", http.StatusOK)
		}
	})
}
