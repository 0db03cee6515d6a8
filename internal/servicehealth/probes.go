package servicehealth

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// The queries that tell of probes. The httpcheck receiver writes a series for each class of status, and one for each
// status that it got: those of an earlier answer stay in sight for the lookback, so that the newest one of an endpoint
// is the one that holds. The blackbox exporter has one series, which a scrape ends.
const (
	probesQuery   = `max by (job, service, http_url) (timestamp(httpcheck_status))`
	statusesQuery = `max by (job, service, http_url, http_status_code, http_status_class) (timestamp(httpcheck_status) and httpcheck_status == 1)`
	errorsOfQuery = `max by (job, service, http_url, error_message) (timestamp(httpcheck_error))`
	durationOf    = `max by (job, service, http_url) (httpcheck_duration_milliseconds)`
	blackboxQuery = `min by (job, service, instance) (probe_success)`
	blackboxTook  = `max by (job, service, instance) (1000 * probe_duration_seconds)`
)

// endpoint identifies what is probed.
type endpoint struct{ job, service, url string }

func endpointOf(ls labels.Labels) endpoint {
	return endpoint{ls.Get("job"), ls.Get("service"), cmp.Or(ls.Get("http_url"), ls.Get("instance"))}
}

// outcome is the newest answer of an endpoint.
type outcome struct {
	at      float64 // Unix time
	ok      bool
	problem string
	millis  float64
}

// probe judges services by the endpoints that are probed: unhealthy where all of them fail.
func (a *Assessor) probe(ctx context.Context, at time.Time, found findings) error {
	outcomes, err := a.outcomes(ctx, at)
	if err != nil {
		return fmt.Errorf("look at probes: %w", err)
	}
	all, failed := map[string]int{}, map[string]int{}
	for e, o := range outcomes {
		name := a.serviceOf(e)
		all[name]++
		if !o.ok {
			failed[name]++
		}
	}
	for e, o := range outcomes {
		name := a.serviceOf(e)
		r := Reason{FromProbe, Healthy, e.url + " answers"}
		if !o.ok {
			r = Reason{FromProbe, share(failed[name], all[name]), e.url + " " + o.problem}
		}
		found.add(name, fromSeconds(o.at), r)
		if d := &found[storable(name)].Details; o.ok && finite(o.millis) {
			d.ResponseTime = max(d.ResponseTime, o.millis)
		}
	}
	return nil
}

// outcomes gives the newest answer of every endpoint.
func (a *Assessor) outcomes(ctx context.Context, at time.Time) (map[endpoint]outcome, error) {
	answers, err := a.vectors(ctx, at, probesQuery, statusesQuery, errorsOfQuery, durationOf, blackboxQuery, blackboxTook)
	if err != nil {
		return nil, err
	}
	outcomes := map[endpoint]outcome{}
	for _, s := range answers[0] {
		outcomes[endpointOf(s.Metric)] = outcome{at: s.F, problem: "does not answer"}
	}
	change := func(ls labels.Labels, newest float64, do func(*outcome)) {
		e := endpointOf(ls)
		if o, has := outcomes[e]; has && newest >= o.at {
			do(&o)
			outcomes[e] = o
		}
	}
	for _, s := range answers[2] {
		change(s.Metric, s.F, func(o *outcome) { o.problem = "does not answer: " + s.Metric.Get("error_message") })
	}
	for _, s := range answers[1] {
		class, code := s.Metric.Get("http_status_class"), s.Metric.Get("http_status_code")
		change(s.Metric, s.F, func(o *outcome) {
			o.ok = class == "1xx" || class == "2xx" || class == "3xx"
			o.problem = "answers " + cmp.Or(code, class)
		})
	}
	now := float64(at.UnixMilli()) / 1000
	for _, s := range answers[4] {
		outcomes[endpointOf(s.Metric)] = outcome{at: now, ok: s.F != 0, problem: "does not pass its probe"}
	}
	for _, i := range []int{3, 5} {
		for _, s := range answers[i] {
			change(s.Metric, now, func(o *outcome) { o.millis = s.F })
		}
	}
	return outcomes, nil
}

// serviceOf names the service of an endpoint: as the rules say, by its labels, or else by its host.
func (a *Assessor) serviceOf(e endpoint) string {
	if name := cmp.Or(a.rules.Services[e.url], e.service, e.job); name != "" {
		return name
	}
	if u, err := url.Parse(e.url); err == nil && u.Host != "" {
		return u.Host
	}
	return cmp.Or(e.url, "unknown")
}
