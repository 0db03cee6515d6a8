package servicehealth

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
)

// memory is a database that keeps health and knows alerts.
type memory struct {
	mu      sync.Mutex
	records map[string]Record
	firing  map[string]Firing
	fail    error
}

func (m *memory) SaveHealth(_ context.Context, records []Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range records {
		m.records[r.ID] = r
	}
	return m.fail
}

func (m *memory) DropHealth(_ context.Context, ids []string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.records, id)
	}
	return m.fail
}

func (m *memory) Health(context.Context) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.records)), m.fail
}

func (m *memory) FiringByService(context.Context, string, int) (map[string]Firing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.firing), m.fail
}

// scene is a Monitor in a synctest bubble, and what it sees.
type scene struct {
	memory
	*Monitor

	up     map[string]float64 // the targets
	broken error              // answers every query
	faults []error
}

func newScene() *scene {
	s := &scene{memory: memory{records: map[string]Record{}, firing: map[string]Firing{}}, up: map[string]float64{}}
	s.Monitor = NewMonitor(NewAssessor(s.query, testRules, time.Now), &s.memory, &s.memory, Settings{
		Interval: 30 * time.Second, Timeout: 10 * time.Second, DetailsInterval: time.Minute, ForgetAfter: time.Hour,
	}, func(err error) { s.faults = append(s.faults, err) })
	return s
}

func (s *scene) query(_ context.Context, expr string, at time.Time) (vector promql.Vector, err error) {
	for job, up := range s.up {
		sample := promql.Sample{Metric: labels.FromStrings("job", job)}
		switch expr {
		case targetsQuery:
			sample.F = 1
		case downQuery:
			sample.F = 1 - up
		case newestQuery:
			sample.F = float64(at.UnixMilli()) / 1000
		default:
			continue
		}
		vector = append(vector, sample)
	}
	return vector, s.broken
}

// run lets the Monitor judge for a while.
func (s *scene) run(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	s.Run(ctx)
}

func (s *scene) service(t *testing.T, name string) Service {
	t.Helper()
	found, err := s.Service(t.Context(), name)
	require.NoError(t, err)
	return found
}

func firing(severities ...alert.Severity) Firing {
	of := Firing{Total: len(severities)}
	for _, severity := range severities {
		of.Alerts = append(of.Alerts, alert.Record{Alert: alert.Alert{
			Labels: map[string]string{"alertname": "A"}, Severity: severity, Status: alert.Firing, StartsAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		}})
	}
	return of
}

func TestMonitorStoresTheWorst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.up = map[string]float64{"shop": 1, "cart": 0, "fine": 1}
		s.firing = map[string]Firing{"shop": firing(alert.High, alert.Low), "cart": firing(alert.High), "only alerts": firing(alert.Critical)}
		s.run(t, time.Minute)

		shop := s.service(t, "shop")
		assert.Equal(t, Degraded, shop.Status)
		assert.Equal(t, []string{
			"degraded alert: A fires (high) since 2026-01-02T03:04:05Z", "healthy alert: A fires (low) since 2026-01-02T03:04:05Z",
			"healthy targets: 1 of 1 targets are up",
		}, reasons(&shop))
		assert.Len(t, shop.ActiveAlerts, 2)
		assert.Equal(t, 2, shop.AlertCount)
		assert.Equal(t, Unhealthy, s.memory.records[ID("cart")].Status)
		assert.Equal(t, Healthy, s.memory.records[ID("fine")].Status)
		only := s.service(t, "only alerts")
		assert.Equal(t, Unhealthy, only.Status)
		assert.Zero(t, only.LastSeen)
		summary, err := s.Summary(t.Context())
		require.NoError(t, err)
		assert.Equal(t, Summary{Status: Unhealthy, Total: 4, Healthy: 1, Degraded: 1, Unhealthy: 2}, summary)
		_, err = s.Service(t.Context(), "nobody")
		require.ErrorIs(t, err, ErrUnknown)

		s.firing = nil
		s.run(t, time.Minute)
		assert.Equal(t, Healthy, s.service(t, "shop").Status)
		_, err = s.Service(t.Context(), "only alerts")
		require.ErrorIs(t, err, ErrUnknown, "it goes with its alerts")
	})
}

