package alertmanagerextension

import (
	"context"
	"io"
	"net/http"
)

// routes serves what an Alertmanager serves.
func (e *amExtension) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "OK") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if e.ready.Load() {
			text(w, http.StatusOK, "OK")
		} else {
			text(w, http.StatusServiceUnavailable, notReady)
		}
	})
	mux.HandleFunc("POST /-/reload", e.serveReload)
	mux.HandleFunc("PUT /-/reload", e.serveReload)
	mux.HandleFunc("/", e.serveAPI)
	mux.HandleFunc("POST /api/v2/silences", e.serveSilenceChange)
	mux.HandleFunc("DELETE /api/v2/silence/{id}", e.serveSilenceChange)
	return mux
}

const notReady = "The Alertmanager is starting, or stopping: the silences and alerts of the last run are not there yet.\n"

// serveReload answers as Alertmanager does, and with the fault.
func (e *amExtension) serveReload(w http.ResponseWriter, r *http.Request) {
	if !e.ready.Load() {
		text(w, http.StatusServiceUnavailable, notReady)
		return
	}
	// A client that goes away must not cut off notifications that are being sent.
	if err := e.reloader.reload(context.WithoutCancel(r.Context())); err != nil {
		text(w, http.StatusInternalServerError, "failed to reload config: "+err.Error()+"\n")
	}
}

func (e *amExtension) serveAPI(w http.ResponseWriter, r *http.Request) {
	if !e.ready.Load() {
		text(w, http.StatusServiceUnavailable, notReady)
		return
	}
	e.engine.Handler().ServeHTTP(w, r)
}

// serveSilenceChange answers once the change is stored.
func (e *amExtension) serveSilenceChange(w http.ResponseWriter, r *http.Request) {
	if !e.ready.Load() || e.keeper == nil {
		e.serveAPI(w, r)
		return
	}
	e.keeper.serveSilenceChange(w, r)
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // A client that left does not want it.
}
