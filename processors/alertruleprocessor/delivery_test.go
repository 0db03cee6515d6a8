package alertruleprocessor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadata"
	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadatatest"
)

var errFull = errors.New("the queue is full")

func TestWhatIsRefusedIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "groups: [{name: g, interval: 1s, rules: [{alert: Down, expr: up == 0}]}]")
		b.start()
		defer b.close()
		b.next.refusing(errFull)
		b.pass(3*time.Minute, 0, "up", "instance", "a")
		assert.Empty(t, b.next.got())
		b.next.refusing(nil)
		b.pass(time.Second, 0, "up", "instance", "a")
		assert.Contains(t, b.next.got(), "Down/a firing", "at the next evaluation at the latest")
	})
}

func TestAnEndThatWasRefusedIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.start()
		defer b.close()
		b.next.refusing(errFull)
		b.pass(30*time.Second, 0, "up", "instance", "a")
		b.pass(30*time.Second, 1, "up", "instance", "a")
		b.pass(30*time.Second, 0, "up", "instance", "a")
		b.next.refusing(nil)
		b.pass(15*time.Second, 0, "up", "instance", "a")
		got := b.next.take()
		if assert.GreaterOrEqual(t, len(got), 2, "both times that it fired") {
			assert.Equal(t, alert.Resolved, got[0].Status)
			assert.Equal(t, alert.Firing, got[1].Status)
			assert.True(t, got[1].StartsAt.After(got[0].EndsAt))
		}
		// Long after Prometheus stops to repeat the end.
		b.next.refusing(errFull)
		b.pass(20*time.Second, 1, "up", "instance", "a")
		b.pass(30*time.Minute, 1, "up", "instance", "a")
		b.next.refusing(nil)
		b.pass(15*time.Second, 1, "up", "instance", "a")
		assert.Contains(t, b.next.got(), "Down/a resolved")
	})
}

func TestWhatWaitsIsSentAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.start()
		b.next.refusing(errFull)
		b.pass(17*time.Second, 0, "up", "instance", "a")
		require.Equal(t, 1, b.proc.outbox.len())
		b.next.refusing(nil)
		b.close()
		assert.Equal(t, []string{"Down/a firing"}, b.next.got())
	})
}

func TestWhatIsRefusedForGoodIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel := componenttest.NewTelemetry()
		b := newBench(t, down)
		b.set.TelemetrySettings = tel.NewTelemetrySettings()
		b.start()
		defer func() {
			b.close()
			require.NoError(t, tel.Shutdown(context.Background()))
		}()
		b.next.refusing(consumererror.NewPermanent(errors.New("never")))
		b.pass(20*time.Second, 0, "up", "instance", "a")
		metadatatest.AssertEqualProcessorAlertRuleAlertsDropped(t, tel, []metricdata.DataPoint[int64]{{
			Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "refused")),
		}}, metricdatatest.IgnoreTimestamp())
		metadatatest.AssertEqualProcessorAlertRuleAlertsWaiting(t, tel, []metricdata.DataPoint[int64]{{}}, metricdatatest.IgnoreTimestamp())
		synctest.Wait() // families that came after the start are there from the second collection
		_, err := tel.GetMetric("prometheus_rule_evaluations_total")
		require.NoError(t, err, "the rule manager's own metrics are there")
	})
}

func TestOneBadAlertDoesNotTakeOthersWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.next.poison = "7"
		b.start()
		defer b.close()
		for i := range 100 {
			b.store.set(t, 0, "up", "instance", fmt.Sprint(i))
		}
		<-time.After(15 * time.Second)
		synctest.Wait()
		assert.Len(t, b.next.take(), 99)
	})
}

func TestTenThousandAlertsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.start()
		defer b.close()
		for i := range 10_000 {
			b.store.set(t, 0, "up", "instance", fmt.Sprint(i))
		}
		<-time.After(15 * time.Second)
		synctest.Wait()
		assert.Len(t, b.next.take(), 10_000)
	})
}

func TestOnlyAlertsPass(t *testing.T) {
	md := pmetric.NewMetrics()
	for _, name := range []string{"up", "ALERTS"} {
		m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName(name)
		m.SetEmptyGauge().DataPoints().AppendEmpty()
	}
	n := &next{}
	p, err := newProcessor(createDefaultConfig().(*Config), processortest.NewNopSettings(metadata.Type), n)
	require.NoError(t, err)
	require.NoError(t, p.ConsumeMetrics(t.Context(), md))
	assert.Empty(t, n.take())

	at := time.Unix(1, 0).UTC()
	other := alert.Alert{Labels: map[string]string{"alertname": "X"}, Severity: alert.Low, Status: alert.Firing, StartsAt: at, UpdatedAt: at}
	alerts, err := alert.Encode("other", []alert.Alert{other})
	require.NoError(t, err)
	alerts.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
	require.NoError(t, p.ConsumeMetrics(t.Context(), md))
	assert.Equal(t, []alert.Alert{other}, n.take())
	n.refusing(errFull)
	require.ErrorIs(t, p.ConsumeMetrics(t.Context(), md), errFull)
	require.NoError(t, p.Shutdown(t.Context()), "without Start")
}

// TestOutboxKeepsTheLatest tries the outbox against a plain list.
func TestOutboxKeepsTheLatest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := newOutbox(5)
		latest := map[episode]time.Time{}
		put := func() {
			a := alert.Alert{
				Labels:    map[string]string{"alertname": rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")},
				StartsAt:  time.Unix(rapid.Int64Range(1, 2).Draw(t, "start"), 0),
				UpdatedAt: time.Unix(rapid.Int64Range(1, 9).Draw(t, "update"), 0),
			}
			if o.put(a) == 0 && latest[episodeOf(&a)].Before(a.UpdatedAt) {
				latest[episodeOf(&a)] = a.UpdatedAt
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				put()
			case 1:
				taken := o.take(2)
				for i := range taken {
					require.Equal(t, latest[episodeOf(&taken[i])], taken[i].UpdatedAt)
				}
				if len(taken) > 0 { // a report on what is under way
					later := taken[0]
					later.UpdatedAt = later.UpdatedAt.Add(time.Second)
					require.Zero(t, o.put(later))
					latest[episodeOf(&later)] = later.UpdatedAt
				}
				o.giveBack(taken)
			case 2:
				for _, a := range o.take(1) {
					require.Equal(t, latest[episodeOf(&a)], a.UpdatedAt)
					delete(latest, episodeOf(&a))
				}
			}
			require.Len(t, latest, o.len())
			require.LessOrEqual(t, o.len(), 5)
		}
	})
}
