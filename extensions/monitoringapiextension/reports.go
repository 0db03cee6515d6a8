package monitoringapiextension

import (
	"context"
	"net/http"
	"time"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/report"
)

// ReportAlerts tells what alerts cost.
func (s *restServer) ReportAlerts(ctx context.Context, request api.ReportAlertsRequestObject) (api.ReportAlertsResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	query, err := reportQuery(&request.Params)
	if err != nil {
		return nil, err
	}
	if err := query.Complete(s.now().UTC().Truncate(time.Millisecond)); err != nil {
		return nil, fieldProblem(err)
	}
	told, err := report.Alerts(ctx, store, query)
	if err != nil {
		return nil, err
	}
	return api.ReportAlerts200JSONResponse{
		Start: told.Start, End: told.End, GroupBy: api.AlertReportGroupBy(told.By),
		Totals: toFigures(&told.Totals), Previous: toFigures(&told.Previous),
		Noisiest: toGroups(told.Noisiest), Flapping: toGroups(told.Flapping), NeverActedUpon: toGroups(told.NeverActedUpon),
	}, nil
}

func reportQuery(p *api.ReportAlertsParams) (report.Query, error) {
	query := report.Query{By: report.Dimension(deref(p.GroupBy)), Limit: deref(p.Limit)}
	query.Service, query.Severity = deref(p.Service), alert.Severity(deref(p.Severity))
	var times parameters
	if p.Start != nil {
		query.Start = times.time("start", *p.Start).UTC()
	}
	if p.End != nil {
		query.End = times.time("end", *p.End).UTC()
	}
	var err error
	if query.Matchers, err = parseFilters(deref(p.Filter)); err != nil {
		times.fault("filter", err.Error())
	}
	if len(times.faults) > 0 {
		return query, problem.Fields(http.StatusBadRequest, times.faults...)
	}
	return query, nil
}

func toGroups(groups []report.Group) []api.AlertGroupFigures {
	told := make([]api.AlertGroupFigures, len(groups))
	for i := range groups {
		g, f := &groups[i], toFigures(&groups[i].Figures)
		told[i] = api.AlertGroupFigures{
			Name: g.Name, RuleID: given(g.RuleID), Severity: api.AlertSeverity(g.Severity),
			Alerts: f.Alerts, Firing: f.Firing, Firings: f.Firings, Flaps: f.Flaps, FlappingAlerts: f.FlappingAlerts, Muted: f.Muted,
			ActedUpon: f.ActedUpon, Unattended: f.Unattended, SelfResolved: f.SelfResolved,
			TimeToAcknowledge: f.TimeToAcknowledge, TimeToResolve: f.TimeToResolve,
		}
	}
	return told
}

func toFigures(f *report.Figures) api.AlertFigures {
	return api.AlertFigures{
		Alerts: f.Alerts, Firing: f.Firing, Firings: f.Firings, Flaps: f.Flaps, FlappingAlerts: f.FlappingAlerts, Muted: f.Muted,
		ActedUpon: f.ActedUpon, Unattended: f.Unattended, SelfResolved: f.SelfResolved,
		TimeToAcknowledge: toDurations(f.TimeToAcknowledge), TimeToResolve: toDurations(f.TimeToResolve),
	}
}

func toDurations(d report.Durations) api.DurationFigures {
	if d.Count == 0 {
		return api.DurationFigures{}
	}
	return api.DurationFigures{
		Count: d.Count, MeanSeconds: new(d.Mean.Seconds()), MedianSeconds: new(d.Median.Seconds()), P90Seconds: new(d.P90.Seconds()),
	}
}
