package otlpreceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"
)

// instances has the receivers by their configuration: the service asks for one receiver a signal, and one pair of
// servers is to take all of them.
type instances struct {
	mu       sync.Mutex
	byConfig map[*Config]*shared
}

func (i *instances) add(set receiver.Settings, cfg *Config, use func(*otlpReceiver)) (*shared, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.byConfig[cfg]
	if s == nil {
		r, err := newReceiver(cfg, set)
		if err != nil {
			return nil, err
		}
		s = &shared{receiver: r, forget: func() { i.forget(cfg) }}
		if i.byConfig == nil {
			i.byConfig = map[*Config]*shared{}
		}
		i.byConfig[cfg] = s
	}
	use(s.receiver)
	return s, nil
}

func (i *instances) forget(cfg *Config) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.byConfig, cfg)
}

// shared is the receiver of all signals. It starts with the first of them, and ends with the first.
type shared struct {
	receiver    *otlpReceiver
	start, stop sync.Once
	forget      func()
}

func (s *shared) Start(ctx context.Context, host component.Host) (err error) {
	s.start.Do(func() { err = s.receiver.Start(ctx, host) })
	return err
}

func (s *shared) Shutdown(ctx context.Context) (err error) {
	s.stop.Do(func() {
		defer s.forget()
		err = s.receiver.Shutdown(ctx)
	})
	return err
}
