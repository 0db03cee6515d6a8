package alertreceiver

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/api/v2/models"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
)

func TestAlertsAsToAnAlertmanager(t *testing.T) {
	p := &pipeline{}
	r := start(t, p)
	w := post(t, r, `[
		{"labels":{"alertname":"Fires","severity":"page","empty":""},"annotations":{"summary":"s","none":""},"startsAt":"2025-06-20T15:00:00Z","endsAt":"2025-06-20T15:12:23Z","generatorURL":"http://p/graph?g0.expr=1"},
		{"labels":{"alertname":"Ended","severity":"warning"},"startsAt":"2025-06-20T15:00:00Z","endsAt":"2025-06-20T15:08:23Z"},
		{"labels":{"alertname":"Bare"}},
		{"labels":{"alertname":"Only an end","severity":"nonsense"},"endsAt":"2025-06-20T15:00:00Z"},
		{"labels":{"alertname":"For ever","severity":"None"},"startsAt":"2025-06-20T15:00:00Z","endsAt":"9999-12-31T00:00:00Z"}]`)
	assert.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.Empty(t, w.Body.String())
	eight := now.Add(-8*time.Minute - 23*time.Second)
	want := []alert.Alert{
		{
			Labels: map[string]string{"alertname": "Fires", "severity": "page"}, Annotations: map[string]string{"summary": "s", "none": ""},
			Severity: alert.Critical, Status: alert.Firing, StartsAt: eight, ExpiresAt: now.Add(4 * time.Minute), GeneratorURL: "http://p/graph?g0.expr=1",
		},
		{Labels: map[string]string{"alertname": "Ended", "severity": "warning"}, Severity: alert.Medium, Status: alert.Resolved, StartsAt: eight, EndsAt: now},
		{Labels: map[string]string{"alertname": "Bare"}, Severity: alert.Medium, Status: alert.Firing, StartsAt: now, ExpiresAt: now.Add(5 * time.Minute)},
		{Labels: map[string]string{"alertname": "Only an end", "severity": "nonsense"}, Severity: alert.Medium, Status: alert.Resolved, StartsAt: eight, EndsAt: eight},
		{Labels: map[string]string{"alertname": "For ever", "severity": "None"}, Severity: alert.Info, Status: alert.Firing, StartsAt: eight},
	}
	for i := range want {
		want[i].UpdatedAt = now
	}
	assert.Equal(t, want, p.take())
}

// The answers are those that an Alertmanager 0.31 gives.
func TestAnswersAreAlertmanagers(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		status int
		answer string
		taken  int
	}{
		"none":              {`[]`, http.StatusOK, ``, 0},
		"null":              {`null`, http.StatusOK, ``, 0},
		"no body":           {``, http.StatusUnprocessableEntity, `{"code":602,"message":"alerts in body is required"}`, 0},
		"no JSON":           {`x`, http.StatusBadRequest, `{"code":400,"message":"parsing alerts body from \"\" failed, because invalid character 'x' looking for beginning of value"}`, 0},
		"an object":         {`{}`, http.StatusBadRequest, `parsing alerts body`, 0},
		"a time that is no": {`[{"labels":{"a":"b"},"startsAt":"yesterday"}]`, http.StatusBadRequest, `parsing alerts body`, 0},
		"no labels key":     {`[{}]`, http.StatusUnprocessableEntity, `{"code":602,"message":"0.labels in body is required"}`, 0},
		"labels missing":    {`[{"annotations":{"a":"b"}}]`, http.StatusUnprocessableEntity, `{"code":602,"message":"0.labels in body is required"}`, 0},
		"no URL":            {`[{"labels":{"alertname":"a"},"generatorURL":"nonsense"}]`, http.StatusUnprocessableEntity, `generatorURL in body must be of type uri: \"nonsense\"`, 0},
		"ends early":        {`[{"labels":{"alertname":"a"},"startsAt":"2025-06-20T15:00:00Z","endsAt":"2025-06-20T14:00:00Z"}]`, http.StatusBadRequest, `"start time must be before end time"`, 0},
		"empty labels":      {`[{"labels":{"a":""},"startsAt":"2025-06-20T15:00:00Z"}]`, http.StatusBadRequest, `"at least one label pair required"`, 0},
		"a nameless label":  {`[{"labels":{"":"x","alertname":"a"}}]`, http.StatusBadRequest, `"invalid label set: invalid name \"\""`, 0},
		"a bad annotation":  {`[{"labels":{"alertname":"a"},"annotations":{"":"x"}}]`, http.StatusBadRequest, `"invalid annotations: invalid name \"\""`, 0},
		"no alertname":      {`[{"labels":{"a":"b"}}]`, http.StatusBadRequest, `"invalid label set: \"alertname\" is missing"`, 0},
		"before 1970":       {`[{"labels":{"alertname":"a"},"startsAt":"1960-01-01T00:00:00Z"}]`, http.StatusBadRequest, `startsAt: must be set and lie between 1970 and 2262`, 0},
		"some are valid":    {`[null,{"labels":{"alertname":"a"}},{"labels":{"b":"c"}}]`, http.StatusBadRequest, `"at least one label pair required; invalid label set: \"alertname\" is missing"`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pipeline{}
			w := post(t, start(t, p), tt.body)
			assert.Equal(t, tt.status, w.Code, w.Body)
			assert.Contains(t, w.Body.String(), tt.answer)
			assert.Len(t, p.take(), tt.taken)
			if w.Code != http.StatusOK {
				assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			}
		})
	}
}

