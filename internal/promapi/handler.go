package promapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
)

// handler is what stands before Prometheus' routes.
type handler struct {
	api     http.Handler
	targets http.Handler
}

func newHandler(api http.Handler, o Options) *handler {
	return &handler{api: http.StripPrefix(Prefix, api), targets: o.Targets}
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
		if err := checkWriteContentType(r); err != nil {
			http.Error(w, err.Error(), http.StatusUnsupportedMediaType)
			return
		}
	}
	h.api.ServeHTTP(w, r)
}

// checkWriteContentType looks at the type before the library does, which decompresses the body first and
// answers 400 to what is of another type; remote write asks for 415. No type means remote write 1.0.
func checkWriteContentType(r *http.Request) error {
	contentType := r.Header.Get("Content-Type")
	if r.Method != http.MethodPost || contentType == "" {
		return nil
	}
	if _, err := remoteapi.ParseProtoMsg(contentType); err != nil {
		return fmt.Errorf("Content-Type %q is not one of remote write: %w", contentType, err)
	}
	return nil
}

// readyGate answers as Prometheus does while it starts or stops.
func readyGate(ready func() bool) func(http.HandlerFunc) http.HandlerFunc {
	return func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if ready() {
				next(w, r)
				return
			}
			http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		}
	}
}
