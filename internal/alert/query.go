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
