package main

import (
	"slices"
	"time"
)

const day = 24 * time.Hour

// allLists are the lists of the API, and its reports, with filters that most alerts pass, that few do, and that none does.
func allLists(incident string) []list {
	return slices.Concat(alertLists(), labelLists(), incidentLists(incident), otherLists(), reports())
}

func alertLists() []list {
	const path = "/api/v1/alerts"
	month := deep("alerts", 60*day)
	return []list{
		{name: "all", path: path, query: fixed("status", "all")},
		{name: "all, deep", path: path, query: fixed("status", "all", "cursor", month)},
		{name: "firing", path: path, query: fixed("status", "firing")},
		{name: "firing, deep", path: path, query: fixed("status", "firing", "cursor", deep("alerts", 90*day))},
		{name: "resolved, low, deep", path: path, query: fixed("status", "resolved", "severity", "low", "cursor", month)},
		{name: "firing, info: none", path: path, query: fixed("status", "firing", "severity", "info")},
		{name: "an hour, two weeks ago", path: path, query: fixed("status", "all", "start", ago(14*day), "end", ago(14*day-time.Hour))},
		{name: "an hour, three months ago", path: path, query: fixed("status", "all", "start", ago(90*day), "end", ago(90*day-time.Hour))},
		{name: "the last ten minutes", path: path, query: fixed("status", "all", "start", ago(10*time.Minute))},
		{name: "critical, the last ten minutes", path: path, query: fixed("status", "all", "severity", "critical", "start", ago(10*time.Minute))},
	}
}

// labelLists filter by labels.
func labelLists() []list {
	const path = "/api/v1/alerts"
	month := deep("alerts", 60*day)
	all := []string{"status", "all"}
	return []list{
		{name: "cluster=", path: path, query: filtered(`cluster="c%d"`, 3, all...)},
		{name: "service=", path: path, query: filtered(`service="service-%d"`, 500, all...)},
		{name: "service=, deep", path: path, query: filtered(`service="service-%d"`, 500, "status", "all", "cursor", month)},
		{name: "instance=", path: path, query: filtered(`instance="host-%d"`, 5000, all...)},
		{name: "instance=, none", path: path, query: filtered(`instance="none-%d"`, 5000, all...)},
		{name: "cluster=, none for months", path: path, query: fixed("status", "all", "filter", `cluster="c-old"`)},
		{name: "namespace= (missing)", path: path, query: fixed("status", "all", "filter", `namespace=""`)},
		{name: "firing, cluster=, deep", path: path, query: filtered(`cluster="c%d"`, 3, "status", "firing", "cursor", month)},
		{name: "service=~ most", path: path, query: fixed("status", "all", "filter", `service=~"service-.+"`)},
		{name: "service=~ some", path: path, query: filtered(`service=~"service-%d.?"`, 50, all...)},
		{name: "service=~ some, deep", path: path, query: filtered(`service=~"service-%d.?"`, 50, "status", "all", "cursor", month)},
		{name: "instance=~ many", path: path, query: filtered(`instance=~"host-.*%d"`, 10, all...)},
		{name: "instance=~ few", path: path, query: filtered(`instance=~"host-%d.?"`, 500, all...)},
		{name: "team=~ few", path: path, query: fixed("status", "all", "filter", `team=~"f.+"`)},
		{name: "service=~ none", path: path, query: fixed("status", "all", "filter", `service=~"none.*"`)},
		{name: "firing, service=~", path: path, query: filtered(`service=~"service-%d.|x"`, 50, "status", "firing")},
		{name: "cluster!=", path: path, query: filtered(`cluster!="c%d"`, 3, all...)},
		{name: "cluster!=, deep", path: path, query: filtered(`cluster!="c%d"`, 3, "status", "all", "cursor", month)},
		{name: "team!~ leaves few", path: path, query: fixed("status", "all", "filter", `team!~"team-.+"`)},
		{name: "namespace!~ leaves few", path: path, query: fixed("status", "all", "filter", `namespace!~"ns-.+"`)},
		{name: "service!~ leaves none", path: path, query: fixed("status", "all", "filter", `service!~"service-.*"`)},
		{name: "instance!~ leaves most", path: path, query: filtered(`instance!~"host-%d.*"`, 100, all...)},
		{name: "service= and team=~", path: path, query: filtered(`service="service-%d",team=~"f.+"`, 500, all...)},
	}
}

func incidentLists(incident string) []list {
	const path = "/api/v1/incidents"
	month := deep("incidents", 60*day)
	timeline := path + "/" + incident + "/timeline"
	return []list{
		{name: "all", path: path, query: fixed()},
		{name: "all, deep", path: path, query: fixed("cursor", month)},
		{name: "resolved, deep", path: path, query: fixed("status", "resolved", "cursor", month)},
		{name: "active", path: path, query: fixed("status", "active")},
		{name: "active, deep", path: path, query: fixed("status", "active", "cursor", deep("incidents", 90*day))},
		{name: "low", path: path, query: fixed("severity", "low")},
		{name: "active, low: none", path: path, query: fixed("status", "active", "severity", "low")},
		{name: "of a team", path: path, query: fixed("assignedTo", "team-7")},
		{name: "of a team, active: none", path: path, query: fixed("assignedTo", "team-7", "status", "active")},
		{name: "an hour, three months ago", path: path, query: fixed("start", ago(90*day), "end", ago(90*day-time.Hour))},
		{name: "of 10,000 events", path: timeline, query: fixed()},
		{name: "of 10,000 events, deep", path: timeline, query: fixed("cursor", behind("timeline/"+incident, "9000"))},
	}
}

func otherLists() []list {
	const rules, windows = "/api/v1/alerts/rules", "/api/v1/maintenance-windows"
	return []list{
		{name: "all", path: rules, query: fixed()},
		{name: "deep", path: rules, query: fixed("cursor", behind("rules", "Rule1500"))},
		{name: "enabled", path: rules, query: fixed("enabled", "true")},
		{name: "low", path: rules, query: fixed("severity", "low")},
		{name: "all", path: windows, query: fixed()},
		{name: "deep", path: windows, query: fixed("cursor", deep("maintenance-windows", 300*day))},
		{name: "active: none", path: windows, query: fixed("state", "active")},
		{name: "all, 500", path: "/api/v1/health/services", query: nil},
	}
}

// reports read all alerts of a period, a month of which has some 260,000.
func reports() []list {
	const path = "/api/v1/reports/alerts"
	month := ago(30 * day)
	return []list{
		{name: "a week", path: path, query: fixed(), slow: true},
		{name: "a month", path: path, query: fixed("start", month), slow: true},
		{name: "a month, by service", path: path, query: fixed("start", month, "groupBy", "service"), slow: true},
		{name: "a month of a service", path: path, query: fixed("start", month, "service", "service-7"), slow: true},
		{name: "a month, cluster=", path: path, query: filtered(`cluster="c%d"`, 3, "start", month), slow: true},
	}
}
