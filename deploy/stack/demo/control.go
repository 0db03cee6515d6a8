package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
)

// Notification is what Alertmanager's webhook sends, as far as a page shows it.
type Notification struct {
	Status string `json:"status"`
	Alerts []struct {
		Status      string            `json:"status"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

// control serves POST /fail, POST /heal and POST /page until ctx ends.
func control(ctx context.Context, c Config, failing *atomic.Bool) error {
	mux := http.NewServeMux()
	set := func(to bool, answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			failing.Store(to)
			fmt.Fprintln(w, answer)
		}
	}
	mux.HandleFunc("POST /fail", set(true, "The payments fail from now on."))
	mux.HandleFunc("POST /heal", set(false, "The payments work again."))
	mux.HandleFunc("POST /page", func(w http.ResponseWriter, r *http.Request) {
		var n Notification
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.Page(n)
	})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Control)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: checkoutTimeout}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
