package lokiexporter

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// guard keeps labels of too many values out of Loki's index. It counts the values of each label in a window; a label that
// has more than max is no label any more until the window ends. Safe for concurrent use.
type guard struct {
	max    int
	window time.Duration
	size   int // of a value; 0 is no limit
	logger *zap.Logger

	mu     sync.Mutex
	labels []guarded
}

type guarded struct {
	name   string
	values map[string]struct{}
	since  time.Time
	closed bool
}

func newGuard(cfg *Config, logger *zap.Logger) *guard {
	g := &guard{max: cfg.Cardinality.MaxValues, window: cfg.Cardinality.Window, size: cfg.Limits.LabelValueSize, logger: logger}
	for _, l := range cfg.Labels {
		g.labels = append(g.labels, guarded{name: l.Name, values: map[string]struct{}{}})
	}
	return g
}

// admit tells whether the value may be that of label i.
func (g *guard) admit(i int, value string, now time.Time) bool {
	if g.size > 0 && len(value) > g.size {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l := &g.labels[i]
	if now.Sub(l.since) >= g.window {
		clear(l.values)
		l.since, l.closed = now, false
	}
	if l.closed {
		return false
	}
	if _, known := l.values[value]; known {
		return true
	}
	if len(l.values) >= g.max {
		l.closed = true
		g.logger.Warn("A label has too many values: it goes into structured metadata for now; take it out of \"labels\", or raise \"cardinality::max_values\"",
			zap.String("label", l.name), zap.Int("max_values", g.max), zap.Time("until", l.since.Add(g.window)))
		return false
	}
	l.values[value] = struct{}{}
	return true
}

// each tells the number of values of every label.
func (g *guard) each(tell func(label string, values int)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.labels {
		tell(g.labels[i].name, len(g.labels[i].values))
	}
}
