package metricstoreextension

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/promapi"
)

// remoteProxy passes reads on to the remote API, with the credentials of the config and none of the caller's.
type remoteProxy struct {
	store      *remoteStore
	companions metricstore.Companions
	rules      http.Handler // nil where the remote API answers for them
}

// PrometheusAPI passes Prometheus' API through. Targets and rules are those of this process where it has some.
func (s *remoteStore) PrometheusAPI(c metricstore.Companions) (http.Handler, error) {
	p := &remoteProxy{store: s, companions: c}
	if c.Rules != nil {
		p.rules = promapi.NewRules(c.Rules, s.logger)
	}
	return p, nil
}

// passed are the paths that go to the remote API: those that only read.
var passed = map[string][]string{
	"/query":              {http.MethodGet, http.MethodPost},
	"/query_range":        {http.MethodGet, http.MethodPost},
	"/query_exemplars":    {http.MethodGet, http.MethodPost},
	"/format_query":       {http.MethodGet, http.MethodPost},
	"/parse_query":        {http.MethodGet, http.MethodPost},
	"/labels":             {http.MethodGet, http.MethodPost},
	"/series":             {http.MethodGet, http.MethodPost},
	"/read":               {http.MethodPost},
	"/metadata":           {http.MethodGet},
	"/targets":            {http.MethodGet},
	"/targets/metadata":   {http.MethodGet},
	"/scrape_pools":       {http.MethodGet},
	"/rules":              {http.MethodGet},
	"/alerts":             {http.MethodGet},
	"/alertmanagers":      {http.MethodGet},
	"/features":           {http.MethodGet},
	"/status/buildinfo":   {http.MethodGet},
	"/status/config":      {http.MethodGet},
	"/status/flags":       {http.MethodGet},
	"/status/runtimeinfo": {http.MethodGet},
	"/status/tsdb":        {http.MethodGet},
	"/status/tsdb/blocks": {http.MethodGet},
	"/status/walreplay":   {http.MethodGet},
}

// labelValues matches one label name: an element of the path that leads nowhere else.
var labelValues = regexp.MustCompile(`^/label/[^/.][^/]*/values$`)

func methodsOf(path string) []string {
	if labelValues.MatchString(path) {
		return []string{http.MethodGet}
	}
	return passed[path]
}

func (p *remoteProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, promapi.Prefix)
	switch path {
	case "/targets", "/targets/metadata", "/scrape_pools":
		if p.companions.Targets != nil {
			p.companions.Targets.ServeHTTP(w, r)
			return
		}
	case "/rules", "/alerts":
		if p.rules != nil {
			p.rules.ServeHTTP(w, r)
			return
		}
	}
	methods := methodsOf(path)
	if methods == nil {
		refuse(w, http.StatusForbidden, "forbidden", "this metric store is read-only: "+path+" is not passed on to the remote API")
		return
	}
	if !slices.Contains(methods, r.Method) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		refuse(w, http.StatusMethodNotAllowed, "bad_data", path+" takes "+strings.Join(methods, " and "))
		return
	}
	api, err := p.store.opened()
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, "unavailable", err.Error())
		return
	}
	api.proxy.ServeHTTP(w, r)
}

// passedHeaders say what a body is and what the caller takes. Everything else, credentials and tenants above
// all, is the config's.
var passedHeaders = []string{
	"Accept", "Accept-Encoding", "Content-Type", "Content-Encoding", "User-Agent",
	"X-Prometheus-Remote-Read-Version", "Traceparent", "Tracestate",
}

func newProxy(base *url.URL, transport http.RoundTripper, logger *slog.Logger) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: transport,
		ErrorLog:  slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		Rewrite: func(r *httputil.ProxyRequest) {
			kept := http.Header{}
			for _, name := range passedHeaders {
				if values := r.In.Header.Values(name); len(values) > 0 {
					kept[name] = values
				}
			}
			r.Out.Header = kept
			r.SetURL(base)
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				refuse(w, statusClientClosedRequest, "canceled", "the caller went away")
				return
			}
			logger.Warn("The remote API cannot be reached", "err", err)
			refuse(w, http.StatusServiceUnavailable, "unavailable", "the remote API cannot be reached")
		},
	}
}

// refuse answers as Prometheus writes its errors.
func refuse(w http.ResponseWriter, status int, errorType, message string) {
	body, err := json.Marshal(struct {
		Status    string `json:"status"`
		ErrorType string `json:"errorType"`
		Error     string `json:"error"`
	}{"error", errorType, message})
	if err != nil { // strings always marshal
		http.Error(w, message, status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller is gone where this fails
}
