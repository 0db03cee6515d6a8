package lokiexporter

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/exporters/lokiexporter/internal/metadata"
)

// tally counts the lines of one batch that Loki refused, with one answer of each reason.
type tally struct {
	counts   map[string]int
	examples map[string]string
}

func newTally() *tally { return &tally{counts: map[string]int{}, examples: map[string]string{}} }

func (t *tally) add(refused map[string]int, answer string) {
	for reason, n := range refused {
		t.counts[reason] += n
		if t.examples[reason] == "" {
			t.examples[reason] = answer
		}
	}
}

func (t *tally) total() int {
	n := 0
	for _, c := range t.counts {
		n += c
	}
	return n
}

// String lists every reason with its count and example.
func (t *tally) String() string {
	var parts []string
	for reason, n := range t.counts {
		parts = append(parts, fmt.Sprintf("%d %s (%s)", n, reason, t.examples[reason]))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

func (t *tally) record(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	for reason, n := range t.counts {
		telemetry.ExporterLokiRefusedLogRecords.Add(ctx, int64(n), one("reason", reason))
	}
}

func one(key, value string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))
}

// tallyLog writes one line for all refusals of a while, not one for each push.
type tallyLog struct {
	logger *zap.Logger

	mu      sync.Mutex
	next    time.Time
	skipped int
}

const tallyLogEvery = 10 * time.Second

func (l *tallyLog) log(t *tally, now time.Time) {
	if t.total() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.next) {
		l.skipped += t.total()
		return
	}
	l.logger.Warn("Loki refused log records: these are dropped, the others of the same push are stored",
		zap.Stringer("refused", t), zap.Int("refused_since_last_line", l.skipped))
	l.next, l.skipped = now.Add(tallyLogEvery), 0
}