// Whoever is paged looks at the service: its alerts are judged sooner than the rest.
func TestMonitorHurriesWhenOtherAlertsFire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.up = map[string]float64{"shop": 1}
		s.run(t, 40*time.Second)
		require.Len(t, s.faults, 1, "nothing hurries it")
		assert.Equal(t, Healthy, s.service(t, "shop").Status)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		<-time.After(40 * time.Second) // A run begins with a whole interval.
		synctest.Wait()
		judged := len(s.faults)
		for _, turn := range []struct {
			firing map[string]Firing
			want   Status
		}{
			{map[string]Firing{"shop": firing(alert.High)}, Degraded},
			{map[string]Firing{"shop": firing(alert.Critical)}, Unhealthy},
			{map[string]Firing{}, Healthy},
		} {
			s.memory.mu.Lock()
			s.firing = turn.firing
			s.memory.mu.Unlock()
			<-time.After(12 * time.Second)
			synctest.Wait()
			judged++
			assert.Len(t, s.faults, judged, "once")
			assert.Equal(t, turn.want, s.service(t, "shop").Status)
		}
		cancel()
		running.Wait()
	})
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.firing = map[string]Firing{"shop": firing(alert.High)}
		s.run(t, 12*time.Second)
		assert.Equal(t, Degraded, s.service(t, "shop").Status, "also behind a start")
	})
}

func TestMonitorMissesServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.up = map[string]float64{"shop": 1}
		s.run(t, time.Minute)
		seen := s.service(t, "shop").LastSeen

		s.up = nil
		s.run(t, time.Minute)
		assert.Equal(t, Healthy, s.service(t, "shop").Status, "it may be late")
		s.firing = map[string]Firing{"shop": firing(alert.High)}
		s.run(t, 40*time.Second)
		shop := s.service(t, "shop")
		assert.Equal(t, Degraded, shop.Status, "and its alerts count meanwhile")
		assert.Equal(t, seen, shop.LastSeen)
		s.firing = nil
		s.run(t, 5*time.Minute)
		shop = s.service(t, "shop")
		assert.Equal(t, Unhealthy, shop.Status)
		assert.Equal(t, []string{"unhealthy absence: not seen since " + seen.Format(time.RFC3339)}, reasons(&shop))
		s.run(t, 2*time.Hour)
		_, err := s.Service(t.Context(), "shop")
		require.Error(t, err, "it is forgotten")
	})
}

func TestMonitorDoesNotMissWhatAnotherReplicaSees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newScene(), newScene()
		monitor := theirs.Monitor
		monitor.records, monitor.alerts = &ours.memory, &ours.memory
		theirs.up = map[string]float64{"shop": 1}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var replicas sync.WaitGroup
		replicas.Go(func() { theirs.Run(ctx) })
		replicas.Go(func() { ours.Run(ctx) })
		replicas.Wait()
		shop := ours.service(t, "shop")
		assert.Equal(t, Healthy, shop.Status)
		assert.WithinDuration(t, time.Now(), shop.LastSeen, 2*time.Minute)
	})
}

// A restart finds services that nobody has looked at for long.
func TestMonitorWaitsAfterItsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.up = map[string]float64{"shop": 1}
		s.run(t, time.Minute)
		s.up = nil
		<-time.After(3 * time.Hour)
		s.run(t, time.Minute)
		assert.Equal(t, Healthy, s.service(t, "shop").Status)
	})
}

func TestMonitorTellsWhyItCannotJudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.up = map[string]float64{"shop": 1}
		s.run(t, time.Minute)
		judged := s.service(t, "shop")

		s.broken = errors.New("the metric store is not available")
		s.run(t, 5*time.Minute)
		summary, err := s.Summary(t.Context())
		require.ErrorIs(t, err, s.broken)
		assert.Equal(t, 1, summary.Total)
		assert.Equal(t, judged, s.service(t, "shop"), "what is stored stays, with its age")
		require.Error(t, s.faults[len(s.faults)-1])

		s.broken = nil
		s.run(t, time.Minute)
		_, err = s.Summary(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.faults[len(s.faults)-1])
	})
}

func TestWithoutTheDatabaseMetricsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.up = map[string]float64{"shop": 1}
		s.fail = errors.New("the database is away")
		s.run(t, time.Minute)
		assert.Equal(t, Healthy, s.service(t, "shop").Status)
		services, err := s.Services(t.Context())
		require.NoError(t, err)
		assert.Len(t, services, 1)
		summary, err := s.Summary(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 1, summary.Total)
		require.ErrorIs(t, s.faults[0], s.fail)
	})
}
