package sqlstore

import (
	"database/sql/driver"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
)

// alertRow is a row of alerts.
type alertRow struct {
	bun.BaseModel `bun:"table:alerts,alias:a"`

	ID             string          `bun:"id,pk,type:uuid"`
	Name           string          `bun:"name"`
	Description    string          `bun:"description"`
	Severity       alert.Severity  `bun:"severity"`
	Status         alert.Status    `bun:"status"`
	StartsAt       instant         `bun:"starts_at"`
	EndsAt         instant         `bun:"ends_at"`
	ExpiresAt      instant         `bun:"expires_at"`
	Labels         jsonMap[string] `bun:"labels"`
	Annotations    jsonMap[string] `bun:"annotations"`
	GeneratorURL   string          `bun:"generator_url"`
	Value          *float64        `bun:"value"`
	CreatedAt      instant         `bun:"created_at"`
	UpdatedAt      instant         `bun:"updated_at"`
	Fingerprint    string          `bun:"fingerprint"`
	RuleID         string          `bun:"rule_id"`
	ReportedAt     instant         `bun:"reported_at"`
	ReportedStatus alert.Status    `bun:"reported_status"`
	LastStartsAt   instant         `bun:"last_starts_at"`
	Periods        periods         `bun:"periods,type:text"`
	FlapCount      int             `bun:"flap_count"`
	ResolvedBy     string          `bun:"resolved_by"`
	ManualAt       instant         `bun:"manual_at"`
	Version        int64           `bun:"version"`
	ServiceName    string          `bun:"service_name"`
	InstanceName   string          `bun:"instance_name"`
}

func toAlertRow(r *alert.Record) alertRow {
	reported, status := r.Reported(), alert.Firing
	if !reported.End.IsZero() {
		status = alert.Resolved
	}
	return alertRow{
		ID: r.ID, Name: short(r.Name()), Description: r.Description(),
		Severity: r.Severity, Status: r.Status, StartsAt: at(r.StartsAt), EndsAt: at(r.EndsAt), ExpiresAt: at(r.ExpiresAt),
		Labels: r.Labels, Annotations: r.Annotations, GeneratorURL: r.GeneratorURL, Value: r.Value,
		CreatedAt: at(r.CreatedAt), UpdatedAt: at(r.ChangedAt),
		Fingerprint: r.Fingerprint(), RuleID: r.RuleID,
		ReportedAt: at(reported.Reported), ReportedStatus: status, LastStartsAt: at(r.LastStart()),
		Periods: periods{r.Dropped, r.Periods}, FlapCount: r.Flaps(),
		ResolvedBy: short(r.ResolvedBy), ManualAt: at(r.ManualAt), Version: r.Version,
		ServiceName:  short(firstLabel(r.Labels, "service", "service_name", "service.name", "job")),
		InstanceName: short(firstLabel(r.Labels, "instance", "service_instance_id", "service.instance.id")),
	}
}

// firstLabel gives the first of the labels that is there.
func firstLabel(labels map[string]string, names ...string) string {
	for _, name := range names {
		if v := labels[name]; v != "" {
			return v
		}
	}
	return ""
}

func (r *alertRow) record() alert.Record {
	return alert.Record{
		Alert: alert.Alert{
			Labels: r.Labels, Annotations: r.Annotations, Severity: r.Severity, Status: r.Status,
			StartsAt: r.StartsAt.Time, EndsAt: r.EndsAt.Time, ExpiresAt: r.ExpiresAt.Time, Value: r.Value,
			GeneratorURL: r.GeneratorURL, RuleID: r.RuleID, UpdatedAt: r.ReportedAt.Time,
		},
		ID: r.ID, Periods: r.Periods.all, Dropped: r.Periods.dropped,
		ManualAt: r.ManualAt.Time, ResolvedBy: r.ResolvedBy,
		CreatedAt: r.CreatedAt.Time, ChangedAt: r.UpdatedAt.Time, Version: r.Version,
	}
}

// periods is a column of JSON: how many were dropped, then start, end (0 where it lasts) and report of each, in
// microseconds since 1970.
type periods struct {
	dropped int
	all     []alert.Period
}

// Value writes the column.
func (p periods) Value() (driver.Value, error) {
	numbers := make([]int64, 1, 1+3*len(p.all))
	numbers[0] = int64(p.dropped)
	for _, q := range p.all {
		end := int64(0)
		if !q.End.IsZero() {
			end = q.End.UnixMicro()
		}
		numbers = append(numbers, q.Start.UnixMicro(), end, q.Reported.UnixMicro())
	}
	return marshal(numbers)
}

// Scan reads the column.
func (p *periods) Scan(src any) error {
	var numbers []int64
	if err := unmarshal(src, &numbers); err != nil {
		return err
	}
	*p = periods{}
	if len(numbers) > 0 {
		p.dropped = int(numbers[0])
	}
	for i := 1; i+2 < len(numbers); i += 3 {
		q := alert.Period{Start: time.UnixMicro(numbers[i]).UTC(), Reported: time.UnixMicro(numbers[i+2]).UTC()}
		if numbers[i+1] != 0 {
			q.End = time.UnixMicro(numbers[i+1]).UTC()
		}
		p.all = append(p.all, q)
	}
	return nil
}
