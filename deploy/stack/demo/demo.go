// Package demo is a small shop of three services, shop → orders → payments, that send metrics, traces and logs by
// OpenTelemetry's SDK, and can be told to fail.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"golang.org/x/sync/errgroup"
)

// Config of the demo.
type Config struct {
	// OTLP is the host:port of an OTLP/gRPC receiver on this machine.
	OTLP string
	// Control is the host:port that is told to fail and to heal, and that pages go to.
	Control string
	// Every is the pause between two customers.
	Every time.Duration
	// Page is told each notification.
	Page func(Notification)
}

// checkoutTimeout is how long a customer waits.
const checkoutTimeout = 5 * time.Second

// errDeclined is what the payments say when they are told to fail.
var errDeclined = errors.New("dial tcp 10.20.0.7:443: connect: connection refused")

// Run the shop until ctx ends.
func Run(ctx context.Context, c Config) (err error) {
	var failing atomic.Bool
	var services []*service
	defer func() {
		for _, s := range services {
			err = errors.Join(err, s.close())
		}
	}()
	start := func(name string, handle func(s *service, w http.ResponseWriter, r *http.Request)) (string, error) {
		s, err := newService(ctx, name, c.OTLP)
		if err != nil {
			return "", err
		}
		services = append(services, s)
		return s.listen(ctx, handle)
	}

	payments, err := start("payments", func(s *service, w http.ResponseWriter, r *http.Request) {
		if failing.Load() {
			s.logger.ErrorContext(r.Context(), "The card processor cannot be reached: "+errDeclined.Error(), slog.String("payment.method", "card"))
			http.Error(w, "the card processor cannot be reached", http.StatusServiceUnavailable)
			return
		}
		s.logger.InfoContext(r.Context(), "Paid", slog.String("payment.method", "card"))
	})
	if err != nil {
		return err
	}
	orders, err := start("orders", passOn(payments+"/pay"))
	if err != nil {
		return err
	}
	shop, err := start("shop", passOn(orders+"/order"))
	if err != nil {
		return err
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return control(ctx, c, &failing) })
	group.Go(func() error { return customers(ctx, shop+"/checkout", c.Every) })
	return group.Wait()
}

// passOn is a service that asks the next one.
func passOn(next string) func(*service, http.ResponseWriter, *http.Request) {
	return func(s *service, w http.ResponseWriter, r *http.Request) {
		if err := s.get(r.Context(), next); err != nil {
			s.logger.ErrorContext(r.Context(), "No answer that can be used: "+err.Error())
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		s.logger.InfoContext(r.Context(), "Done")
	}
}

// customers check out, one after another. What the shop answers them is its own telemetry's to tell.
func customers(ctx context.Context, url string, every time.Duration) error {
	client := &http.Client{Timeout: checkoutTimeout}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := client.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body) // A customer who leaves is no fault of ours.
			_ = resp.Body.Close()
		}
	}
}

// service is one of the shop's, with telemetry of its own.
type service struct {
	telemetry
	name   string
	client *http.Client
	server *http.Server
}

func newService(ctx context.Context, name, otlp string) (*service, error) {
	t, err := newTelemetry(ctx, name, otlp)
	if err != nil {
		return nil, fmt.Errorf("telemetry of %s: %w", name, err)
	}
	return &service{
		telemetry: t, name: name,
		client: &http.Client{Timeout: checkoutTimeout, Transport: otelhttp.NewTransport(http.DefaultTransport, t.options()...)},
	}, nil
}

// listen on a free port of loopback, and give its URL.
func (s *service) listen(ctx context.Context, handle func(*service, http.ResponseWriter, *http.Request)) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(s, w, r) })
	s.server = &http.Server{
		Handler:           otelhttp.NewHandler(handler, s.name, s.options()...),
		ReadHeaderTimeout: checkoutTimeout,
	}
	go func() { _ = s.server.Serve(listener) }() // It ends with close.
	return "http://" + listener.Addr().String(), nil
}

// get wants 200.
func (s *service) get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", req.URL.Path, resp.Status)
	}
	return nil
}

// close ends the server and sends what telemetry there is.
func (s *service) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), checkoutTimeout)
	defer cancel()
	var err error
	if s.server != nil {
		err = s.server.Shutdown(ctx)
	}
	s.client.CloseIdleConnections()
	return errors.Join(err, s.shutdown(ctx))
}
