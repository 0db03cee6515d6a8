package alertruleprocessor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadata"
)

// next is the component behind the processor.
type next struct {
	mu     sync.Mutex
	refuse error
	poison string // the instance of an alert that is refused for good, with all of its batch
	alerts []alert.Alert
	taking func([]alert.Alert) // looks on, where set
}

func (*next) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (n *next) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse != nil {
		return n.refuse
	}
	alerts, err := alert.Decode(md)
	for _, a := range alerts {
		if n.poison != "" && a.Labels["instance"] == n.poison {
			return consumererror.NewPermanent(errors.New("cannot be stored"))
		}
	}
	n.alerts = append(n.alerts, alerts...)
	if n.taking != nil {
		n.taking(alerts)
	}
	return err
}

// refusing has everything refused from now on, or nothing.
func (n *next) refusing(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refuse = err
}

// got gives what arrived since the last call, as "name{label} status", each once.
func (n *next) got() []string {
	var texts []string
	for _, a := range n.take() {
		text := a.Name() + " " + string(a.Status)
		if instance := a.Labels["instance"]; instance != "" {
			text = a.Name() + "/" + instance + " " + string(a.Status)
		}
		texts = append(texts, text)
	}
	return texts
}

func (n *next) take() []alert.Alert {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.alerts
	n.alerts = nil
	return taken
}

// host has extensions, and remembers what is reported.
type host struct {
	extensions map[component.ID]component.Component
	mu         sync.Mutex
	events     []*componentstatus.Event
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *host) status() componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.StatusNone
	}
	return h.events[len(h.events)-1].Status()
}

// bench is a processor that runs on a store, with a rule file.
type bench struct {
	t     testing.TB
	dir   string
	cfg   *Config
	store *testStore
	next  *next
	host  *host
	set   processor.Settings
	proc  *alertRule
}

// newBench makes a bench whose rules are evaluated every 15 seconds.
func newBench(t testing.TB, rules string) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), next: &next{}, set: processortest.NewNopSettings(metadata.Type)}
	b.cfg = createDefaultConfig().(*Config)
	b.cfg.RuleFiles = []string{filepath.Join(b.dir, "*.yaml")}
	b.write("rules.yaml", rules)
	b.store = openStore(t, filepath.Join(b.dir, "tsdb"))
	return b
}

// write a rule file. Its lines are those of groups, indented by tabs where people indent.
func (b *bench) write(name, rules string) {
	b.t.Helper()
	rules = strings.ReplaceAll(rules, "\t", "  ")
	require.NoError(b.t, os.WriteFile(filepath.Join(b.dir, name), []byte(rules), 0o600))
}

func (b *bench) start() {
	b.t.Helper()
	b.host = &host{extensions: map[component.ID]component.Component{b.cfg.MetricStore: b.store}}
	require.NoError(b.t, b.cfg.Validate())
	p, err := newProcessor(b.cfg, b.set, b.next)
	require.NoError(b.t, err)
	require.NoError(b.t, p.Start(context.Background(), b.host))
	b.proc = p
}

func (b *bench) stop() {
	b.t.Helper()
	require.NoError(b.t, b.proc.Shutdown(context.Background()))
}

func (b *bench) close() {
	b.t.Helper()
	b.stop()
	b.store.close(b.t)
}

// reopen closes the store and opens it again, as a new process does.
func (b *bench) reopen() {
	b.t.Helper()
	b.store.close(b.t)
	b.store = openStore(b.t, filepath.Join(b.dir, "tsdb"))
}

// pass lets time pass in a synctest bubble, while a series keeps its value.
func (b *bench) pass(d time.Duration, value float64, series ...string) {
	b.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		b.store.set(b.t, value, series...)
		<-time.After(min(time.Until(end), 5*time.Second))
	}
	synctest.Wait()
}
