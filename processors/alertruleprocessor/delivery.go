package alertruleprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadata"
)

const (
	// batchSize is how many alerts go down the pipeline at once.
	batchSize = 1000
	// Between these the wait after a refusal doubles. An evaluation ends it.
	shortestWait, longestWait = 500 * time.Millisecond, 10 * time.Second
	// offerGrace bounds how long an evaluation waits for the next component to take the end of an alert.
	offerGrace = 2 * time.Second
)

// delivery sends what is in the outbox down the pipeline, and again what the next component did not take.
type delivery struct {
	outbox    *outbox
	next      consumer.Metrics
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger

	wake     chan struct{}    // there may be something to send
	offers   chan chan<- bool // asks to be told whether all was taken
	stopping chan struct{}
	stopped  chan struct{}
	// ctx ends the sending.
	ctx    context.Context //nolint:containedctx // The lifetime of the delivery, which bounds each send.
	cancel context.CancelFunc
}

func startDelivery(o *outbox, next consumer.Metrics, telemetry *metadata.TelemetryBuilder, logger *zap.Logger) *delivery {
	d := &delivery{
		outbox: o, next: next, telemetry: telemetry, logger: logger,
		wake: make(chan struct{}, 1), offers: make(chan chan<- bool), stopping: make(chan struct{}), stopped: make(chan struct{}),
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	go d.run()
	return d
}

// put hands over alerts. It does not wait for the pipeline.
func (d *delivery) put(alerts ...alert.Alert) {
	if dropped := d.outbox.put(alerts...); dropped > 0 {
		d.telemetry.ProcessorAlertRuleAlertsDropped.Add(d.ctx, int64(dropped), reason("buffer_full"))
		d.logger.Error("Too many alerts wait for the next component (\"max_waiting_alerts\"): dropped the newest", zap.Int("dropped", dropped))
	}
	d.poke()
}

// poke has the delivery try again now.
func (d *delivery) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// offer has the next component asked now to take what waits, and says whether it took all. It waits at most
// offerGrace.
func (d *delivery) offer(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, offerGrace)
	defer cancel()
	taken := make(chan bool, 1)
	select {
	case d.offers <- taken:
	case <-d.stopped:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case all := <-taken:
		return all
	case <-ctx.Done():
		return false
	}
}

// stop sends what waits once more and ends. The context cuts that short; what is left is lost, and reported again by
// the rules after the next start.
func (d *delivery) stop(ctx context.Context) {
	defer context.AfterFunc(ctx, d.cancel)()
	close(d.stopping)
	<-d.stopped
	d.cancel()
	if left := d.outbox.len(); left > 0 {
		d.logger.Warn("Alerts could not be sent before the shutdown", zap.Int("alerts", left))
	}
}

func (d *delivery) run() {
	defer close(d.stopped)
	wait := shortestWait
	var retry <-chan time.Time
	for {
		var offered chan<- bool
		select {
		case <-d.stopping:
			d.drain()
			return
		case offered = <-d.offers:
		case <-d.wake:
		case <-retry:
		}
		taken := d.drain()
		if taken {
			wait, retry = shortestWait, nil
		} else {
			retry = time.After(wait)
			wait = min(2*wait, longestWait)
		}
		if offered != nil {
			offered <- taken
		}
	}
}

// drain sends all, and returns false where the next component did not take a batch, which then waits again.
func (d *delivery) drain() bool {
	for {
		batch := d.outbox.take(batchSize)
		if len(batch) == 0 {
			return true
		}
		if !d.send(batch) {
			d.outbox.giveBack(batch)
			return false
		}
	}
}

// send returns false where the alerts must be sent again.
func (d *delivery) send(batch []alert.Alert) bool {
	md, err := alert.Encode(metadata.ScopeName, batch)
	if err != nil {
		d.drop(len(batch)-md.DataPointCount(), err)
	}
	if md.DataPointCount() == 0 {
		return true
	}
	err = d.next.ConsumeMetrics(d.ctx, md)
	if err == nil {
		d.count(batch)
		return true
	}
	d.telemetry.ProcessorAlertRuleSendFailures.Add(d.ctx, 1)
	if consumererror.IsPermanent(err) {
		return d.divide(batch, err)
	}
	d.logger.Warn("The next component did not take alerts: they will be sent again", zap.Int("alerts", len(batch)), zap.Error(err))
	return false
}

// divide sends the halves of a batch that was refused for good, so that one alert does not take others with it.
func (d *delivery) divide(batch []alert.Alert, err error) bool {
	half := len(batch) / 2
	if half == 0 {
		d.drop(len(batch), err)
		return true
	}
	return d.send(batch[:half]) && d.send(batch[half:])
}

func (d *delivery) drop(n int, err error) {
	d.telemetry.ProcessorAlertRuleAlertsDropped.Add(d.ctx, int64(n), reason("refused"))
	d.logger.Error("Alerts were refused for good", zap.Int("alerts", n), zap.Error(err))
}

func reason(why string) metric.AddOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", why)))
}

func (d *delivery) count(batch []alert.Alert) {
	n := map[alert.Status]int64{}
	for i := range batch {
		n[batch[i].Status]++
	}
	for status, count := range n {
		d.telemetry.ProcessorAlertRuleAlerts.Add(d.ctx, count, metric.WithAttributeSet(attribute.NewSet(attribute.String("status", string(status)))))
	}
}