func TestTypeAndSize(t *testing.T) {
	p := &pipeline{}
	r := start(t, p)
	r.cfg.MaxAlertsPerRequest = 2
	assert.Equal(t, http.StatusRequestEntityTooLarge, post(t, r, `[1,2,3]`).Code)
	assert.Equal(t, http.StatusRequestEntityTooLarge, post(t, r, `[{"labels":{"alertname":"`+strings.Repeat("a", maxBody)+`"}}]`).Code)
	assert.Equal(t, http.StatusBadRequest, post(t, r, strings.Repeat("[", 1_000_000)).Code)
	for contentType, want := range map[string]int{"": http.StatusUnsupportedMediaType, "text/plain": http.StatusUnsupportedMediaType, "application/json; charset=utf-8": http.StatusOK} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`[]`))
		request.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		r.PostAlerts(w, request)
		assert.Equal(t, want, w.Code, contentType)
	}
}

func TestPipelineDoesNotTakeAlerts(t *testing.T) {
	body := `[{"labels":{"alertname":"a"}}]`
	w := post(t, start(t, &pipeline{err: errors.New("the queue is full")}), body)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Equal(t, "5", w.Header().Get("Retry-After"))
	assert.Contains(t, w.Body.String(), "the queue is full")
	w = post(t, start(t, &pipeline{err: consumererror.NewPermanent(errors.New("never"))}), body)
	assert.Equal(t, http.StatusBadRequest, w.Code)
}

// An alert that is sent without a start, again and again, is one; as Alertmanager keeps it.
func TestAlertsWithoutAStartKeepTheirFirst(t *testing.T) {
	p := &pipeline{}
	r := start(t, p)
	send := func(at time.Duration, body string) alert.Alert {
		r.now = func() time.Time { return now.Add(at) }
		require.Equal(t, http.StatusOK, post(t, r, body).Code)
		return p.take()[0]
	}
	bare := `[{"labels":{"alertname":"a"}}]`
	for _, at := range []time.Duration{0, 4 * time.Minute, 8 * time.Minute} {
		assert.Equal(t, now, send(at, bare).StartsAt)
	}
	assert.Equal(t, now.Add(20*time.Minute), send(20*time.Minute, bare).StartsAt, "the one before is over")
	ended := send(21*time.Minute, fmt.Sprintf(`[{"labels":{"alertname":"a"},"endsAt":%q}]`, now.Add(21*time.Minute).Format(time.RFC3339)))
	assert.Equal(t, []any{alert.Resolved, now.Add(20 * time.Minute)}, []any{ended.Status, ended.StartsAt})
	assert.Equal(t, now.Add(22*time.Minute), send(22*time.Minute, bare).StartsAt)
}

func TestStartsAreBounded(t *testing.T) {
	s := newStarts()
	for i := range maxStarts + 10 {
		a := alert.Alert{Labels: map[string]string{"alertname": fmt.Sprint(i)}, Status: alert.Firing, StartsAt: now, ExpiresAt: now.Add(time.Minute)}
		s.settle(&a, now)
	}
	assert.Len(t, s.known, maxStarts)
	a := alert.Alert{Labels: map[string]string{"alertname": "x"}, Status: alert.Firing, StartsAt: now.Add(time.Hour)}
	s.settle(&a, now.Add(time.Hour))
	assert.Len(t, s.known, 1, "what is over is forgotten")
}

// TestEveryAlertIsTakenOrNamed checks that each entry comes out as an alert that the codec takes, or as a fault.
func TestEveryAlertIsTakenOrNamed(t *testing.T) {
	r := start(t, &pipeline{})
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.MapOf(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"alertname", "severity", "__name__"})), rapid.String())
		moment := rapid.Custom(func(t *rapid.T) time.Time {
			return rapid.OneOf(rapid.Just(time.Time{}), rapid.Custom(func(t *rapid.T) time.Time {
				return now.Add(time.Duration(rapid.Int64().Draw(t, "from now")))
			})).Draw(t, "moment")
		})
		posted := &models.PostableAlert{Annotations: texts.Draw(t, "annotations")}
		posted.Labels = texts.Draw(t, "labels")
		at, end := moment.Draw(t, "startsAt"), moment.Draw(t, "endsAt")
		posted.StartsAt, posted.EndsAt = dateTime(at), dateTime(end)
		alerts, faults := r.convert(models.PostableAlerts{posted}, now)
		if len(alerts)+len(faults) != 1 {
			t.Fatalf("%d alerts and %d faults", len(alerts), len(faults))
		}
		for i := range alerts {
			if err := alerts[i].Validate(); err != nil {
				t.Fatal(err)
			}
			if fires := end.IsZero() || end.After(now); fires != (alerts[i].Status == alert.Firing) {
				t.Fatalf("it ends at %s and is %s", end, alerts[i].Status)
			}
		}
	})
}

// FuzzPost takes any body, and wants no 5xx.
func FuzzPost(f *testing.F) {
	f.Add([]byte(`[{"labels":{"alertname":"a","severity":"page"},"annotations":{"b":"c"},"startsAt":"2025-06-20T15:00:00Z","endsAt":"2025-06-20T15:12:23Z","generatorURL":"http://x"}]`))
	f.Add([]byte(`[null,{},{"labels":null}]`))
	f.Add([]byte(`[{"labels":{"alertname":"\u0000"},"endsAt":"9999-12-31T23:59:59Z"}]`))
	r := start(f, &pipeline{})
	f.Fuzz(func(t *testing.T, body []byte) {
		if w := post(t, r, string(body)); w.Code >= http.StatusInternalServerError {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}
