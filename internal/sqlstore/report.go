package sqlstore

import (
	"context"
	_ "embed"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/report"
)

// reportSQL sums up picked alerts, as a whole and by group.
//
//go:embed report.sql
var reportSQL string

// figuresRow is what reportSQL gives of a group, or of all alerts.
type figuresRow struct {
	// Number is 0 of all alerts.
	Number   int    `bun:"number"`
	Name     string `bun:"name"`
	RuleID   string `bun:"rule_id"`
	Severity int    `bun:"severity"`

	Alerts         int `bun:"alerts"`
	Firing         int `bun:"firing"`
	Firings        int `bun:"firings"`
	Flaps          int `bun:"flaps"`
	FlappingAlerts int `bun:"flapping_alerts"`
	Muted          int `bun:"muted"`
	ActedUpon      int `bun:"acted_upon"`
	Unattended     int `bun:"unattended"`
	SelfResolved   int `bun:"self_resolved"`

	Acknowledged      int     `bun:"acknowledged"`
	AcknowledgeSum    seconds `bun:"acknowledge_sum"`
	AcknowledgeMedian seconds `bun:"acknowledge_median"`
	AcknowledgeP90    seconds `bun:"acknowledge_p90"`
	Resolved          int     `bun:"resolved"`
	ResolveSum        seconds `bun:"resolve_sum"`
	ResolveMedian     seconds `bun:"resolve_median"`
	ResolveP90        seconds `bun:"resolve_p90"`

	NoisyPlace   int `bun:"noisy_place"`
	FlapPlace    int `bun:"flap_place"`
	IgnoredPlace int `bun:"ignored_place"`
}

// seconds is a column of seconds; NULL is 0.
type seconds float64

// durations gives times to the millisecond: SQLite knows them no better.
func durations(count int, sum, median, p90 seconds) report.Durations {
	duration := func(s seconds) time.Duration {
		return time.Duration(float64(s) * float64(time.Second)).Round(time.Millisecond)
	}
	return report.Durations{Count: count, Mean: duration(sum / seconds(max(1, count))), Median: duration(median), P90: duration(p90)}
}

func (r *figuresRow) figures() report.Figures {
	return report.Figures{
		Alerts: r.Alerts, Firing: r.Firing, Firings: r.Firings, Flaps: r.Flaps, FlappingAlerts: r.FlappingAlerts,
		Muted: r.Muted, ActedUpon: r.ActedUpon, Unattended: r.Unattended, SelfResolved: r.SelfResolved,
		TimeToAcknowledge: durations(r.Acknowledged, r.AcknowledgeSum, r.AcknowledgeMedian, r.AcknowledgeP90),
		TimeToResolve:     durations(r.Resolved, r.ResolveSum, r.ResolveMedian, r.ResolveP90),
	}
}

// AlertFigures implements report.Reader.
func (s *Store) AlertFigures(ctx context.Context, selection report.Selection) (report.Figures, error) {
	rows, err := s.alertFigures(ctx, selection, "''", "''", 0)
	if err != nil || len(rows) == 0 {
		return report.Figures{}, err
	}
	return rows[0].figures(), nil
}

// AlertGroups implements report.Reader.
func (s *Store) AlertGroups(ctx context.Context, selection report.Selection, by report.Dimension, limit int) (report.Groups, error) {
	name, ruleID := "a.name", "a.rule_id"
	if by == report.ByService {
		name, ruleID = "a.service_name", "''"
	}
	rows, err := s.alertFigures(ctx, selection, name, ruleID, limit)
	if err != nil {
		return report.Groups{}, err
	}
	var groups report.Groups
	if i := slices.IndexFunc(rows, func(r figuresRow) bool { return r.Number == 0 }); i >= 0 {
		groups.Totals = rows[i].figures()
		rows = slices.Delete(rows, i, i+1)
	}
	groups.Noisiest = places(rows, limit, func(r *figuresRow) int { return r.NoisyPlace })
	groups.Flapping = places(rows, limit, func(r *figuresRow) int { return r.FlapPlace })
	groups.NeverActedUpon = places(rows, limit, func(r *figuresRow) int { return r.IgnoredPlace })
	return groups, nil
}

// places gives the groups that have a place of a list, in their order. 0 is none.
func places(rows []figuresRow, limit int, place func(*figuresRow) int) []report.Group {
	var placed []*figuresRow
	for i := range rows {
		if p := place(&rows[i]); p > 0 && p <= limit {
			placed = append(placed, &rows[i])
		}
	}
	slices.SortFunc(placed, func(a, b *figuresRow) int { return place(a) - place(b) })
	groups := make([]report.Group, len(placed))
	for i, r := range placed {
		groups[i] = report.Group{Name: r.Name, RuleID: r.RuleID, Severity: alert.Severities()[r.Severity], Figures: r.figures()}
	}
	return groups
}

// alertFigures groups alerts by what two expressions give.
func (s *Store) alertFigures(ctx context.Context, selection report.Selection, name, ruleID string, limit int) (rows []figuresRow, err error) {
	start, end, f := at(selection.Start), at(selection.End), s.flavour
	matchers, err := cleanMatchers(selection.Matchers)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, func(db bun.IDB) error {
		picked := db.NewSelect().Model((*alertRow)(nil)).Column("a.id", "a.starts_at").
			ColumnExpr(name+" AS name").ColumnExpr(ruleID+" AS rule_id").ColumnExpr(bySeverity+" AS severity").
			ColumnExpr("CASE WHEN a.status = ? THEN 1 ELSE 0 END AS firing", alert.Firing).
			ColumnExpr("CASE WHEN a.starts_at >= ? THEN 1 ELSE 0 END AS began", start).
			ColumnExpr("? AS resolve_seconds", bun.Safe(f.seconds("a.starts_at", "a.ends_at")))
		whereTime(picked, &alert.Query{From: selection.Start, To: selection.End})
		if selection.Service != "" {
			picked.Where("a.service_name = ?", short(selection.Service))
		}
		if selection.Severity != "" {
			picked.Where("a.severity = ?", selection.Severity)
		}
		return f.analyse(ctx, db, func(db bun.IDB) error {
			if err := f.wherePicked(ctx, db, picked, matchers); err != nil {
				return err
			}
			return db.NewRaw(reportSQL, picked, at(start.Add(-time.Hour)), end,
				bun.Safe(f.silenced("m.muted_by")), bun.Safe(f.seconds("j.starts_at", "j.acted_at")), limit,
				bun.Safe(f.nearestRank("t.acknowledge_seconds", "0.5")), bun.Safe(f.nearestRank("t.acknowledge_seconds", "0.9")),
				bun.Safe(f.nearestRank("t.resolve_seconds", "0.5")), bun.Safe(f.nearestRank("t.resolve_seconds", "0.9")),
			).Scan(ctx, &rows)
		})
	})
	return rows, err
}
