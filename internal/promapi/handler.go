package promapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// handler is what stands before Prometheus' routes.
type handler struct {
	api      http.Handler
	targets  http.Handler
	metadata Metadata // nil without a write receiver
	logger   *slog.Logger
}

func newHandler(api http.Handler, o Options) *handler {
	return &handler{api: http.StripPrefix(Prefix, api), targets: o.Targets, metadata: o.Metadata, logger: o.Logger}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, Prefix) {
	case "/targets", "/targets/metadata", "/scrape_pools":
		if h.targets != nil {
			h.targets.ServeHTTP(w, r)
			return
		}
	case "/metadata":
		r = r.WithContext(context.WithValue(r.Context(), metadataRequest{}, true))
	case "/write":
		if r.Method == http.MethodPost {
			h.serveWrite(w, r)
			return
		}
	case "/read":
		h.serveRead(w, r)
		return
	}
	h.api.ServeHTTP(w, r)
}

// readyGate answers as Prometheus does while it starts or stops.
func readyGate(ready func() bool) func(http.HandlerFunc) http.HandlerFunc {
	return func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if ready() {
				next(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "Service Unavailable") // the caller is gone where this fails
		}
	}
}
