package sqlstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

func pathOf(t *testing.T, s *Store, alertID string) incident.Path {
	t.Helper()
	cases, err := s.Cases(t.Context(), []string{alertID})
	require.NoError(t, err)
	return cases[alertID].Path
}

func TestPathsAreKept(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		path := incident.Path{"we\x00b", `a "{\} 'p,i`, "数据"}
		stored := incident.Path{"we\ufffdb", path[1], path[2]}
		in := newIncident(t, s, incident.Incident{CorrelationKey: "db"})
		a := intake(t, s, firing(noon, noon, "service", "web"), firing(noon, noon, "service", "db"))
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {a[0].After.ID, a[1].After.ID}}))
			require.NoError(t, tx.KeepPath(ctx, in.ID, []string{a[0].After.ID}, path))
			require.NoError(t, tx.KeepPath(ctx, in.ID, nil, path))
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {a[0].After.ID}}), "again")
		})
		assert.Equal(t, stored, pathOf(t, s, a[0].After.ID))
		assert.Empty(t, pathOf(t, s, a[1].After.ID))

		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.UnlinkAlerts(ctx, in.ID, []string{a[0].After.ID}))
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {a[0].After.ID}}))
		})
		assert.Empty(t, pathOf(t, s, a[0].After.ID), "who was taken out did not come back by the graph")
	})
}

// An alert that turns out to be the same as another leaves it the path by which it joined.
func TestPathOfAnAlertThatBecomesPartOfAnother(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		in := newIncident(t, s, incident.Incident{CorrelationKey: "db"})
		first := intake(t, s, resolved(noon, noon.Add(time.Minute), noon.Add(time.Minute)))[0]
		later := noon.Add(window + window/2)
		second := intake(t, s, firing(later, later))[0]
		require.NotEqual(t, first.After.ID, second.After.ID)
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {second.After.ID}}))
			require.NoError(t, tx.KeepPath(ctx, in.ID, []string{second.After.ID}, incident.Path{"web", "db"}))
		})
		between := noon.Add(window)
		intake(t, s, resolved(between, between.Add(time.Minute), between.Add(time.Minute)))
		all := alerts(t, s)
		require.Len(t, all, 1)
		assert.Equal(t, incident.Path{"web", "db"}, pathOf(t, s, all[0].ID))
	})
}

// Two replicas that handle the same alerts in other batches end with one incident, and with one telling of each alert.
func TestReplicasJoinUpstream(t *testing.T) {
	eachOpener(t, func(t *testing.T, open func() *Store) {
		title, err := incident.ParseTitle(incident.DefaultTitle)
		require.NoError(t, err)
		rules := incident.Correlation{
			Labels: incident.DefaultLabels(), MinSeverity: alert.Medium, Title: title,
			QuietPeriod: time.Minute, ReopenWindow: time.Hour, FlapWindow: window,
		}
		graph := func() incident.Callees {
			return func(service string) []string {
				return map[string][]string{"web": {"api"}, "api": {"db"}, "db": {"web"}}[service]
			}
		}
		s, replica := open(), open()
		require.NoError(t, s.Migrate(t.Context()))
		require.NoError(t, replica.Migrate(t.Context()))
		fires := func(service string, after time.Duration) alert.Alert {
			return firing(noon.Add(after), noon.Add(after), "service", service)
		}
		db, api, web := fires("db", 0), fires("api", time.Second), fires("web", 2*time.Second)
		var replicas errgroup.Group
		for store, batches := range map[*Store][][]alert.Alert{s: {{db}, {web, api}}, replica: {{web, db, api}}} {
			correlator := incident.NewCorrelator(store, rules, time.Now).WithUpstream(incident.Upstream{Graph: graph, MaxHops: 2})
			replicas.Go(func() error {
				var errs []error
				for _, batch := range batches {
					_, err := correlator.Handle(context.Background(), batch)
					errs = append(errs, err)
				}
				return errors.Join(errs...)
			})
		}
		require.NoError(t, replicas.Wait())
		list, err := s.Incidents(t.Context(), incident.Query{})
		require.NoError(t, err)
		require.Len(t, list.Incidents, 1)
		assert.Equal(t, 3, list.Incidents[0].AlertCount)
		assert.Equal(t, []string{"api", "db", "web"}, list.Incidents[0].AffectedServices)
		timeline, err := s.Timeline(t.Context(), list.Incidents[0].ID, state.Page{})
		require.NoError(t, err)
		told := map[string]int{}
		for _, e := range timeline.Events {
			told[e.Content]++
		}
		assert.Equal(t, 1, told["Test began to fire (upstream: web → api → db)"])
		assert.Equal(t, 1, told["Test began to fire (upstream: api → db)"])
		paths := map[string]incident.Path{}
		for _, r := range alerts(t, s) {
			paths[r.Labels["service"]] = pathOf(t, s, r.ID)
		}
		assert.Equal(t, map[string]incident.Path{"web": {"web", "api", "db"}, "api": {"api", "db"}, "db": nil}, paths)
	})
}
