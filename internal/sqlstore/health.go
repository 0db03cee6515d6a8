package sqlstore

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/servicehealth"
)

// healthRow is a row of service_health.
type healthRow struct {
	bun.BaseModel `bun:"table:service_health,alias:s"`

	ID             string               `bun:"id,pk"`
	Name           string               `bun:"name"`
	Status         servicehealth.Status `bun:"status"`
	LastCheck      instant              `bun:"last_check"`
	UptimeSeconds  int64                `bun:"uptime_seconds"`
	ResponseTimeMs *int64               `bun:"response_time_ms"`
	Metrics        jsonMap[float64]     `bun:"metrics"`
	CreatedAt      instant              `bun:"created_at"`
	UpdatedAt      instant              `bun:"updated_at"`
}

// statusRow is a service's health with what service_status_view computes.
type statusRow struct {
	healthRow `bun:",extend"`

	ActiveAlertCount   int `bun:"active_alert_count,scanonly"`
	CriticalAlertCount int `bun:"critical_alert_count,scanonly"`
}

// SaveHealth stores the health of services.
func (s *Store) SaveHealth(ctx context.Context, records []servicehealth.Record) error {
	if len(records) == 0 {
		return nil
	}
	now := at(s.now())
	rows := make([]healthRow, len(records))
	for i := range records {
		rows[i] = toHealthRow(&records[i], now)
	}
	slices.SortFunc(rows, func(a, b healthRow) int { return strings.Compare(a.ID, b.ID) })
	return s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		q := db.NewInsert().Model(&rows).On("CONFLICT (id) DO UPDATE").Where("EXCLUDED.last_check >= s.last_check")
		for _, column := range []string{"status", "last_check", "uptime_seconds", "response_time_ms", "metrics", "updated_at"} {
			q.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		_, err := q.Exec(ctx)
		return err
	})
}

func toHealthRow(r *servicehealth.Record, now instant) healthRow {
	row := healthRow{
		ID: r.ID, Name: short(r.Name), Status: r.Status, LastCheck: at(r.LastCheck),
		UptimeSeconds: int64(r.Uptime / time.Second), Metrics: jsonMap[float64]{}, CreatedAt: now, UpdatedAt: now,
	}
	for name, v := range r.Metrics {
		if !math.IsNaN(v) && !math.IsInf(v, 0) { // JSON has no other numbers
			row.Metrics[text(name)] = v
		}
	}
	if r.ResponseTime != nil && *r.ResponseTime >= 0 && *r.ResponseTime < math.MaxInt32 {
		ms := int64(math.Round(*r.ResponseTime))
		row.ResponseTimeMs = &ms
	}
	return row
}

// Health gives the health of all services, by name.
func (s *Store) Health(ctx context.Context) ([]servicehealth.Record, error) {
	var rows []statusRow
	err := s.read(ctx, func(db bun.IDB) error {
		return db.NewSelect().Model(&rows).Join("JOIN service_status_view AS v ON v.id = s.id").
			ColumnExpr("?TableColumns").ColumnExpr("v.active_alert_count, v.critical_alert_count").Order("s.name").Scan(ctx)
	})
	records := make([]servicehealth.Record, len(rows))
	for i := range rows {
		records[i] = rows[i].record()
	}
	return records, err
}

func (r *statusRow) record() servicehealth.Record {
	record := servicehealth.Record{
		ID: r.ID, Name: r.Name, Status: r.Status, LastCheck: r.LastCheck.Time, Uptime: time.Duration(r.UptimeSeconds) * time.Second,
		Metrics: r.Metrics, ActiveAlerts: r.ActiveAlertCount, CriticalAlerts: r.CriticalAlertCount,
	}
	if r.ResponseTimeMs != nil {
		ms := float64(*r.ResponseTimeMs)
		record.ResponseTime = &ms
	}
	return record
}
