package alert

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/state"
)

// Query selects alerts. Zero fields select all.
type Query struct {
	Status   Status
	Severity Severity
	Matchers []Matcher
	// From and To bound the time in which the alert fired: it ended not before From, and began before To.
	From, To time.Time
	Page     state.Page
}

// List is one page of alerts, those that began last first.
type List struct {
	Alerts []Record
	// Next is the cursor of the page behind this one; empty on the last.
	Next string
}

// Reader gives stored alerts.
type Reader interface {
	// Alert answers state.ErrNotFound for an unknown ID.
	Alert(ctx context.Context, id string) (Record, error)
	Alerts(ctx context.Context, q Query) (List, error)
	// CountFiring gives the number of alerts that fire now.
	CountFiring(ctx context.Context) (int, error)
}

// ChangeReader tells what has changed.
type ChangeReader interface {
	// ChangedAlerts gives the alerts that were written since a time, but for those of which the version is known. Clocks
	// of writers differ, and a write is seen later than its time: ask for a while back.
	ChangedAlerts(ctx context.Context, since time.Time, known map[string]int64) ([]Record, error)
}
