package servicehealth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Settings of a Monitor.
type Settings struct {
	// Interval is the time between two judgements, give or take a tenth. Where other alerts fire than at the last one, the
	// next comes after a third of it: whoever is paged looks at once.
	Interval time.Duration
	// Timeout bounds one.
	Timeout time.Duration
	// DetailsInterval is the least time between two looks at what services tell about themselves, which costs most.
	DetailsInterval time.Duration
	// ForgetAfter is how long a service that is not seen is kept as unhealthy.
	ForgetAfter time.Duration
}

// absentAfter is how many intervals a service may go unseen: another replica may see it, and a scrape may be late.
const absentAfter = 3

// Monitor judges services again and again, and stores what it finds. Replicas do so side by side: what each of them
// stores follows from what all of them see, since a service is missed only where nobody has seen it.
type Monitor struct {
	assessor *Assessor
	records  Records
	alerts   Alerts
	settings Settings
	// failed is told of each judgement: nil, or why there is none.
	failed func(error)

	// These belong to the loop. weighed are the alerts that were judged last.
	weighed   map[string]turnout
	started   time.Time
	details   map[string]Details
	described time.Time

	mu   sync.Mutex
	last error // of the last judgement
}

// NewMonitor makes a Monitor that judges as the assessor does. failed is called in the loop, after each judgement.
func NewMonitor(a *Assessor, records Records, alerts Alerts, s Settings, failed func(error)) *Monitor {
	return &Monitor{assessor: a, records: records, alerts: alerts, settings: s, failed: failed}
}

// Run judges until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	m.started = m.assessor.now()
	// The first judgement waits, too, unless alerts fire: the series of before a restart are on their way.
	wait := time.NewTimer(m.pause() / looksPerInterval)
	defer wait.Stop()
	for looks := 1; ; looks++ {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		if looks >= looksPerInterval || looks >= looksBetween && m.alertsTurned(ctx) {
			err := m.judgeInTime(ctx)
			if ctx.Err() != nil {
				return
			}
			m.note(err)
			m.failed(err)
			looks = 0
		}
		wait.Reset(m.pause() / looksPerInterval)
	}
}

const (
	// looksPerInterval is how often in an interval it is looked whether other alerts fire.
	looksPerInterval = 6
	// looksBetween is how many looks lie between two judgements at least: in a storm, alerts turn all the time.
	looksBetween = 2
)

// turnout is what tells whether the alerts of a service weigh differently.
type turnout struct {
	firing int
	worst  alert.Severity
}

func turnouts(firing map[string]Firing) map[string]turnout {
	all := make(map[string]turnout, len(firing))
	for name, of := range firing {
		t := turnout{firing: of.Total}
		for i := range of.Alerts {
			if i == 0 || of.Alerts[i].Severity.Worse(t.worst) {
				t.worst = of.Alerts[i].Severity
			}
		}
		all[name] = t
	}
	return all
}

// alertsTurned says that other alerts fire than those that were judged last, or that some do before the first judgement.
func (m *Monitor) alertsTurned(ctx context.Context) bool {
	limited, cancel := context.WithTimeout(ctx, m.settings.Timeout)
	defer cancel()
	firing, err := m.alerts.FiringByService(limited, "", alertReasons)
	if err != nil {
		return false // The next judgement tells.
	}
	now := turnouts(firing)
	turned := !maps.Equal(now, m.weighed)
	m.weighed = now // One that fails now is not tried again sooner.
	return turned
}

// pause keeps replicas from asking in step.
func (m *Monitor) pause() time.Duration {
	return time.Duration(float64(m.settings.Interval) * (0.9 + 0.2*rand.Float64())) //nolint:gosec // Nobody gains by guessing it.
}

func (m *Monitor) judgeInTime(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, m.settings.Timeout)
	defer cancel()
	err := m.judge(limited)
	if err != nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("it takes longer than %s: %w", m.settings.Timeout, err)
	}
	return err
}

func (m *Monitor) note(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = err
}

