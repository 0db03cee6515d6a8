package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
)

// errClosing answers a group that is to be notified while its dispatcher is being stopped. The group keeps its alerts,
// and the next dispatcher finds them.
var errClosing = errors.New("the dispatcher is being stopped")

// gate is the head of a dispatcher's pipeline. A dispatcher that is stopped cuts off what it is sending, which may
// have arrived all the same and would be sent again: the gate lets it end first.
type gate struct {
	stage    notify.Stage
	flushing func(context.Context, []*types.Alert) []*types.Alert

	mu      sync.Mutex
	closed  bool
	sending int
	idle    chan struct{} // made by close, closed with the last one
}

// Exec implements notify.Stage.
func (g *gate) Exec(ctx context.Context, l *slog.Logger, alerts ...*types.Alert) (context.Context, []*types.Alert, error) {
	if !g.enter() {
		return ctx, nil, errClosing
	}
	defer g.leave()
	return g.stage.Exec(ctx, l, g.flushing(ctx, alerts)...)
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.sending++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sending--
	if g.closed && g.sending == 0 {
		close(g.idle)
	}
}

// close lets nothing in any more, and waits for what is in until ctx ends. It is called once.
func (g *gate) close(ctx context.Context) error {
	g.mu.Lock()
	g.closed, g.idle = true, make(chan struct{})
	sending := g.sending
	if sending == 0 {
		close(g.idle)
	}
	g.mu.Unlock()
	select {
	case <-g.idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("up to %d groups were still being notified: %w", sending, ctx.Err())
	}
}
