package servicehealth

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The queries that tell of targets. The first three see what is younger than the store's lookback; the last one
// steps through the hour in minutes.
const (
	targetsQuery = `count by (job) (up{job!=""})`
	downQuery    = `count by (job) (up{job!=""} == 0)`
	newestQuery  = `max by (job) (timestamp(up{job!=""}) or timestamp(target_info{job!=""}))`
	hourQuery    = `max by (job) (max_over_time(timestamp(up{job!=""})[1h:1m]) or max_over_time(timestamp(target_info{job!=""})[1h:1m]))`
)

// Assessor judges services by their metrics, at the moment that it is asked. It is safe for concurrent use.
type Assessor struct {
	query Query
	rules Rules
	now   func() time.Time
}

var _ Reader = (*Assessor)(nil)

// NewAssessor makes an Assessor that asks query as of now.
func NewAssessor(query Query, rules Rules, now func() time.Time) *Assessor {
	return &Assessor{query: query, rules: rules, now: now}
}

// Summary counts all services of the last hour, without their details.
func (a *Assessor) Summary(ctx context.Context) (Summary, error) {
	services, err := a.assess(ctx, a.now())
	return summarize(services), err
}

// Services gives every service of the last hour with its details.
func (a *Assessor) Services(ctx context.Context) ([]Service, error) {
	at := a.now()
	services, err := a.assess(ctx, at)
	if err != nil {
		return nil, err
	}
	details, err := a.describe(ctx, "", at)
	if err != nil {
		return nil, err
	}
	for i := range services {
		services[i].Details.take(details[services[i].Name])
	}
	return services, nil
}

// Service gives one service of the last hour.
func (a *Assessor) Service(ctx context.Context, idOrName string) (Service, error) {
	at := a.now()
	services, err := a.assess(ctx, at)
	if err != nil {
		return Service{}, err
	}
	found, err := find(services, idOrName)
	if err != nil {
		return Service{}, err
	}
	details, err := a.describe(ctx, found.Name, at)
	if err != nil {
		return Service{}, err
	}
	found.Details.take(details[found.Name])
	return found, nil
}

// find looks for an ID first: a name may look like one.
func find(services []Service, idOrName string) (Service, error) {
	i := slices.IndexFunc(services, func(s Service) bool { return strings.EqualFold(s.ID, idOrName) })
	if i < 0 {
		i = slices.IndexFunc(services, func(s Service) bool { return s.Name == idOrName })
	}
	if i < 0 {
		return Service{}, ErrUnknown
	}
	return services[i], nil
}

// assess judges every service seen in the last hour.
func (a *Assessor) assess(ctx context.Context, at time.Time) ([]Service, error) {
	found, err := a.observe(ctx, at)
	if err != nil {
		return nil, err
	}
	hours, err := a.queryAll(ctx, at, hourQuery)
	if err != nil {
		return nil, fmt.Errorf("look for services of the last hour: %w", err)
	}
	others, err := a.queryAll(ctx, at, hourOfOthers(hours[0], found))
	if err != nil {
		return nil, fmt.Errorf("look for services of the last hour without up and target_info: %w", err)
	}
	for _, hour := range []map[string]float64{hours[0], others[0]} {
		for name, seen := range hour {
			if found[name] == nil {
				found.add(name, fromSeconds(seen), absence(fromSeconds(seen)))
			}
		}
	}
	return found.judge(at), nil
}

func absence(since time.Time) Reason {
	return Reason{FromAbsence, Unhealthy, "not seen since " + since.UTC().Format(time.RFC3339)}
}

// observe finds what can be seen of services now: by their targets, by their metrics, by probes and by checks.
func (a *Assessor) observe(ctx context.Context, at time.Time) (findings, error) {
	answers, err := a.queryAll(ctx, at, targetsQuery, downQuery, newestQuery)
	if err != nil {
		return nil, fmt.Errorf("look at targets: %w", err)
	}
	targets, down, newest := answers[0], answers[1], answers[2]
	others, err := a.queryAll(ctx, at, newestOfOthers(newest))
	if err != nil {
		return nil, fmt.Errorf("look at services without up and target_info: %w", err)
	}
	maps.Copy(newest, others[0])

	found := findings{}
	for name, seen := range newest {
		found.add(name, fromSeconds(seen), targetsReason(int(targets[name]), int(down[name])))
	}
	if err := a.probe(ctx, at, found); err != nil {
		return nil, err
	}
	return found, a.check(ctx, at, found)
}

// targetsReason judges by targets. A service without any pushes: seen is all it can be.
func targetsReason(targets, down int) Reason {
	if targets == 0 {
		return Reason{FromMetrics, Healthy, "its metrics arrive"}
	}
	return Reason{FromTargets, share(down, targets), fmt.Sprintf("%d of %d targets are up", targets-down, targets)}
}

// The queries for services that write neither up nor target_info, such as a script that posts a metric, read all series
// of those services, and of no other. What is written about a service and not by it, alerts and probes, is not counted.
//
// They group before they ask for the time: timestamp takes the names away, and fails where series differ by nothing
// else. So the time is that of an evaluation, up to 15 seconds, or 5 minutes, after the sample.
func others(known ...string) string {
	slices.Sort(known)
	for i := range known {
		known[i] = regexp.QuoteMeta(known[i])
	}
	return fmt.Sprintf(`{job!="",job!~%s,__name__!~"ALERTS|ALERTS_FOR_STATE|httpcheck_.+|probe_.+"}`, strconv.Quote(strings.Join(known, "|")))
}

// newestOfOthers gives when services were seen that are not among the known ones.
func newestOfOthers(known map[string]float64) string {
	rest := others(slices.Collect(maps.Keys(known))...)
	// The second part is for what came after the last full 15 seconds.
	return "max_over_time(timestamp(group by (job) (last_over_time(" + rest + "[15s])))[5m:15s]) or timestamp(group by (job) (" + rest + "))"
}

// hourOfOthers gives when in the last hour.
func hourOfOthers(hour map[string]float64, found findings) string {
	known := map[string]struct{}{}
	for name := range hour {
		known[name] = struct{}{}
	}
	for name := range found {
		known[name] = struct{}{}
	}
	rest := others(slices.Collect(maps.Keys(known))...)
	return "max_over_time(timestamp(group by (job) (" + rest + "))[1h:5m])"
}
