package monitoringapiextension

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/quantivista/monitoring/internal/evidence"
)

// EvidenceConfig is what is kept with incidents, of which a SQLStore keeps it.
type EvidenceConfig struct {
	// Enabled collects; what was collected is told in any case.
	Enabled bool `mapstructure:"enabled"`
	// Interval is the time between two looks at what is due, give or take a tenth.
	Interval time.Duration `mapstructure:"interval"`
	// FirstAfter and AgainAfter are when to look, behind the opening of an incident; Settle behind its end.
	FirstAfter time.Duration `mapstructure:"first_after"`
	AgainAfter time.Duration `mapstructure:"again_after"`
	Settle     time.Duration `mapstructure:"settle"`
	// RetryAfter is when a source that did not answer is asked again, GiveUpAfter when it is not any more.
	RetryAfter  time.Duration `mapstructure:"retry_after"`
	GiveUpAfter time.Duration `mapstructure:"give_up_after"`
	// Timeout bounds what one source may take for one incident.
	Timeout time.Duration `mapstructure:"timeout"`
	// Lookback is how long before the first alert is looked at, MaxWindow how much of a long incident.
	Lookback  time.Duration `mapstructure:"lookback"`
	MaxWindow time.Duration `mapstructure:"max_window"`
	// The budget of one incident.
	MaxServices    int `mapstructure:"max_services"`
	MaxMetrics     int `mapstructure:"max_metrics"`
	MaxSeries      int `mapstructure:"max_series"`
	MaxPoints      int `mapstructure:"max_points"`
	MaxExemplars   int `mapstructure:"max_exemplars"`
	MaxTraces      int `mapstructure:"max_traces"`
	MaxSpans       int `mapstructure:"max_spans"`
	MaxLogLines    int `mapstructure:"max_log_lines"`
	MaxLogPatterns int `mapstructure:"max_log_patterns"`
	MaxBytes       int `mapstructure:"max_bytes"`
	// Links lead from evidence to where there is more.
	Links EvidenceLinksConfig `mapstructure:"links"`
}

// EvidenceLinksConfig are Go text/templates; see evidence.LinkData.
type EvidenceLinksConfig struct {
	Metric string `mapstructure:"metric"`
	Trace  string `mapstructure:"trace"`
	Logs   string `mapstructure:"logs"`
}

// maxEvidenceBytes is what a row of the database may well hold.
const maxEvidenceBytes = 64 << 20

func defaultEvidence() EvidenceConfig {
	s := evidence.DefaultSettings()
	return EvidenceConfig{
		Enabled: true, Interval: s.Interval, FirstAfter: s.FirstAfter, AgainAfter: s.AgainAfter, Settle: s.Settle,
		RetryAfter: s.RetryAfter, GiveUpAfter: s.GiveUpAfter, Timeout: s.Timeout, Lookback: s.Lookback, MaxWindow: s.MaxWindow,
		MaxServices: s.Services, MaxMetrics: s.Metrics, MaxSeries: s.Series, MaxPoints: s.Points, MaxExemplars: s.Exemplars, MaxTraces: s.Traces,
		MaxSpans: s.Spans, MaxLogLines: s.LogLines, MaxLogPatterns: s.LogPatterns, MaxBytes: s.Bytes,
	}
}

// Validate names every fault by its key.
func (c *EvidenceConfig) Validate() error {
	var errs []error
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"interval", c.Interval}, {"retry_after", c.RetryAfter}, {"timeout", c.Timeout}, {"max_window", c.MaxWindow}} {
		if d.value <= 0 {
			errs = append(errs, fmt.Errorf("%q must be positive, is %s", d.key, d.value))
		}
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"first_after", c.FirstAfter}, {"settle", c.Settle}, {"give_up_after", c.GiveUpAfter}, {"lookback", c.Lookback}} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%q must not be negative, is %s", d.key, d.value))
		}
	}
	if c.AgainAfter <= c.FirstAfter {
		errs = append(errs, fmt.Errorf(`"again_after" must be more than "first_after", which is %s, is %s`, c.FirstAfter, c.AgainAfter))
	}
	return errors.Join(append(errs, c.validateBudget())...)
}

func (c *EvidenceConfig) validateBudget() error {
	var errs []error
	for _, n := range []struct {
		key         string
		value, most int
	}{
		{"max_services", c.MaxServices, 100}, {"max_metrics", c.MaxMetrics, 100}, {"max_series", c.MaxSeries, 1000}, {"max_points", c.MaxPoints, 11000},
		{"max_exemplars", c.MaxExemplars, 100}, {"max_traces", c.MaxTraces, 100}, {"max_spans", c.MaxSpans, 10000},
		{"max_log_lines", c.MaxLogLines, 5000}, {"max_log_patterns", c.MaxLogPatterns, 1000}, {"max_bytes", c.MaxBytes, maxEvidenceBytes},
	} {
		if n.value < 1 || n.value > n.most {
			errs = append(errs, fmt.Errorf("%q must be from 1 to %d, is %d", n.key, n.most, n.value))
		}
	}
	return errors.Join(errs...)
}

// Validate tries the templates.
func (c *EvidenceLinksConfig) Validate() error {
	_, err := evidence.ParseLinks(evidence.LinkTemplates(*c))
	return err
}

func (c *EvidenceConfig) settings() evidence.Settings {
	return evidence.Settings{
		Interval: c.Interval, FirstAfter: c.FirstAfter, AgainAfter: c.AgainAfter, Settle: c.Settle,
		RetryAfter: c.RetryAfter, GiveUpAfter: c.GiveUpAfter, Timeout: c.Timeout, Lookback: c.Lookback, MaxWindow: c.MaxWindow,
		Budget: evidence.Budget{
			Services: c.MaxServices, Metrics: c.MaxMetrics, Series: c.MaxSeries, Points: c.MaxPoints, Exemplars: c.MaxExemplars, Traces: c.MaxTraces,
			Spans: c.MaxSpans, LogLines: c.MaxLogLines, LogPatterns: c.MaxLogPatterns, Bytes: c.MaxBytes,
		},
	}
}

// logRounds logs that evidence cannot be collected, and that it can again.
func logRounds(logger *zap.Logger) func(error) {
	failing := false
	return func(err error) {
		switch {
		case err != nil && !failing:
			logger.Warn("Cannot collect evidence for incidents: it will be done later", zap.Error(err))
		case err == nil && failing:
			logger.Info("Evidence for incidents is collected again")
		}
		failing = err != nil
	}
}
