package monitoringapiextension

import (
	"errors"
	"fmt"
	"net/http"

	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/notification"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/report"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/servicehealth"
	"github.com/quantivista/monitoring/internal/state"
)

// stateStore is what a sql_store extension gives.
type stateStore interface {
	alert.Reader
	evidence.Store
	incident.Reader
	incident.Writer
	rule.Store
	servicehealth.Records
	servicehealth.Alerts
	maintenance.Store
	report.Reader
	notification.Reader
}

// errNoState answers operations on stored state where there is no store.
var errNoState = problem.New(http.StatusNotFound, "no store keeps alerts, incidents and rules: declare a \"sql_store\" extension, "+
	"list it in \"service::extensions\", and name it in \"sql_store\" of this monitoring_api extension")

// findState gives the store that the config names; nil where it names none.
func findState(host component.Host, id component.ID) (stateStore, error) {
	if id == (component.ID{}) {
		return nil, nil //nolint:nilnil // None is what the config asks for.
	}
	store, err := hostext.Find[stateStore](host, id)
	if err != nil {
		return nil, fmt.Errorf("\"sql_store\": %w", err)
	}
	return store, nil
}

// stored gives the store, or errNoState.
func (s *restServer) stored() (stateStore, error) {
	if s.state == nil {
		return nil, errNoState
	}
	return s.state, nil
}

// stateProblem maps what the ports of stored state answer; nil for anything else.
func stateProblem(err error) *problem.Error {
	var transition *incident.TransitionError
	switch {
	case errors.As(err, &transition):
		return problem.Field(http.StatusConflict, "status", "%s", transition)
	case errors.Is(err, state.ErrNotFound):
		return problem.New(http.StatusNotFound, "%s", err)
	case errors.Is(err, state.ErrVersion):
		return problem.New(http.StatusPreconditionFailed, "%s", err)
	case errors.Is(err, state.ErrConflict):
		return problem.New(http.StatusConflict, "%s", err)
	case errors.Is(err, state.ErrInvalid):
		return problem.New(http.StatusBadRequest, "%s", err)
	case errors.Is(err, state.ErrUnavailable):
		return unavailable(err)
	default:
		return nil
	}
}
