package alertmanagerextension

import (
	"context"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/embedded"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/componenthealth"
)

// reloader puts configurations into force. One with a fault is refused, and the one before goes on.
type reloader struct {
	cfg    *Config
	engine *embedded.Engine
	logger *slog.Logger

	mu       sync.Mutex // held by a reload
	health   *componenthealth.Reporter
	conf     *embedded.Configuration
	seen     uint64 // sum of the files at the last attempt
	known    sync.RWMutex
	loadedAt time.Time
	fault    error
}

// begin with a configuration that was read.
func (r *reloader) begin(ctx context.Context, conf *embedded.Configuration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conf = conf
	r.seen = r.sum()
	return r.apply(ctx, conf)
}

// watch looks at the files until ctx ends.
func (r *reloader) watch(ctx context.Context) {
	ticker := time.NewTicker(r.cfg.ReloadInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		r.mu.Lock()
		if sum := r.sum(); sum != r.seen {
			r.seen = sum
			_ = r.read(ctx) // It is logged, and told by the status.
		}
		r.mu.Unlock()
	}
}

// reload reads the configuration whether or not it changed.
func (r *reloader) reload(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = r.sum()
	return r.read(ctx)
}

func (r *reloader) read(ctx context.Context) error {
	conf, err := r.cfg.load()
	if err == nil {
		err = r.apply(ctx, conf)
	}
	if err != nil {
		r.engine.Refused()
		r.note(err)
	}
	return err
}

func (r *reloader) apply(ctx context.Context, conf *embedded.Configuration) error {
	if err := r.engine.Apply(ctx, conf); err != nil {
		return err
	}
	r.conf = conf
	r.note(nil)
	return nil
}

func (r *reloader) note(fault error) {
	if fault != nil {
		r.logger.Error("The Alertmanager's configuration was refused: the one before goes on", "fault", fault)
	} else {
		r.logger.Info("The Alertmanager's configuration is in force", "file", r.cfg.ConfigFile, "receivers", len(r.engine.Receivers()))
	}
	r.health.Report(fault)
	r.known.Lock()
	defer r.known.Unlock()
	r.fault = fault
	if fault == nil {
		r.loadedAt = time.Now()
	}
}

// fail reports a first configuration that cannot be put into force, after Start.
func (r *reloader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health.Fatal(err)
}

func (r *reloader) status() alertmanager.Status {
	r.known.RLock()
	defer r.known.RUnlock()
	s := alertmanager.Status{LoadedAt: r.loadedAt}
	if r.fault != nil {
		s.Fault = r.fault.Error()
	}
	return s
}

// sum changes with the content of the configuration file and of its templates. It reads them, since a mounted
// ConfigMap changes by a link, of which file systems tell in many ways.
func (r *reloader) sum() uint64 {
	paths := []string{}
	if r.cfg.ConfigFile != "" {
		paths = append(paths, r.cfg.ConfigFile)
	}
	for _, pattern := range r.conf.Templates() {
		found, _ := filepath.Glob(pattern) // The library refuses what is no pattern.
		paths = append(paths, found...)
	}
	sum := fnv.New64a()
	for _, path := range paths {
		text, err := os.ReadFile(path)
		_, _ = sum.Write([]byte(path))
		_, _ = sum.Write(text)
		if err != nil {
			_, _ = sum.Write([]byte(err.Error()))
		}
	}
	return sum.Sum64()
}
