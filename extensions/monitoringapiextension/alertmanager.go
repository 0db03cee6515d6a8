package monitoringapiextension

import (
	"fmt"
	"net/http"

	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/problem"
)

// alertmanagerPrefix is where Alertmanager's own API begins: amtool and Grafana take it as the URL of an Alertmanager, a
// Prometheus as its path_prefix.
const alertmanagerPrefix = "/alertmanager"

// findAlertmanager gives the one that the config names; nil where it names none.
func findAlertmanager(host component.Host, id component.ID) (alertmanager.Alertmanager, error) {
	if id == (component.ID{}) {
		return nil, nil //nolint:nilnil // None is what the config asks for.
	}
	found, err := hostext.Find[alertmanager.Alertmanager](host, id)
	if err != nil {
		return nil, fmt.Errorf("\"alertmanager\": %w", err)
	}
	return found, nil
}

// registerAlertmanager serves Alertmanager's API under the prefix. Alerts that are posted go to the alert receiver where
// a pipeline has one, so that they are stored and make incidents, too.
func (s *restServer) registerAlertmanager(mux *http.ServeMux) {
	whole := http.Handler(http.HandlerFunc(s.noAlertmanager))
	if s.alertmanager != nil {
		whole = http.StripPrefix(alertmanagerPrefix, s.alertmanager.Handler())
	}
	mux.HandleFunc("POST "+alertmanagerPrefix+"/api/v2/alerts", func(w http.ResponseWriter, r *http.Request) {
		handler, err := s.alerts.attached(s.ready, "alerts", "alert")
		switch {
		case err == nil:
			handler.PostAlerts(w, r)
		case s.alertmanager != nil && s.ready():
			whole.ServeHTTP(w, r)
		default:
			s.fail(w, r, err)
		}
	})
	mux.Handle(alertmanagerPrefix+"/", whole)
}

// noAlertmanager answers the rest of the prefix where there is no Alertmanager.
func (s *restServer) noAlertmanager(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, problem.New(http.StatusNotFound, "there is no Alertmanager, and %s/api/v2/alerts takes POST only: declare an \"alertmanager\" extension, "+
		"list it in \"service::extensions\", and name it in \"alertmanager\" of this monitoring_api extension", alertmanagerPrefix))
}
