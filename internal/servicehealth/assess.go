package servicehealth

import (
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The queries that tell the status. The first three see what is younger than the store's lookback; the last one
// steps through the hour in minutes.
const (
	targetsQuery = `count by (job) (up{job!=""})`
	downQuery    = `count by (job) (up{job!=""} == 0)`
	newestQuery  = `max by (job) (timestamp(up{job!=""}) or timestamp(target_info{job!=""}))`
	hourQuery    = `max by (job) (max_over_time(timestamp(up{job!=""})[1h:1m]) or max_over_time(timestamp(target_info{job!=""})[1h:1m]))`
)

// assess gives the status of every service seen in the last hour, by name.
func (a *Assessor) assess(ctx context.Context, at time.Time) ([]Service, error) {
	answers, err := a.queryAll(ctx, at, targetsQuery, downQuery, newestQuery, hourQuery)
	if err != nil {
		return nil, fmt.Errorf("assess services: %w", err)
	}
	targets, down, newest, hour := answers[0], answers[1], answers[2], answers[3]

	// The steps of the hour's query miss what came within the last of them.
	known := maps.Clone(hour)
	maps.Copy(known, newest)
	others, err := a.queryAll(ctx, at, otherQueries(known)...)
	if err != nil {
		return nil, fmt.Errorf("assess services without up and target_info: %w", err)
	}
	maps.Copy(newest, others[0])
	maps.Copy(hour, others[1])

	lastCheck := maps.Clone(hour)
	maps.Copy(lastCheck, newest)
	services := make([]Service, 0, len(lastCheck))
	for _, name := range slices.Sorted(maps.Keys(lastCheck)) {
		_, present := newest[name]
		services = append(services, Service{
			ID:        ID(name),
			Name:      name,
			Status:    status(present, targets[name], down[name]),
			LastCheck: fromSeconds(lastCheck[name]),
		})
	}
	return services, nil
}

// otherQueries are the newest and the hour's query for services that write neither up nor target_info, such as a
// script that posts a metric. They read all series of those services, and of no other.
//
// They group before they ask for the time: timestamp takes the names away, and fails where series differ by nothing
// else. So the time is that of an evaluation, up to 15 seconds, or 5 minutes, after the sample.
func otherQueries(known map[string]float64) []string {
	names := slices.Sorted(maps.Keys(known))
	for i := range names {
		names[i] = regexp.QuoteMeta(names[i])
	}
	rest := fmt.Sprintf(`{job!="",job!~%s}`, strconv.Quote(strings.Join(names, "|")))
	return []string{
		// The second part is for what came after the last full 15 seconds.
		"max_over_time(timestamp(group by (job) (last_over_time(" + rest + "[15s])))[5m:15s]) or timestamp(group by (job) (" + rest + "))",
		"max_over_time(timestamp(group by (job) (" + rest + "))[1h:5m])",
	}
}

// status judges one service. One without targets pushes: seen is all it can be.
func status(present bool, targets, down float64) Status {
	switch {
	case !present, targets > 0 && down == targets:
		return Unhealthy
	case down > 0:
		return Degraded
	default:
		return Healthy
	}
}

// fromSeconds turns a Unix time of PromQL into a time, with its millisecond resolution.
func fromSeconds(s float64) time.Time {
	return time.UnixMilli(int64(math.Round(s * 1000))).UTC()
}
