package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/state"
)

// Test implements alertmanager.Tester. The message passes no routes, silences and ledger. Each integration has the time
// that a message has at least.
func (e *Engine) Test(ctx context.Context, receiver string) ([]alertmanager.Outcome, error) {
	c := e.current.Load()
	if c == nil {
		return nil, alertmanager.ErrNotReady
	}
	for i := range c.conf.Receivers {
		if c.conf.Receivers[i].Name == receiver {
			return e.test(ctx, c, c.conf.Receivers[i])
		}
	}
	return nil, fmt.Errorf("receiver %q: %w", receiver, state.ErrNotFound)
}

func (e *Engine) test(ctx context.Context, c *current, rcv config.Receiver) ([]alertmanager.Outcome, error) {
	t, err := newTemplate(e.o, c.conf)
	if err != nil {
		return nil, c.source.fault(err)
	}
	built, err := newIntegrations(rcv, t, e.o.Logger)
	if err != nil {
		return nil, c.source.fault(err)
	}
	now := time.Now()
	set := model.LabelSet{"alertname": "TestNotification", "severity": "info"}
	a := &types.Alert{
		Alert: model.Alert{
			Labels: set, StartsAt: now, GeneratorURL: e.o.ExternalURL.String(),
			Annotations: model.LabelSet{"summary": "This is a test of the receiver " + model.LabelValue(rcv.Name) + ". Nothing is wrong."},
		},
		UpdatedAt: now,
	}
	key := uuid.NewString()
	ctx = notify.WithReceiverName(notify.WithGroupLabels(notify.WithGroupKey(ctx, "test:"+key), set), rcv.Name)
	ctx = notify.WithRepeatInterval(notify.WithNow(WithKey(ctx, key), now), time.Hour)
	ctx = notify.WithFiringAlerts(ctx, []uint64{LogHash(set)})
	outcomes := make([]alertmanager.Outcome, len(built))
	for i := range built {
		limited, cancel := context.WithTimeout(ctx, notify.MinTimeout)
		began := time.Now()
		_, err := e.attempt(&built[i], rcv, t, c.source).Notify(limited, a)
		cancel()
		outcomes[i] = alertmanager.Outcome{
			Integration: alertmanager.Integration{Type: built[i].Name(), Index: built[i].Index(), SendResolved: built[i].SendResolved()},
			Took:        time.Since(began),
		}
		if err != nil {
			outcomes[i].Reason = err.Error()
		}
	}
	return outcomes, nil
}
