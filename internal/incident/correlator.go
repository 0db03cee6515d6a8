package incident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Correlation says which alerts make one incident, and for how long.
type Correlation struct {
	// Labels that the alerts of an incident share.
	Labels []string
	// MinSeverity is the least one that opens an incident. Lesser alerts only join.
	MinSeverity alert.Severity
	Title       *TitleTemplate
	// QuietPeriod is how long a mitigated incident waits to be resolved.
	QuietPeriod time.Duration
	// ReopenWindow is how long a resolved incident takes back alerts of its key.
	ReopenWindow time.Duration
	// FlapWindow joins periods of an alert that start no further apart to one alert.
	FlapWindow time.Duration
}

// Defaults of Correlation.
const (
	DefaultQuietPeriod  = 10 * time.Minute
	DefaultReopenWindow = time.Hour
	DefaultFlapWindow   = time.Hour
	DefaultMinSeverity  = alert.Medium
)

// DefaultLabels gives the labels that alerts are correlated by unless others are configured.
func DefaultLabels() []string { return []string{"service", "namespace", "cluster"} }

// Validate says what contradicts itself. Each error begins with the name of the setting in snake case.
func (c *Correlation) Validate() error {
	var errs []error
	if _, err := alert.ParseSeverity(string(c.MinSeverity)); err != nil {
		errs = append(errs, fmt.Errorf("\"min_severity\": %w", err))
	}
	if len(c.Labels) == 0 {
		errs = append(errs, errors.New("\"correlation_labels\" must name at least one label, such as service"))
	}
	for i, label := range c.Labels {
		if label == "" {
			errs = append(errs, fmt.Errorf("\"correlation_labels::%d\" must name a label, is empty", i))
		}
	}
	if c.QuietPeriod < 0 {
		errs = append(errs, fmt.Errorf("\"quiet_period\" must not be negative, is %s", c.QuietPeriod))
	}
	if c.ReopenWindow < 0 {
		errs = append(errs, fmt.Errorf("\"reopen_window\" must not be negative, is %s", c.ReopenWindow))
	}
	if c.FlapWindow < 0 {
		errs = append(errs, fmt.Errorf("\"flap_window\" must not be negative, is %s", c.FlapWindow))
	}
	return errors.Join(errs...)
}

// Correlator makes incidents of alerts. It is safe for concurrent use, in any number of replicas on one store.
type Correlator struct {
	store    Store
	rules    Correlation
	muting   alert.Muting
	upstream Upstream
	now      func() time.Time

	releases releases
}

// Store is what a Correlator needs.
type Store interface {
	Writer
	MuteReader
}

// NewCorrelator takes a valid Correlation with a title. now is the clock of decisions and of the timeline.
func NewCorrelator(store Store, rules Correlation, now func() time.Time) *Correlator {
	return &Correlator{store: store, rules: rules, muting: alert.AnyMuting(), now: now}
}

// WithMuting gives a correlator that holds back what is muted: such alerts are stored, and open and join no incident.
func (c *Correlator) WithMuting(muting alert.Muting) *Correlator {
	return &Correlator{store: c.store, rules: c.rules, muting: muting, upstream: c.upstream, now: c.now}
}

// mutes gives what mutes an alert; nil for nothing.
type mutes func(*alert.Alert) []alert.Mute

// write runs do in a transaction, with what mutes alerts now. That is read before: it may need the store itself.
func (c *Correlator) write(ctx context.Context, do func(context.Context, Tx, mutes) error) error {
	mutes, err := c.muting(ctx, c.now())
	if err != nil {
		return err
	}
	return c.store.Write(ctx, func(ctx context.Context, tx Tx) error { return do(ctx, tx, mutes) })
}

// Handle stores reports on alerts and what they do to incidents, all or nothing. A replay changes nothing. The error
// is one of package state's, or the context's.
func (c *Correlator) Handle(ctx context.Context, reports []alert.Alert) (Outcome, error) {
	var outcome Outcome
	err := c.write(ctx, func(ctx context.Context, tx Tx, mutes mutes) (err error) {
		outcome, err = c.take(ctx, tx, reports, mutes)
		return err
	})
	if err != nil {
		return Outcome{}, err
	}
	return outcome, nil
}

// sweepSize bounds what one transaction of Sweep resolves.
const sweepSize = 100

// Sweep has alerts whose mutes have ended open or join incidents, and resolves the incidents that have been mitigated
// for the quiet period. What was done before an error stays so. An error that is state.ErrInvalid or state.ErrConflict
// is about some alerts alone.
func (c *Correlator) Sweep(ctx context.Context) (Outcome, error) {
	total, refused, err := c.release(ctx)
	if err != nil {
		return total, err
	}
	for {
		resolved := 0
		err := c.store.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
			resolved, err = c.resolveQuiet(ctx, tx)
			return err
		})
		if err != nil {
			return total, err
		}
		total.Resolved += resolved
		if resolved < sweepSize {
			return total, refused
		}
	}
}

func (c *Correlator) resolveQuiet(ctx context.Context, tx Tx) (int, error) {
	now := c.now()
	quiet, err := tx.MitigatedBefore(ctx, now.Add(-c.rules.QuietPeriod), sweepSize)
	if err != nil {
		return 0, err
	}
	events := make([]TimelineEvent, 0, len(quiet))
	for _, in := range quiet {
		in.Status = Resolved
		if _, err := tx.UpdateIncident(ctx, in); err != nil {
			return 0, err
		}
		events = append(events, statusEvent(in.ID, now, Mitigated, Resolved, fmt.Sprintf("no alert fired for %s", c.rules.QuietPeriod)))
	}
	_, err = tx.AppendEvents(ctx, events...)
	return len(quiet), err
}

// worst gives the severity of an incident of these alerts. None is Info.
func worst(changes []*alert.Change) alert.Severity {
	severity := alert.Low
	for _, c := range changes {
		if s := c.After.Severity; s.Worse(severity) {
			severity = s
		}
	}
	return severity
}

// began says that the alert fired anew, even if it has ended since.
func began(c *alert.Change) bool {
	return c.Before == nil || c.Fired() || c.Flapped()
}

// ended says that the alert is over, and was not before.
func ended(c *alert.Change) bool {
	return c.Resolved() || (began(c) && c.After.Status == alert.Resolved)
}

// firstStart gives when the first of the alerts fired.
func firstStart(changes []*alert.Change) time.Time {
	return slices.MinFunc(changes, func(a, b *alert.Change) int { return a.After.LastStart().Compare(b.After.LastStart()) }).After.LastStart()
}

// byUrgency orders alerts by severity, the worst first, then by start and labels.
func byUrgency(a, b *alert.Change) int {
	switch {
	case a.After.Severity.Worse(b.After.Severity):
		return -1
	case b.After.Severity.Worse(a.After.Severity):
		return 1
	}
	return cmp.Or(a.After.StartsAt.Compare(b.After.StartsAt), cmp.Compare(a.After.Fingerprint(), b.After.Fingerprint()))
}
