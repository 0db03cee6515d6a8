package evidence

import "time"

// Settings of a Keeper.
type Settings struct {
	// Interval is the time between two looks at what is due.
	Interval time.Duration
	// FirstAfter is when the first look is due, and AgainAfter the second: after the incident opened. Spans take a while
	// through tail sampling.
	FirstAfter, AgainAfter time.Duration
	// Settle is how long after the end of the incident the last look is due.
	Settle time.Duration
	// RetryAfter is when a source that was away is asked again, GiveUpAfter when it is not any more.
	RetryAfter, GiveUpAfter time.Duration
	// Timeout bounds what one source may take for one incident.
	Timeout time.Duration
	// Lookback is how long before the first alert is looked at, MaxWindow how much of the time of a long incident, at its
	// beginning and at its end.
	Lookback, MaxWindow time.Duration

	Budget
}

// Budget bounds what is kept with one incident, and what is asked for it.
type Budget struct {
	// Services is how many of the affected services are looked at.
	Services int
	// Metrics is of how many alerts the metric is kept; Series and Points bound each.
	Metrics, Series, Points int
	// Exemplars and Traces are how many traces are kept, by exemplar and as the worst; Spans how many of each.
	Exemplars, Traces, Spans int
	// LogLines is how many lines of a service are looked at, LogPatterns how many patterns are kept.
	LogLines, LogPatterns int
	// Bytes bounds all of it, as JSON.
	Bytes int
}

// DefaultSettings are those that are used unless others are configured.
func DefaultSettings() Settings {
	return Settings{
		Interval: 5 * time.Second, FirstAfter: 30 * time.Second, AgainAfter: 5 * time.Minute, Settle: 30 * time.Second,
		RetryAfter: time.Minute, GiveUpAfter: 24 * time.Hour, Timeout: 10 * time.Second,
		Lookback: 15 * time.Minute, MaxWindow: time.Hour,
		Budget: Budget{
			Services: 5, Metrics: 5, Series: 5, Points: 240, Exemplars: 3, Traces: 5, Spans: 200, LogLines: 1000, LogPatterns: 10, Bytes: 1 << 20,
		},
	}
}

// The lengths of texts that come from elsewhere.
const (
	maxText  = 4 << 10 // of a log line, a message, an attribute
	maxRetry = 15 * time.Minute
)
