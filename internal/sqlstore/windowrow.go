package sqlstore

import (
	"database/sql/driver"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/maintenance"
)

// windowRow is a row of maintenance_windows.
type windowRow struct {
	bun.BaseModel `bun:"table:maintenance_windows,alias:w"`

	ID          string  `bun:"id,pk"`
	Name        string  `bun:"name"`
	Description string  `bun:"description"`
	Matchers    list    `bun:"matchers"`
	StartsAt    instant `bun:"starts_at"`
	EndsAt      instant `bun:"ends_at"`
	TimeZone    string  `bun:"time_zone"`
	Recurrence  string  `bun:"recurrence"`
	NotBefore   instant `bun:"not_before"`
	CancelledAt instant `bun:"cancelled_at"`
	OverAt      instant `bun:"over_at"`
	CreatedAt   instant `bun:"created_at"`
	CreatedBy   string  `bun:"created_by"`
	UpdatedAt   instant `bun:"updated_at"`
	UpdatedBy   string  `bun:"updated_by"`
	Version     int64   `bun:"version"`
}

func toWindowRow(w *maintenance.Window) *windowRow {
	matchers := make(list, len(w.Matchers))
	for i, m := range w.Matchers {
		matchers[i] = text(m)
	}
	return &windowRow{
		ID: w.ID, Name: short(w.Name), Description: text(w.Description), Matchers: matchers,
		StartsAt: at(w.StartsAt), EndsAt: at(w.EndsAt), TimeZone: w.TimeZone, Recurrence: w.Recurrence,
		NotBefore: at(w.NotBefore), CancelledAt: at(w.CancelledAt), OverAt: at(w.OverAt),
		CreatedAt: at(w.CreatedAt), CreatedBy: short(w.CreatedBy), UpdatedAt: at(w.UpdatedAt), UpdatedBy: short(w.UpdatedBy), Version: w.Version,
	}
}

func (r *windowRow) window() maintenance.Window {
	return maintenance.Window{
		Definition: maintenance.Definition{
			Name: r.Name, Description: r.Description, Matchers: r.Matchers, StartsAt: r.StartsAt.Time, EndsAt: r.EndsAt.Time,
			TimeZone: r.TimeZone, Recurrence: r.Recurrence,
		},
		ID: r.ID, NotBefore: r.NotBefore.Time, CancelledAt: r.CancelledAt.Time, OverAt: r.OverAt.Time,
		CreatedAt: r.CreatedAt.Time, CreatedBy: r.CreatedBy, UpdatedAt: r.UpdatedAt.Time, UpdatedBy: r.UpdatedBy, Version: r.Version,
	}
}

// revisionRow is a row of maintenance_window_revisions.
type revisionRow struct {
	bun.BaseModel `bun:"table:maintenance_window_revisions,alias:v"`

	WindowID   string             `bun:"window_id,pk"`
	Version    int64              `bun:"version,pk"`
	Action     maintenance.Action `bun:"action"`
	Definition windowDefinition   `bun:"definition"`
	UpdatedAt  instant            `bun:"updated_at"`
	UpdatedBy  string             `bun:"updated_by"`
}

// windowDefinition is a column of JSON: what a revision has of the window.
type windowDefinition struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Matchers    []string  `json:"matchers"`
	StartsAt    time.Time `json:"startsAt"`
	EndsAt      time.Time `json:"endsAt"`
	TimeZone    string    `json:"timeZone"`
	Recurrence  string    `json:"recurrence"`
	NotBefore   time.Time `json:"notBefore,omitzero"`
	CancelledAt time.Time `json:"cancelledAt,omitzero"`
	OverAt      time.Time `json:"overAt,omitzero"`
}

// Value writes the column.
func (d windowDefinition) Value() (driver.Value, error) { return marshal(d) }

// Scan reads the column.
func (d *windowDefinition) Scan(src any) error { return unmarshal(src, d) }

func toRevisionRow(w *windowRow, did maintenance.Action) *revisionRow {
	return &revisionRow{
		WindowID: w.ID, Version: w.Version, Action: did, UpdatedAt: w.UpdatedAt, UpdatedBy: w.UpdatedBy,
		Definition: windowDefinition{
			Name: w.Name, Description: w.Description, Matchers: w.Matchers, StartsAt: w.StartsAt.Time, EndsAt: w.EndsAt.Time,
			TimeZone: w.TimeZone, Recurrence: w.Recurrence, NotBefore: w.NotBefore.Time, CancelledAt: w.CancelledAt.Time, OverAt: w.OverAt.Time,
		},
	}
}

// revision gives the window as it was; what never changes is as it is now.
func (r *revisionRow) revision(now *maintenance.Window) maintenance.Revision {
	d := &r.Definition
	return maintenance.Revision{Action: r.Action, Window: maintenance.Window{
		Definition: maintenance.Definition{
			Name: d.Name, Description: d.Description, Matchers: d.Matchers, StartsAt: d.StartsAt, EndsAt: d.EndsAt,
			TimeZone: d.TimeZone, Recurrence: d.Recurrence,
		},
		ID: r.WindowID, NotBefore: d.NotBefore, CancelledAt: d.CancelledAt, OverAt: d.OverAt,
		CreatedAt: now.CreatedAt, CreatedBy: now.CreatedBy, UpdatedAt: r.UpdatedAt.Time, UpdatedBy: r.UpdatedBy, Version: r.Version,
	}}
}
