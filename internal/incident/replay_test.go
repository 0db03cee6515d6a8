package incident_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// lives draws what is reported of some alerts of two services within the quiet period: each fires and resolves some
// times, and keeps its severity.
func lives(t *rapid.T, noon time.Time) []alert.Alert {
	var reports []alert.Alert
	for n := range rapid.IntRange(1, 4).Draw(t, "alerts") {
		severity := rapid.SampledFrom([]alert.Severity{alert.Critical, alert.High, alert.Medium}).Draw(t, "severity")
		service := rapid.SampledFrom([]string{"cart", "shop"}).Draw(t, "service")
		now := noon
		for range rapid.IntRange(1, 3).Draw(t, "periods") {
			now = now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "pause")) * time.Second)
			a := firing(fmt.Sprint("Alert", n), severity, now, "service", service)
			a.UpdatedAt = now
			reports = append(reports, a)
			if rapid.Bool().Draw(t, "resolves") {
				now = now.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "lasts")) * time.Second)
				a.Status, a.EndsAt, a.UpdatedAt = alert.Resolved, now, now
				reports = append(reports, a)
			}
		}
	}
	return reports
}

// show gives the incidents without what the order of writing decides, and checks what always holds.
func show(b *bench) ([]string, error) {
	var shown []string
	var errs []error
	for _, in := range b.incidents() {
		records, err := b.store.RelatedAlerts(b.t.Context(), []string{in.ID}, 1000)
		errs = append(errs, err)
		firing, severity := 0, alert.Low
		var names []string
		for _, r := range records[in.ID] {
			names = append(names, fmt.Sprint(r.Labels, r.Status, r.StartsAt.Unix(), r.Flaps()))
			if r.Status == alert.Firing {
				firing++
			}
			if r.Severity.Worse(severity) {
				severity = r.Severity
			}
		}
		if in.Severity != severity || (firing > 0) != (in.Status == incident.Open) {
			errs = append(errs, fmt.Errorf("%s %s with %d firing alerts, the worst %s", in.Severity, in.Status, firing, severity))
		}
		slices.Sort(names)
		shown = append(shown, fmt.Sprintln(in.CorrelationKey, in.Severity, in.Status, in.AffectedServices, strings.Join(names, " ")))
	}
	slices.Sort(shown)
	return shown, errors.Join(errs...)
}

// TestReplayAndReorder checks that the same reports end in the same incidents, whatever their order, their batches and
// how often they come, and that a replay tells nothing.
func TestReplayAndReorder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		reports := lives(rt, noon)
		shuffled := rapid.Permutation(slices.Concat(reports, reports)).Draw(rt, "order")
		size := rapid.IntRange(1, 5).Draw(rt, "batch")
		var want, got []string
		var errs []error
		replayed := incident.Outcome{}
		synctest.Test(t, func(t *testing.T) {
			ordered, mixed := newBench(t), newBench(t)
			for _, r := range reports {
				ordered.handle(r)
			}
			for batch := range slices.Chunk(shuffled, size) {
				mixed.handle(batch...)
			}
			var err error
			want, err = show(ordered)
			errs = append(errs, err)
			got, err = show(mixed)
			errs = append(errs, err)
			replayed = mixed.handle(reports...)
		})
		if err := errors.Join(errs...); err != nil || !assert.ObjectsAreEqual(want, got) {
			rt.Fatalf("%v: want\n%s\ngot\n%s", err, want, got)
		}
		if replayed != (incident.Outcome{}) {
			rt.Fatalf("a replay did %+v", replayed)
		}
	})
}

// TestReplicasGoUpstream checks, on any service graph, that two replicas with the same reports make incidents in which every
// alert is once, by a path that there is, and that a replay tells nothing.
func TestReplicasGoUpstream(t *testing.T) {
	services := []string{"a", "b", "c", "d", "e"}
	rapid.Check(t, func(rt *rapid.T) {
		graph, severities := calls{}, map[string]alert.Severity{}
		for _, service := range services {
			severities[service] = rapid.SampledFrom([]alert.Severity{alert.Critical, alert.Medium, alert.Low}).Draw(rt, "severity")
			graph[service] = slices.Sorted(slices.Values(rapid.SliceOfDistinct(rapid.SampledFrom(services), rapid.ID).Draw(rt, "callees")))
		}
		var batches [][]alert.Alert
		noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 4).Draw(rt, "batches") {
			var batch []alert.Alert
			for _, service := range rapid.SliceOfNDistinct(rapid.SampledFrom(services), 1, 5, rapid.ID).Draw(rt, "services") {
				start := noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(rt, "start")) * time.Minute)
				a := firing("Down-"+service, severities[service], start, "service", service)
				a.UpdatedAt = start
				batch = append(batch, a)
			}
			batches = append(batches, batch)
		}
		hops := rapid.IntRange(1, 4).Draw(rt, "hops")
		var errs []error
		synctest.Test(t, func(t *testing.T) {
			b := upstream(t, graph, hops)
			var replicas errgroup.Group
			for range 2 {
				replicas.Go(func() error {
					for _, batch := range batches {
						if _, err := b.correlator.Handle(t.Context(), batch); err != nil {
							return err
						}
					}
					return nil
				})
			}
			errs = append(errs, replicas.Wait())
			_, err := show(b)
			errs = append(errs, err, b.checkUpstream(graph))
			if replayed := b.handle(slices.Concat(batches...)...); replayed != (incident.Outcome{}) {
				errs = append(errs, fmt.Errorf("a replay did %+v", replayed))
			}
		})
		if err := errors.Join(errs...); err != nil {
			rt.Fatal(err)
		}
	})
}

// checkUpstream compares alerts, their incidents, and the events that tell how they came there.
func (b *bench) checkUpstream(graph calls) error {
	var errs []error
	home := map[string]string{}
	for _, in := range b.incidents() {
		records, err := b.store.RelatedAlerts(b.t.Context(), []string{in.ID}, 1000)
		errs = append(errs, err)
		paths := map[any][]any{}
		for _, e := range b.timeline(in.ID) {
			if path, is := e.Metadata["path"].([]any); is {
				paths[e.Metadata["alertId"]] = path
			}
		}
		root := strings.TrimSuffix(strings.TrimPrefix(in.CorrelationKey, `{"service":"`), `"}`)
		for _, r := range records[in.ID] {
			service := incident.ServiceOf(&r.Alert)
			if home[r.ID] != "" {
				errs = append(errs, fmt.Errorf("%s is in two incidents", r.Name()))
			}
			home[r.ID] = in.ID
			path := paths[r.ID]
			if (service == root) != (len(path) == 0) || (len(path) > 0 && (path[0] != service || path[len(path)-1] != root)) {
				errs = append(errs, fmt.Errorf("%s is in the incident of %s by %v", r.Name(), root, path))
			}
			for i := 0; i+1 < len(path); i++ {
				if !slices.Contains(graph[fmt.Sprint(path[i])], fmt.Sprint(path[i+1])) {
					errs = append(errs, fmt.Errorf("%s joined by %v, which the graph has not", r.Name(), path))
				}
			}
		}
	}
	return errors.Join(errs...)
}