// fault is why the last judgement of this process failed.
func (m *Monitor) fault() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// judge looks at everything, and stores the health of every service.
func (m *Monitor) judge(ctx context.Context) error {
	at := m.assessor.now()
	found, err := m.assessor.observe(ctx, at)
	if err != nil {
		return err
	}
	if err := m.describe(ctx, at); err != nil {
		return err
	}
	firing, err := m.alerts.FiringByService(ctx, "", alertReasons)
	if err != nil {
		return fmt.Errorf("look at alerts: %w", err)
	}
	m.weighed = turnouts(firing)
	known, err := m.records.Health(ctx)
	if err != nil {
		return fmt.Errorf("read the health of services: %w", err)
	}
	for name, of := range firing {
		m.weigh(found, name, of)
	}
	gone := m.miss(found, known, at)
	services := found.judge(at)
	saved := make([]Record, len(services))
	for i := range services {
		services[i].Details.take(m.details[services[i].Name])
		saved[i] = services[i].record()
	}
	if err := m.records.SaveHealth(ctx, saved); err != nil {
		return fmt.Errorf("store the health of services: %w", err)
	}
	if err := m.records.DropHealth(ctx, gone, at); err != nil {
		return fmt.Errorf("forget services: %w", err)
	}
	return nil
}

// describe looks at what services tell about themselves, where the last look is old.
func (m *Monitor) describe(ctx context.Context, at time.Time) error {
	if m.details != nil && at.Sub(m.described) < m.settings.DetailsInterval {
		return nil
	}
	details, err := m.assessor.describe(ctx, "", at)
	if err != nil {
		return err
	}
	m.details, m.described = details, at
	return nil
}

// alertReasons of a service are told one by one.
const alertReasons = 3

// weigh makes reasons of the worst alerts of a service; the others are counted.
func (m *Monitor) weigh(found findings, name string, of Firing) {
	var unseen time.Time // An alert tells nothing of whether the service is there.
	for i := range of.Alerts {
		a := &of.Alerts[i]
		message := fmt.Sprintf("%s fires (%s) since %s", cmp.Or(a.Name(), "an alert"), a.Severity, a.StartsAt.UTC().Format(time.RFC3339))
		found.add(name, unseen, Reason{FromAlert, m.assessor.rules.Alerts.status(a.Severity), message})
	}
	if more := of.Total - len(of.Alerts); more > 0 {
		worst := alert.Info
		if n := len(of.Alerts); n > 0 {
			worst = of.Alerts[n-1].Severity
		}
		found.add(name, unseen, Reason{FromAlert, Healthy, fmt.Sprintf("%d more alerts fire, none worse than %s", more, worst)})
	}
}

// miss adds to what was found what is known and was not seen, and gives the IDs of what is to be forgotten.
func (m *Monitor) miss(found findings, known []Record, at time.Time) (gone []string) {
	for i := range known {
		r := &known[i]
		if s := found[r.Name]; s != nil && !s.LastSeen.IsZero() {
			continue
		}
		// While this process was down nobody looked, so that the time counts from its start.
		unseen := at.Sub(later(r.LastSeen, m.started))
		switch {
		case r.LastSeen.IsZero() || unseen > m.settings.ForgetAfter:
			// Known from alerts or checks alone, or for too long.
			if found[r.Name] == nil {
				gone = append(gone, r.ID)
			}
		case unseen > absentAfter*m.settings.Interval:
			found.add(r.Name, r.LastSeen, absence(r.LastSeen))
		default:
			for _, reason := range r.Reasons {
				if reason.Source == FromTargets || reason.Source == FromMetrics || reason.Source == FromProbe {
					found.add(r.Name, r.LastSeen, reason)
				}
			}
			if found[r.Name] == nil { // whatever it was that told of it
				found.add(r.Name, r.LastSeen, Reason{FromMetrics, r.Status, "was seen at " + r.LastSeen.UTC().Format(time.RFC3339)})
			}
		}
	}
	return gone
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
