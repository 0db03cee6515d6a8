// Package inflight lets a component that serves requests wait for them when it stops.
package inflight

import (
	"context"
	"sync"
	"time"
)

// Requests are those that a component serves. Make them with New.
type Requests struct {
	mu      sync.Mutex // of stopped, which no request begins behind
	stopped bool
	running sync.WaitGroup
	// cancel ends the requests that run.
	cancel context.CancelFunc
	base   context.Context //nolint:containedctx // The lifetime of the component, which bounds that of its requests.
}

// New has no requests yet.
func New() *Requests {
	base, cancel := context.WithCancel(context.Background())
	return &Requests{base: base, cancel: cancel}
}

// Begin gives the context of one request, and how to end it. ok is false, and there is nothing to end, once Stop was
// called.
func (r *Requests) Begin(ctx context.Context) (requestCtx context.Context, end func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return ctx, func() {}, false
	}
	r.running.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	detach := context.AfterFunc(r.base, cancel)
	return ctx, func() {
		detach()
		cancel()
		r.running.Done()
	}, true
}

// Stop waits for the requests that run; after the grace, or when ctx ends, it cancels them. It may be called twice.
func (r *Requests) Stop(ctx context.Context, grace time.Duration) {
	defer time.AfterFunc(grace, r.cancel).Stop()
	defer context.AfterFunc(ctx, r.cancel)()
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.running.Wait()
	r.cancel()
}
