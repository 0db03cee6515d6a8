package metricstoreextension

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// errNotOpen is also the TSDB's own error for it, which Prometheus' API answers with 503.
var errNotOpen = fmt.Errorf("%w: %w", metricstore.ErrUnavailable, tsdb.ErrNotReady)

// enter gives the open database, which the caller must leave once.
func (s *embeddedStore) enter() (*database, error) {
	if d := s.current.Load(); d != nil && d.users.enter() {
		return d, nil
	}
	return nil, errNotOpen
}

// Appender gives a batch of writes to the TSDB, within the time bounds of appender. It must end with Commit or
// Rollback.
func (s *embeddedStore) Appender(ctx context.Context) storage.Appender {
	d, err := s.enter()
	if err != nil {
		return failingAppender{err}
	}
	if err := d.refused(); err != nil {
		d.users.leave()
		return failingAppender{err}
	}
	inner, ok := d.tsdb.Appender(ctx).(tsdbAppender)
	if !ok {
		d.users.leave()
		return failingAppender{fmt.Errorf("%w: the TSDB's appender gives no references", metricstore.ErrUnavailable)}
	}
	return newAppender(d, inner, s.families, time.Now(), time.Duration(s.cfg.Retention.Time))
}

// Querier gives the samples between two times in milliseconds. It must be closed.
func (s *embeddedStore) Querier(mint, maxt int64) (storage.Querier, error) {
	d, err := s.enter()
	if err != nil {
		return nil, err
	}
	q, err := d.tsdb.Querier(mint, maxt)
	if err != nil {
		d.users.leave()
		return nil, err
	}
	return &querier{Querier: q, leave: sync.OnceFunc(d.users.leave)}, nil
}

// ChunkQuerier gives the chunks between two times in milliseconds, as remote read streams them. It must be
// closed.
func (s *embeddedStore) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	d, err := s.enter()
	if err != nil {
		return nil, err
	}
	q, err := d.tsdb.ChunkQuerier(mint, maxt)
	if err != nil {
		d.users.leave()
		return nil, err
	}
	return &chunkQuerier{ChunkQuerier: q, leave: sync.OnceFunc(d.users.leave)}, nil
}

// ExemplarQuerier gives the exemplars in memory.
func (s *embeddedStore) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	d, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer d.users.leave()
	return d.tsdb.ExemplarQuerier(ctx)
}

// querier leaves its database when it is closed.
type querier struct {
	storage.Querier
	leave func()
}

func (q *querier) Close() error {
	defer q.leave()
	return q.Querier.Close()
}

// chunkQuerier leaves its database when it is closed.
type chunkQuerier struct {
	storage.ChunkQuerier
	leave func()
}

func (q *chunkQuerier) Close() error {
	defer q.leave()
	return q.ChunkQuerier.Close()
}
