package sqlstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/servicehealth"
)

// rankedRow is an alert with its place among those of its service, and how many these are.
type rankedRow struct {
	alertRow `bun:",extend"`

	Total int `bun:"total,scanonly"`
}

// bySeverity orders from worst to least.
const bySeverity = "CASE a.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END"

// FiringByService gives the alerts that fire, by service.
func (s *Store) FiringByService(ctx context.Context, service string, limit int) (map[string]servicehealth.Firing, error) {
	var rows []rankedRow
	err := s.read(ctx, func(db bun.IDB) error {
		return s.flavour.worstFiring(db.NewSelect().Model(&rows), func(q *bun.SelectQuery) *bun.SelectQuery {
			q.Where("a.status = ?", alert.Firing)
			if service == "" {
				return q.Where("a.service_name <> ''")
			}
			return q.Where("a.service_name = ?", short(service))
		}, limit).Scan(ctx)
	})
	firing := map[string]servicehealth.Firing{}
	for i := range rows {
		of := firing[rows[i].ServiceName]
		of.Total = rows[i].Total
		of.Alerts = append(of.Alerts, rows[i].record())
		firing[rows[i].ServiceName] = of
	}
	return firing, err
}

// worstFiring counts in an index alone, and reads the rows that it gives.
func (postgresFlavour) worstFiring(q *bun.SelectQuery, where func(*bun.SelectQuery) *bun.SelectQuery, limit int) *bun.SelectQuery {
	totals := where(q.NewSelect().TableExpr("alerts AS a").ColumnExpr("a.service_name, COUNT(*) AS total")).Group("a.service_name")
	worst := q.NewSelect().TableExpr("alerts AS a").ColumnExpr("a.*").
		Where("a.status = ?", alert.Firing).Where("a.service_name = t.service_name").
		OrderExpr(bySeverity + ", a.starts_at, a.id").Limit(int64(limit))
	return q.ModelTableExpr("(?) AS t", totals).Join("CROSS JOIN LATERAL (?) AS a", worst).
		ColumnExpr("?TableColumns").ColumnExpr("t.total").OrderExpr("a.service_name, " + bySeverity + ", a.starts_at, a.id")
}

// worstFiring reads all that fire in the order of an index, and of them the rows that it gives.
func (sqliteFlavour) worstFiring(q *bun.SelectQuery, where func(*bun.SelectQuery) *bun.SelectQuery, limit int) *bun.SelectQuery {
	ranked := where(q.NewSelect().TableExpr("alerts AS a")).ColumnExpr("a.id").
		ColumnExpr("COUNT(*) OVER (PARTITION BY a.service_name) AS total").
		ColumnExpr("ROW_NUMBER() OVER (PARTITION BY a.service_name ORDER BY " + bySeverity + ", a.starts_at, a.id) AS place")
	return q.Join("JOIN (?) AS r ON r.id = a.id", ranked).
		ColumnExpr("?TableColumns").ColumnExpr("r.total").
		Where("r.place <= ?", limit).Order("a.service_name").OrderExpr("r.place")
}
