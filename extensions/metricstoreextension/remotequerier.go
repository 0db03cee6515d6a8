package metricstoreextension

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/quantivista/monitoring/extensions/metricstoreextension/internal/promclient"
	"github.com/quantivista/monitoring/internal/metricstore"
)

// remoteQuerier reads raw samples by range selectors: every Prometheus-compatible API has them, as opposed to
// remote read. Staleness markers do not come through.
type remoteQuerier struct {
	store      *remoteStore
	api        *remoteAPI
	mint, maxt int64 // milliseconds, both included
}

var _ storage.Querier = (*remoteQuerier)(nil)

// Querier gives the samples between two times in milliseconds.
func (s *remoteStore) Querier(mint, maxt int64) (storage.Querier, error) {
	api, err := s.opened()
	if err != nil {
		return nil, err
	}
	return &remoteQuerier{store: s, api: api, mint: max(mint, 0), maxt: min(maxt, time.Now().Add(maxAhead).UnixMilli())}, nil
}

// Select asks when it is called, and holds the whole answer, of promclient.MaxAnswer at most. Its errors are the
// port's.
func (q *remoteQuerier) Select(ctx context.Context, sortSeries bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if q.mint > q.maxt {
		return storage.EmptySeriesSet()
	}
	// The range of a selector excludes its beginning.
	expr := fmt.Sprintf("%s[%dms]", selector(matchers), q.maxt-q.mint+1)
	value, notes, err := q.api.client.Query(ctx, expr, time.UnixMilli(q.maxt), q.store.lookback())
	if err != nil {
		return storage.ErrSeriesSet(remoteError(expr, err))
	}
	m, ok := value.(promql.Matrix)
	if !ok {
		return storage.ErrSeriesSet(fmt.Errorf("%w: the remote API answered a range selector with a %s", metricstore.ErrExecution, value.Type()))
	}
	if sortSeries {
		slices.SortFunc(m, func(a, b promql.Series) int { return labels.Compare(a.Metric, b.Metric) })
	}
	return &matrixSet{matrix: m, at: -1, warnings: annotationsOf(notes)}
}

// LabelValues of the series that match.
func (q *remoteQuerier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	values, notes, err := q.api.client.LabelValues(ctx, name, q.selection(hints, matchers))
	if err != nil {
		return nil, nil, remoteError("", err)
	}
	return values, annotationsOf(notes), nil
}

// LabelNames of the series that match.
func (q *remoteQuerier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	names, notes, err := q.api.client.LabelNames(ctx, q.selection(hints, matchers))
	if err != nil {
		return nil, nil, remoteError("", err)
	}
	return names, annotationsOf(notes), nil
}

// Close has nothing to close.
func (*remoteQuerier) Close() error { return nil }

func (q *remoteQuerier) selection(hints *storage.LabelHints, matchers []*labels.Matcher) promclient.Selection {
	s := promclient.Selection{Start: time.UnixMilli(q.mint), End: time.UnixMilli(q.maxt)}
	if len(matchers) > 0 {
		s.Selectors = []string{selector(matchers)}
	}
	if hints != nil {
		s.Limit = hints.Limit
	}
	return s
}

// selector writes matchers as PromQL. One of them at least must not match the empty string, as in every selector.
func selector(matchers []*labels.Matcher) string {
	parts := make([]string, len(matchers))
	for i, m := range matchers {
		parts[i] = m.String()
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func annotationsOf(notes promclient.Notes) annotations.Annotations {
	var all annotations.Annotations
	for _, text := range notes.Warnings {
		all.Add(fmt.Errorf("%w: %s", annotations.PromQLWarning, text))
	}
	for _, text := range notes.Infos {
		all.Add(fmt.Errorf("%w: %s", annotations.PromQLInfo, text))
	}
	return all
}

// matrixSet iterates over a matrix.
type matrixSet struct {
	matrix   promql.Matrix
	at       int
	warnings annotations.Annotations
}

func (s *matrixSet) Next() bool                        { s.at++; return s.at < len(s.matrix) }
func (s *matrixSet) At() storage.Series                { return promql.NewStorageSeries(s.matrix[s.at]) }
func (s *matrixSet) Err() error                        { return nil }
func (s *matrixSet) Warnings() annotations.Annotations { return s.warnings }

// ExemplarQuerier asks the remote API for exemplars.
func (s *remoteStore) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	api, err := s.opened()
	if err != nil {
		return nil, err
	}
	return remoteExemplars{ctx: ctx, api: api}, nil
}

// remoteExemplars has the context of its making, as Select takes none.
type remoteExemplars struct {
	ctx context.Context
	api *remoteAPI
}

// Select gives exemplars between two times in milliseconds of series that match any of the lists.
func (q remoteExemplars) Select(start, end int64, matchers ...[]*labels.Matcher) ([]exemplar.QueryResult, error) {
	selectors := make([]string, len(matchers))
	for i, ms := range matchers {
		selectors[i] = selector(ms)
	}
	expr := strings.Join(selectors, " or ")
	results, err := q.api.client.Exemplars(q.ctx, expr, time.UnixMilli(start), time.UnixMilli(end))
	if err != nil {
		return nil, remoteError(expr, err)
	}
	return results, nil
}
