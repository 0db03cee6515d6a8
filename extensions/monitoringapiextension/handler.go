package monitoringapiextension

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/util/httputil"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/logs"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/scrapetargets"
	"github.com/quantivista/monitoring/internal/servicehealth"
	"github.com/quantivista/monitoring/internal/traces"
)

// restServer answers the operations of the OpenAPI document.
type restServer struct {
	store        metricstore.Store
	state        stateStore                // nil for none
	alertmanager alertmanager.Alertmanager // nil for none
	traces       traces.Reader             // nil for none
	logs         logs.Reader               // nil for none
	targets      *scrapetargets.Reader
	health       servicehealth.Reader
	custom       *attachment[CustomMetricsHandler]
	alerts       *attachment[AlertsHandler]
	rules        *attachedRules
	links        *evidence.Links
	ready        func() bool // whether the pipelines run
	now          func() time.Time
	logger       *zap.Logger
}

var _ api.StrictServerInterface = (*restServer)(nil)

// newHandler puts everything that the extension serves under one handler.
func newHandler(s *restServer) (http.Handler, error) {
	checked, err := newContract()
	if err != nil {
		return nil, err
	}
	docs, err := newDocs(checked.doc)
	if err != nil {
		return nil, err
	}
	logger := slog.New(zapslog.NewHandler(s.logger.Core()))
	prometheusAPI, err := s.store.PrometheusAPI(metricstore.Companions{
		Targets: s.targets.Handler(logger),
		Rules:   func(context.Context) apiv1.RulesRetriever { return s.rules },
	})
	if err != nil {
		return nil, fmt.Errorf("the metric store has no Prometheus API: %w", err)
	}

	mux := &routes{ServeMux: http.NewServeMux(), ofAlerts: http.NewServeMux(), contract: checked, fail: s.fail}
	operations := api.NewStrictHandlerWithOptions(s, []api.StrictMiddlewareFunc{rememberURL}, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc: func(w http.ResponseWriter, r *http.Request, err error) {
			s.fail(w, r, problem.Field(http.StatusBadRequest, "body", "%s", err))
		},
		ResponseErrorHandlerFunc: s.fail,
	})
	api.HandlerWithOptions(operations, api.StdHTTPServerOptions{BaseRouter: mux, ErrorHandlerFunc: s.fail})
	if err := errors.Join(mux.unknown...); err != nil {
		return nil, err
	}
	docs.register(mux.ServeMux)
	registerPrometheus(mux.ServeMux, prometheusAPI, s.ready)
	s.registerAlertmanager(mux.ServeMux)
	unmatched := s.unmatched(mux.ServeMux, mux.ofAlerts)
	mux.Handle(belowAlert+"{rest...}", mux.ofAlerts)
	mux.ofAlerts.Handle("/", unmatched)
	mux.Handle("/", unmatched)
	return compressed(s.recoverPanics(mux)), nil
}

// compressed packs answers to GET. Prometheus' API does so itself.
func compressed(next http.Handler) http.Handler {
	packed := httputil.CompressionHandler{Handler: next}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/") {
			packed.ServeHTTP(w, r)
		} else {
			next.ServeHTTP(w, r)
		}
	})
}

// unmatched answers what no pattern of the muxes takes: 405 where another method has the path, else 404.
func (s *restServer) unmatched(muxes ...*http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := allowedMethods(r, muxes)
		if len(allowed) == 0 {
			s.fail(w, r, problem.New(http.StatusNotFound, "there is nothing at %s: see /api/docs", r.URL.Path))
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, problem.New(http.StatusMethodNotAllowed, "%s takes %s, not %s", r.URL.Path, strings.Join(allowed, " or "), r.Method))
	})
}

// allowedMethods tries the muxes with every method. Patterns for all methods are those that found none.
func allowedMethods(r *http.Request, muxes []*http.ServeMux) []string {
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	return slices.DeleteFunc(methods, func(method string) bool {
		other := r.Clone(r.Context())
		other.Method = method
		return !slices.ContainsFunc(muxes, func(mux *http.ServeMux) bool {
			_, pattern := mux.Handler(other)
			return strings.Contains(pattern, " ")
		})
	})
}
