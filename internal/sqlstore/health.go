package sqlstore

import (
	"context"
	"database/sql/driver"
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
	Reasons        reasons              `bun:"reasons"`
	LastSeenAt     instant              `bun:"last_seen_at"`
}

// reasons is a column of JSON.
type reasons []servicehealth.Reason

// Value writes the column.
func (r reasons) Value() (driver.Value, error) {
	if r == nil {
		return "[]", nil
	}
	return marshal([]servicehealth.Reason(r))
}

// Scan reads the column.
func (r *reasons) Scan(src any) error {
	*r = nil
	err := unmarshal(src, (*[]servicehealth.Reason)(r))
	if len(*r) == 0 {
		*r = nil
	}
	return err
}

// statusRow is a service's health with what service_status_view computes.
type statusRow struct {
	healthRow `bun:",extend"`

	ActiveAlertCount   int `bun:"active_alert_count,scanonly"`
	CriticalAlertCount int `bun:"critical_alert_count,scanonly"`
}

const (
	// healthChunk is how many records are stored at once: whoever has alerts to store waits for no more.
	healthChunk = 200
	// clockTolerance is how far in the future a stored judgement may be. One beyond is that of a wrong clock.
	clockTolerance = time.Minute
)

// SaveHealth stores the health of services.
func (s *Store) SaveHealth(ctx context.Context, records []servicehealth.Record) error {
	now := at(s.now())
	rows := make([]healthRow, len(records))
	for i := range records {
		rows[i] = toHealthRow(&records[i], now)
	}
	slices.SortFunc(rows, func(a, b healthRow) int { return strings.Compare(a.ID, b.ID) })
	for chunk := range slices.Chunk(rows, healthChunk) {
		if err := s.write(ctx, func(ctx context.Context, db bun.Tx) error { return saveHealth(ctx, db, chunk, now) }); err != nil {
			return err
		}
	}
	return nil
}

func saveHealth(ctx context.Context, db bun.Tx, rows []healthRow, now instant) error {
	q := db.NewInsert().Model(&rows).On("CONFLICT (id) DO UPDATE").
		Where("EXCLUDED.last_check >= s.last_check OR s.last_check > ?", at(now.Add(clockTolerance)))
	for _, column := range []string{"status", "last_check", "uptime_seconds", "response_time_ms", "metrics", "updated_at", "reasons", "last_seen_at"} {
		q.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	_, err := q.Exec(ctx)
	return err
}

// DropHealth removes records.
func (s *Store) DropHealth(ctx context.Context, ids []string, behind time.Time) error {
	known := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return checkID("service", id) != nil })
	for chunk := range slices.Chunk(known, healthChunk) {
		err := s.write(ctx, func(ctx context.Context, db bun.Tx) error {
			_, err := db.NewDelete().Model((*healthRow)(nil)).Where("s.id ?", among(chunk)).Where("s.last_check <= ?", at(behind)).Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func toHealthRow(r *servicehealth.Record, now instant) healthRow {
	row := healthRow{
		ID: r.ID, Name: short(r.Name), Status: r.Status, LastCheck: at(r.LastCheck),
		UptimeSeconds: int64(r.Uptime / time.Second), Metrics: jsonMap[float64]{}, CreatedAt: now, UpdatedAt: now,
		Reasons: r.Reasons, LastSeenAt: at(r.LastSeen),
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
		Reasons: r.Reasons, LastSeen: r.LastSeenAt.Time,
		Metrics: r.Metrics, ActiveAlerts: r.ActiveAlertCount, CriticalAlerts: r.CriticalAlertCount,
	}
	if r.ResponseTimeMs != nil {
		ms := float64(*r.ResponseTimeMs)
		record.ResponseTime = &ms
	}
	return record
}
