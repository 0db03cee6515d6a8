package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/quantivista/monitoring/test/bench/otlpload"
)

// pager is a webhook that notes how old alerts are when they arrive: since the evaluation that fired them.
type pager struct {
	server *http.Server
	url    string

	mu     sync.Mutex
	ages   map[string]time.Duration // by number
	change chan struct{}            // closed and made anew with every message
}

func newPager(ctx context.Context) (*pager, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	p := &pager{url: "http://" + listener.Addr().String(), ages: map[string]time.Duration{}, change: make(chan struct{})}
	p.server = &http.Server{Handler: http.HandlerFunc(p.take), ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(listener) }() // It ends with Close.
	return p, nil
}

func (p *pager) take(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	var message struct {
		Alerts []struct {
			Labels   map[string]string
			StartsAt time.Time
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range message.Alerts {
		number := a.Labels[otlpload.NumberLabel]
		if _, known := p.ages[number]; !known {
			p.ages[number] = arrived.Sub(a.StartsAt)
		}
	}
	close(p.change)
	p.change = make(chan struct{})
}

// await waits until so many alerts have arrived since the last call, and gives their ages.
func (p *pager) await(ctx context.Context, count int) ([]time.Duration, error) {
	for {
		p.mu.Lock()
		got, change := len(p.ages), p.change
		p.mu.Unlock()
		if got >= count {
			return p.reset(), nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d alerts arrived: %w", got, count, ctx.Err())
		}
	}
}

func (p *pager) reset() (ages []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, age := range p.ages {
		ages = append(ages, age)
	}
	p.ages = map[string]time.Duration{}
	return ages
}
