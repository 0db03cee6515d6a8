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
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/scrapetargets"
	"github.com/quantivista/monitoring/internal/servicehealth"
)

// restServer answers the operations of the OpenAPI document.
type restServer struct {
	store   metricstore.Store
	state   stateStore // nil for none
	targets *scrapetargets.Reader
	health  *servicehealth.Assessor
	custom  *customMetrics
	rules   *attachedRules
	ready   func() bool // whether the pipelines run
	now     func() time.Time
	logger  *zap.Logger
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

	mux := &routes{ServeMux: http.NewServeMux(), contract: checked, fail: s.fail}
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
	mux.Handle("/", s.unmatched(mux.ServeMux))
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

// unmatched answers what no pattern of the mux takes: 405 where another method has the path, else 404.
func (s *restServer) unmatched(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := allowedMethods(mux, r)
		if len(allowed) == 0 {
			s.fail(w, r, problem.New(http.StatusNotFound, "there is nothing at %s: see /api/docs", r.URL.Path))
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, problem.New(http.StatusMethodNotAllowed, "%s takes %s, not %s", r.URL.Path, strings.Join(allowed, " or "), r.Method))
	})
}

// allowedMethods tries the mux with every method.
func allowedMethods(mux *http.ServeMux, r *http.Request) []string {
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	return slices.DeleteFunc(methods, func(method string) bool {
		other := r.Clone(r.Context())
		other.Method = method
		_, pattern := mux.Handler(other)
		return pattern == "" || pattern == "/"
	})
}
