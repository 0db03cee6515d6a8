package promtelemetry

import (
	"context"
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/metric"
)

// Bridge observes every metric of a Prometheus registry once per collection of the OpenTelemetry SDK.
//
// A counter becomes an observable counter and a gauge an observable gauge, each under its own name. A summary
// or a histogram becomes the counters <name>_count and <name>_sum. A Prometheus exporter that adds type
// suffixes (the collector's does not, by default) appends _total to these two.
type Bridge struct {
	meter    metric.Meter
	gatherer prometheus.Gatherer
	always   metric.Observable

	// wake tells the goroutine that a collection met families without instruments.
	wake chan struct{}
	stop context.CancelFunc
	done sync.WaitGroup

	// The rest belongs to New, then to the goroutine, then to Close.
	known        instruments
	registration metric.Registration
	failures     []error
}

// New registers instruments for all families that the gatherer has now. Families that appear later, as those
// of label vectors do, follow from the second collection that sees them.
func New(meter metric.Meter, g prometheus.Gatherer) (*Bridge, error) {
	b := &Bridge{meter: meter, gatherer: g, wake: make(chan struct{}, 1), known: instruments{}}
	// The SDK calls back for instruments only, and there may be no family yet. This one is never observed.
	var err error
	if b.always, err = meter.Int64ObservableGauge("promtelemetry.always"); err != nil {
		return nil, err
	}
	if err := b.register(); err != nil {
		return nil, errors.Join(err, b.unregister())
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.done.Go(func() { b.followFamilies(ctx) })
	return b, nil
}

// Close ends all observations. It gives the faults of families that appeared after New.
func (b *Bridge) Close() error {
	b.stop()
	b.done.Wait()
	return errors.Join(append(b.failures, b.unregister())...)
}

// followFamilies registers what a collection could not: the SDK holds its lock while it collects, and takes it
// for every registration.
func (b *Bridge) followFamilies(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
			if err := b.register(); err != nil {
				b.failures = append(b.failures, err)
			}
		}
	}
}

// register describes the families that have no instruments yet, and observes them with all others in one
// callback. The old registration ends first: two at a time would add up the counters.
func (b *Bridge) register() error {
	families, err := b.gatherer.Gather()
	if err != nil {
		return err
	}
	known, faults := b.known.describe(b.meter, families)
	if err := b.unregister(); err != nil {
		return errors.Join(append(faults, err)...)
	}
	b.known = known
	b.registration, err = b.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		return b.observe(known, o)
	}, append(known.observables(), b.always)...)
	return errors.Join(append(faults, err)...)
}

func (b *Bridge) unregister() error {
	if b.registration == nil {
		return nil
	}
	err := b.registration.Unregister()
	b.registration = nil
	return err
}

// observe gathers once. A gatherer may give families together with an error.
func (b *Bridge) observe(known instruments, o metric.Observer) error {
	families, err := b.gatherer.Gather()
	for _, family := range families {
		if i, ok := known[keyOf(family)]; ok {
			i.observe(o, family)
			continue
		}
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	return err
}

func keyOf(family *dto.MetricFamily) familyKey {
	return familyKey{family.GetName(), family.GetType()}
}
