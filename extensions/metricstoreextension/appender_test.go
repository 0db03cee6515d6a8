package metricstoreextension

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	prommetadata "github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTimeBounds(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		name      string
		retention model.Duration
		offset    time.Duration
		want      error
	}{
		{"now", days(15), 0, nil},
		{"a clock a little ahead", days(15), 9 * time.Minute, nil},
		{"a clock far ahead", days(15), 11 * time.Minute, storage.ErrOutOfBounds},
		{"within the retention", days(15), -14 * day, nil},
		{"older than the retention", days(15), -16 * day, storage.ErrTooOldSample},
		{"old, kept for ever", 0, -365 * day, nil},
		{"the epoch, kept for ever", 0, -50 * 365 * day, storage.ErrTooOldSample},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Retention.Time = tt.retention
			store, _ := startStore(t, cfg)
			at := time.Now().Add(tt.offset)
			app := store.Appender(context.Background())
			_, err := app.Append(0, up, at.UnixMilli(), 1)
			require.ErrorIs(t, err, tt.want)
			_, err = app.AppendHistogram(0, labels.FromStrings("__name__", "h"), at.UnixMilli(), tsdbutil.GenerateTestHistogram(1), nil)
			require.ErrorIs(t, err, tt.want)
			require.NoError(t, app.Commit())
		})
	}
}

func TestOutOfOrderWindow(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		window time.Duration
		offset time.Duration
		want   error
	}{
		"within": {30 * time.Minute, -29 * time.Minute, nil},
		"beyond": {30 * time.Minute, -31 * time.Minute, storage.ErrTooOldSample},
		"none":   {0, -time.Minute, storage.ErrOutOfOrderSample},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.OutOfOrderTimeWindow = model.Duration(tt.window)
			store, _ := startStore(t, cfg)
			require.NoError(t, write(store, sample{up, now, 1}))
			require.ErrorIs(t, write(store, sample{up, now.Add(tt.offset), 0}), tt.want)
		})
	}
}

func TestHistogramsAndExemplars(t *testing.T) {
	for name, most := range map[string]int64{"kept": 10, "not kept": 0} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.MaxExemplars = most
			store, _ := startStore(t, cfg)
			now := time.Now()
			latency := labels.FromStrings("__name__", "latency_seconds")
			app := store.Appender(context.Background())
			ref, err := app.AppendHistogram(0, latency, now.UnixMilli(), tsdbutil.GenerateTestHistogram(3), nil)
			require.NoError(t, err)
			_, err = app.AppendExemplar(ref, latency, exemplar.Exemplar{Labels: labels.FromStrings("trace_id", "abc"), Value: 1, Ts: now.UnixMilli(), HasTs: true})
			require.NoError(t, err)
			require.NoError(t, app.Commit())

			got := instant(t, store, "latency_seconds", now)
			require.Len(t, got, 1)
			assert.IsType(t, &histogram.FloatHistogram{}, got[0].H)
			assert.True(t, tsdbutil.GenerateTestFloatHistogram(3).Equals(got[0].H), "%v", got[0].H)

			q, err := store.ExemplarQuerier(context.Background())
			require.NoError(t, err)
			exemplars, err := q.Select(now.Add(-time.Minute).UnixMilli(), now.UnixMilli(), []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "__name__", "latency_seconds")})
			require.NoError(t, err)
			if most == 0 {
				assert.Empty(t, exemplars)
				return
			}
			require.Len(t, exemplars, 1)
			assert.Equal(t, "abc", exemplars[0].Exemplars[0].Labels.Get("trace_id"))
		})
	}
}

// A reference of before the TSDB was opened again must not write into the series that has its number now.
func TestAReferenceOfAnotherOpeningIsUnknown(t *testing.T) {
	cfg := testConfig(t)
	store, _ := startStore(t, cfg)
	now := time.Now()
	app := store.Appender(context.Background())
	stale, err := app.Append(0, labels.FromStrings("__name__", "first"), now.UnixMilli(), 1)
	require.NoError(t, err)
	again, err := app.Append(stale, labels.EmptyLabels(), now.Add(time.Millisecond).UnixMilli(), 1)
	require.NoError(t, err, "a reference of this opening needs no labels")
	assert.Equal(t, stale, again)
	require.NoError(t, app.Rollback())

	// Another opening of an empty directory numbers its series from the start.
	other := testConfig(t)
	reopened, _ := startStore(t, other, func(s *embeddedStore) { s.openings.Store(1) })
	require.NoError(t, write(reopened, sample{labels.FromStrings("__name__", "second"), now, 2}))

	app = reopened.Appender(context.Background())
	_, err = app.Append(stale, labels.EmptyLabels(), now.UnixMilli(), 7)
	require.Error(t, err)
	ref, err := app.Append(stale, labels.FromStrings("__name__", "first"), now.UnixMilli(), 7)
	require.NoError(t, err)
	assert.NotEqual(t, stale, ref)
	require.NoError(t, app.Commit())
	assert.InDelta(t, 2, instant(t, reopened, "second", now)[0].F, 0)
	assert.InDelta(t, 7, instant(t, reopened, "first", now)[0].F, 0)
}

func TestGetRef(t *testing.T) {
	store, _ := startStore(t, testConfig(t))
	require.NoError(t, write(store, sample{up, time.Now(), 1}))
	app := store.Appender(context.Background())
	getter, ok := app.(storage.GetRef)
	require.True(t, ok)
	ref, found := getter.GetRef(up, up.Hash())
	assert.Equal(t, up, found)
	_, err := app.Append(ref, labels.EmptyLabels(), time.Now().Add(time.Second).UnixMilli(), 2)
	require.NoError(t, err)
	require.NoError(t, app.Commit())
	unknown := labels.FromStrings("__name__", "unknown")
	app = store.Appender(context.Background())
	ref, _ = app.(storage.GetRef).GetRef(unknown, unknown.Hash())
	assert.Zero(t, ref)
	require.NoError(t, app.Rollback())
}

func TestMetadataOfASeriesBecomesThatOfItsFamily(t *testing.T) {
	store, _ := startStore(t, testConfig(t))
	tests := []struct {
		series string
		typ    model.MetricType
		family string
	}{
		{"requests_total", model.MetricTypeCounter, "requests_total"},
		{"latency_seconds_bucket", model.MetricTypeHistogram, "latency_seconds"},
		{"latency_seconds", model.MetricTypeHistogram, "latency_seconds"},
		{"rpc_seconds_count", model.MetricTypeSummary, "rpc_seconds"},
		{"queue_count", model.MetricTypeGauge, "queue_count"},
	}
	app := store.Appender(context.Background())
	for _, tt := range tests {
		_, err := app.UpdateMetadata(0, labels.FromStrings("__name__", tt.series), prommetadata.Metadata{Type: tt.typ, Help: tt.series})
		require.NoError(t, err)
		m, ok := store.families.GetMetadata(tt.family)
		require.True(t, ok, tt.family)
		assert.Equal(t, tt.series, m.Help)
	}
	require.NoError(t, app.Rollback())
}
