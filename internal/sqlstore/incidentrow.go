package sqlstore

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// incidentRow is a row of incidents, without the copy of its links.
type incidentRow struct {
	bun.BaseModel `bun:"table:incidents,alias:i"`

	ID               string          `bun:"id,pk"`
	Title            string          `bun:"title"`
	Description      string          `bun:"description"`
	Severity         alert.Severity  `bun:"severity"`
	Status           incident.Status `bun:"status"`
	CreatedAt        instant         `bun:"created_at"`
	UpdatedAt        instant         `bun:"updated_at"`
	ResolvedAt       instant         `bun:"resolved_at"`
	MitigatedAt      instant         `bun:"mitigated_at"`
	CreatedBy        string          `bun:"created_by"`
	AssignedTo       string          `bun:"assigned_to,nullzero"`
	AffectedServices list            `bun:"affected_services"`
	CorrelationKey   string          `bun:"correlation_key"`
	MergedInto       string          `bun:"merged_into,nullzero"`
	Version          int64           `bun:"version"`
}

func toIncidentRow(in *incident.Incident) *incidentRow {
	services := make(list, len(in.AffectedServices))
	for i, s := range in.AffectedServices {
		services[i] = text(s)
	}
	return &incidentRow{
		ID: in.ID, Title: short(in.Title), Description: text(in.Description),
		Severity: in.Severity, Status: in.Status,
		CreatedAt: at(in.CreatedAt), UpdatedAt: at(in.UpdatedAt), ResolvedAt: at(in.ResolvedAt), MitigatedAt: at(in.MitigatedAt),
		CreatedBy: short(in.CreatedBy), AssignedTo: short(in.AssignedTo),
		AffectedServices: services, CorrelationKey: text(in.CorrelationKey), MergedInto: in.MergedInto, Version: in.Version,
	}
}

func (r *incidentRow) incident() incident.Incident {
	return incident.Incident{
		ID: r.ID, Title: r.Title, Description: r.Description, Severity: r.Severity, Status: r.Status,
		CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time, ResolvedAt: r.ResolvedAt.Time, MitigatedAt: r.MitigatedAt.Time,
		CreatedBy: r.CreatedBy, AssignedTo: r.AssignedTo, AffectedServices: r.AffectedServices,
		CorrelationKey: r.CorrelationKey, MergedInto: r.MergedInto, Version: r.Version,
	}
}

// summaryRow is an incident with what incidents_view computes.
type summaryRow struct {
	incidentRow `bun:",extend"`

	DurationMinutes    int64   `bun:"duration_minutes,scanonly"`
	RelatedAlertCount  int     `bun:"related_alert_count,scanonly"`
	TimelineEventCount int     `bun:"timeline_event_count,scanonly"`
	LastUpdateAt       instant `bun:"last_update_at,scanonly"`
}

func (r *summaryRow) summary() incident.Summary {
	return incident.Summary{
		Incident: r.incident(), Duration: time.Duration(r.DurationMinutes) * time.Minute,
		AlertCount: r.RelatedAlertCount, EventCount: r.TimelineEventCount, LastUpdateAt: r.LastUpdateAt.Time,
	}
}
