package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// vendor is a service that messages are sent to by HTTP, as its documentation says that it takes them.
type vendor struct {
	name string
	// integration writes the integration of an alertmanager.yml for a server at a URL.
	integration func(url string) string
	// check says what a request that is right tells, firing or resolved, and else what is wrong with it.
	check func(r *http.Request, body []byte) (told string, err error)
	// accepts is the status of its answer.
	accepts int
	answer  string
}

// Secrets of the vendors, by which the test finds them where they must not be.
const (
	slackSecret     = "T0SLACKSECRET"
	teamsSecret     = "teams-signature-secret"
	opsGenieSecret  = "opsgenie-key-secret"
	pagerDutySecret = "pagerduty-routing-key-secret-32c"
	webhookSecret   = "webhook-token-secret"
	passwordSecret  = "webhook-password-secret"
	smtpSecret      = "smtp-password-secret"
)

var secrets = []string{slackSecret, teamsSecret, opsGenieSecret, pagerDutySecret, webhookSecret, passwordSecret, smtpSecret}

func vendors(t *testing.T) []vendor {
	t.Helper()
	slack, teams, duty, webhook := schemaOf(t, "slack"), schemaOf(t, "teams"), schemaOf(t, "pagerduty"), schemaOf(t, "webhook")
	genie, genieClose := schemaOf(t, "opsgenie"), schemaOf(t, "opsgenie-close")
	return []vendor{
		{
			name: "slack", accepts: http.StatusOK, answer: "ok",
			integration: func(url string) string {
				return fmt.Sprintf("slack_configs: [{api_url: %q, channel: '#alerts', send_resolved: true}]", url+"/services/"+slackSecret)
			},
			check: func(r *http.Request, body []byte) (string, error) {
				return slack.told(r, body, "/services/"+slackSecret, `"color":"danger"`, `"color":"good"`)
			},
		},
		{
			name: "teams", accepts: http.StatusAccepted,
			integration: func(url string) string {
				return fmt.Sprintf("msteamsv2_configs: [{webhook_url: %q, send_resolved: true}]", url+"/workflows/1?sig="+teamsSecret)
			},
			check: func(r *http.Request, body []byte) (string, error) {
				if r.URL.Query().Get("sig") != teamsSecret {
					return "", fmt.Errorf("the signature is %q", r.URL.RawQuery)
				}
				return teams.told(r, body, "/workflows/1", `"text":"[FIRING:1]`, `"text":"[RESOLVED]`)
			},
		},
		{
			name: "pagerduty", accepts: http.StatusAccepted, answer: `{"status": "success", "message": "Event processed", "dedup_key": "1"}`,
			integration: func(url string) string {
				return fmt.Sprintf("pagerduty_configs: [{routing_key: %q, url: %q}]", pagerDutySecret, url+"/v2/enqueue")
			},
			check: func(r *http.Request, body []byte) (string, error) {
				return duty.told(r, body, "/v2/enqueue", `"event_action":"trigger"`, `"event_action":"resolve"`)
			},
		},
		{
			name: "opsgenie", accepts: http.StatusAccepted, answer: `{"result": "Request will be processed", "took": 0.1, "requestId": "1"}`,
			integration: func(url string) string {
				return fmt.Sprintf("opsgenie_configs: [{api_key: %q, api_url: %q, priority: P2}]", opsGenieSecret, url+"/")
			},
			check: func(r *http.Request, body []byte) (string, error) {
				if got := r.Header.Get("Authorization"); got != "GenieKey "+opsGenieSecret {
					return "", fmt.Errorf("the authorization is %q", got)
				}
				if alias, closes := strings.CutPrefix(r.URL.Path, "/v2/alerts/"); closes {
					if r.URL.Query().Get("identifierType") != "alias" {
						return "", fmt.Errorf("the query is %q", r.URL.RawQuery)
					}
					return genieClose.told(r, body, "/v2/alerts/"+alias, "", "{")
				}
				return genie.told(r, body, "/v2/alerts", `"message":"[FIRING:1]`, "\x00")
			},
		},
		{
			name: "webhook", accepts: http.StatusNoContent,
			integration: func(url string) string {
				return fmt.Sprintf("webhook_configs: [{url: %q, http_config: {basic_auth: {username: us, password: %q}}}]", url+"/hook?token="+webhookSecret, passwordSecret)
			},
			check: func(r *http.Request, body []byte) (string, error) {
				want := "Basic " + base64.StdEncoding.EncodeToString([]byte("us:"+passwordSecret))
				if r.Header.Get("Authorization") != want || r.URL.RawQuery != "token="+url.QueryEscape(webhookSecret) {
					return "", fmt.Errorf("the authorization is %q, the query %q", r.Header.Get("Authorization"), r.URL.RawQuery)
				}
				return webhook.told(r, body, "/hook", `"status":"firing","alerts"`, `"status":"resolved","alerts"`)
			},
		},
	}
}

// schema is what a vendor has published of its requests.
type schema struct{ *openapi3.Schema }

func schemaOf(t *testing.T, name string) schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "vendors", name+".json"))
	require.NoError(t, err)
	s := schema{&openapi3.Schema{}}
	require.NoError(t, json.Unmarshal(text, s.Schema), name)
	require.NoError(t, s.Validate(t.Context()), name)
	return s
}

// told checks a request, and tells whether the texts are in it by which a firing and a resolved message are known.
func (s schema) told(r *http.Request, body []byte, path, firing, resolved string) (string, error) {
	var document any
	if err := json.Unmarshal(body, &document); err != nil {
		return "", err
	}
	if err := s.VisitJSON(document, openapi3.MultiErrors()); err != nil {
		return "", fmt.Errorf("%s: %w", body, err)
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch text := string(body); {
	case r.Method != http.MethodPost || r.URL.Path != path || kind != "application/json":
		return "", fmt.Errorf("it is %s %s of %q", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	case firing != "" && strings.Contains(text, firing):
		return "firing", nil
	case strings.Contains(text, resolved):
		return "resolved", nil
	default:
		return "", fmt.Errorf("it tells neither %s nor %s: %s", firing, resolved, body)
	}
}
