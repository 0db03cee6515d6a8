package embedded

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
)

// maxLate is how many messages of one integration may wait for a server that does not answer, behind their time.
const maxLate = 8

// punctual has an integration answer within the time that it is given. Alertmanager's email waits for a server that
// says nothing as long as the connection lasts; the group would wait with it, and never be notified again. A message
// that is late is left to itself: it may still arrive, as one whose answer was lost.
type punctual struct {
	inner notify.Notifier
	late  atomic.Int32
}

var _ notify.Notifier = (*punctual)(nil)

// Notify sends, and gives up when ctx ends. It may be tried again.
func (p *punctual) Notify(ctx context.Context, alerts ...*types.Alert) (retry bool, err error) {
	if n := p.late.Load(); n >= maxLate {
		return true, fmt.Errorf("%d messages before still wait for an answer of the server", n)
	}
	// decided is for the first of the two to come, the end of the sending or that of its time.
	var decided atomic.Bool
	done := make(chan outcome, 1)
	go func() {
		retry, err := p.inner.Notify(ctx, alerts...)
		done <- outcome{retry, err}
		if !decided.CompareAndSwap(false, true) {
			p.late.Add(-1)
		}
	}()
	select {
	case o := <-done:
		return o.retry, o.err
	case <-ctx.Done():
		if !decided.CompareAndSwap(false, true) {
			o := <-done
			return o.retry, o.err
		}
		p.late.Add(1)
		return true, fmt.Errorf("the server did not answer in time: %w", context.Cause(ctx))
	}
}

// outcome is what an integration answers.
type outcome struct {
	retry bool
	err   error
}
