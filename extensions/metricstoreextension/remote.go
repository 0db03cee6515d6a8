package metricstoreextension

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	prommetadata "github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap/exp/zapslog"

	"github.com/quantivista/monitoring/extensions/metricstoreextension/internal/promclient"
	"github.com/quantivista/monitoring/internal/metricstore"
)

// remoteStore queries a Prometheus-compatible API and keeps nothing.
type remoteStore struct {
	cfg    *Config
	set    extension.Settings
	logger *slog.Logger

	// current is nil before Start and after Shutdown.
	current atomic.Pointer[remoteAPI]
}

// remoteAPI is what Start makes from the config.
type remoteAPI struct {
	http   *http.Client
	client *promclient.Client
	proxy  http.Handler
}

var (
	_ extension.Extension = (*remoteStore)(nil)
	_ metricstore.Store   = (*remoteStore)(nil)
)

func newRemoteStore(cfg *Config, set extension.Settings) *remoteStore {
	return &remoteStore{cfg: cfg, set: set, logger: slog.New(zapslog.NewHandler(set.Logger.Core()))}
}

// Start makes the client, with the authenticator that the config names. It does not connect: the remote API may
// start later than this process.
func (s *remoteStore) Start(ctx context.Context, host component.Host) error {
	client := s.cfg.Remote.Get()
	base, err := url.Parse(client.Endpoint)
	if err != nil {
		return fmt.Errorf("\"remote::endpoint\": %w", err)
	}
	c, err := client.ToClient(ctx, host.GetExtensions(), s.set.TelemetrySettings)
	if err != nil {
		return fmt.Errorf("\"remote\": %w", err)
	}
	s.current.Store(&remoteAPI{
		http:   c,
		client: promclient.New(base, c, time.Duration(s.cfg.Query.Timeout)),
		proxy:  newProxy(base, c.Transport, s.logger),
	})
	componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
	return nil
}

// Shutdown closes the idle connections. It may be called without Start, and twice.
func (s *remoteStore) Shutdown(context.Context) error {
	if api := s.current.Swap(nil); api != nil {
		api.http.CloseIdleConnections()
	}
	return nil
}

// opened gives the API between Start and Shutdown.
func (s *remoteStore) opened() (*remoteAPI, error) {
	if api := s.current.Load(); api != nil {
		return api, nil
	}
	return nil, errNotOpen
}

func (s *remoteStore) lookback() time.Duration { return time.Duration(s.cfg.Query.LookbackDelta) }

// Query evaluates an instant query at the remote API. Errors are the port's: see remoteError.
func (s *remoteStore) Query(ctx context.Context, expr string, at time.Time) (metricstore.Result, error) {
	api, err := s.opened()
	if err != nil {
		return metricstore.Result{}, err
	}
	value, notes, err := api.client.Query(ctx, expr, at, s.lookback())
	if err != nil {
		return metricstore.Result{}, remoteError(expr, err)
	}
	return metricstore.Result{Value: value, Warnings: notes.Warnings, Infos: notes.Infos}, nil
}

// QueryRange evaluates a range query at the remote API. Errors are the port's: see remoteError.
func (s *remoteStore) QueryRange(ctx context.Context, expr string, r metricstore.Range) (metricstore.Result, error) {
	api, err := s.opened()
	if err != nil {
		return metricstore.Result{}, err
	}
	value, notes, err := api.client.QueryRange(ctx, expr, r.Start, r.End, r.Step, s.lookback())
	if err != nil {
		return metricstore.Result{}, remoteError(expr, err)
	}
	return metricstore.Result{Value: value, Warnings: notes.Warnings, Infos: notes.Infos}, nil
}

// Appender answers ErrReadOnly.
func (*remoteStore) Appender(context.Context) storage.Appender {
	return failingAppender{metricstore.ErrReadOnly}
}

// SetMetadata does nothing: the writer of the remote store tells it.
func (*remoteStore) SetMetadata(string, prommetadata.Metadata) {}
