package incident_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/oncall"
)

// calls is a service graph, by who calls. nil is one that is not known.
type calls map[string][]string

func (c calls) graph() incident.Callees {
	if c == nil {
		return nil
	}
	return func(service string) []string { return c[service] }
}

// upstream gives a bench that goes by a service graph.
func upstream(t *testing.T, c calls, maxHops int) *bench {
	b := newBench(t)
	b.correlator = b.correlator.WithUpstream(incident.Upstream{Graph: c.graph, MaxHops: maxHops})
	return b
}

// down is an alert of a service, and of further labels in pairs, that fires now.
func down(service string, labels ...string) alert.Alert {
	return firing("Down-"+service, alert.High, time.Now(), append([]string{"service", service}, labels...)...)
}

// together gives the services whose alerts are in one incident, sorted, of each incident that is not resolved, the oldest
// first.
func (b *bench) together() (groups []string) {
	b.t.Helper()
	for _, in := range slices.Backward(b.incidents()) {
		if in.Status == incident.Resolved {
			continue
		}
		related, err := b.store.RelatedAlerts(b.t.Context(), []string{in.ID}, 1000)
		require.NoError(b.t, err)
		var names []string
		for _, r := range related[in.ID] {
			names = append(names, incident.ServiceOf(&r.Alert))
		}
		slices.Sort(names)
		groups = append(groups, strings.Join(names, " "))
	}
	return groups
}

var shop = calls{"web": {"api", "static"}, "api": {"db"}}

func TestUpstreamAlertsJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := upstream(t, shop, 2)
		db := down("db")
		b.handle(db)
		pass(time.Minute)
		web := firing("Slow", alert.Critical, time.Now(), "service", "web")
		assert.Equal(t, incident.Outcome{AlertsFired: 1, AlertsUpstream: 1, Escalated: 1}, b.handle(web))
		assert.Zero(t, b.handle(web, db), "a replay changes nothing")
		api := firing("Slow", alert.Low, time.Now(), "service", "api")
		assert.Equal(t, incident.Outcome{AlertsFired: 1, AlertsUpstream: 1}, b.handle(api), "also one that opens none")
		in := b.only()
		assert.Equal(t, []any{3, alert.Critical, []string{"api", "db", "web"}, "Down-db on db"},
			[]any{in.AlertCount, in.Severity, in.AffectedServices, in.Title})

		assert.Zero(t, b.handle(resolved(db)).Mitigated, "others fire")
		b.handle(resolved(api))
		assert.Equal(t, 1, b.handle(resolved(web)).Mitigated)
		pass(time.Minute)
		assert.Equal(t, incident.Outcome{AlertsFlapped: 1, Reopened: 1}, b.handle(firing("Slow", alert.Low, time.Now(), "service", "api")))

		var told []string
		for _, e := range b.timeline(in.ID) {
			told = append(told, e.Content)
			if path := e.Metadata["path"]; path != nil {
				assert.Equal(t, incident.AlertEvent, e.Type)
				assert.Contains(t, [][]any{{"web", "api", "db"}, {"api", "db"}}, path)
			}
		}
		assert.Equal(t, []string{
			"Incident opened with severity 'high'", "Down-db began to fire",
			"Slow began to fire (upstream: web → api → db)",
			"Severity raised from 'high' to 'critical'", "Affected services added: web",
			"Slow began to fire (upstream: api → db)", "Affected services added: api",
			"Down-db was resolved", "Slow was resolved", "Slow was resolved",
			"Status changed from 'open' to 'mitigated': all alerts are resolved",
			"Slow fired again, 1 times by now", "Status changed from 'mitigated' to 'open': an alert fired again",
		}, told)
	})
}

func TestWhatUpstreamAlertsJoin(t *testing.T) {
	ring := calls{"a": {"b"}, "b": {"c"}, "c": {"a"}}
	for name, c := range map[string]struct {
		calls  calls
		hops   int
		alerts [][]string // the service, and labels
		want   []string
	}{
		"nothing while the graph is not known": {nil, 2, [][]string{{"db"}, {"web"}}, []string{"db", "web"}},
		"nothing that nobody calls":            {calls{}, 2, [][]string{{"db"}, {"web"}}, []string{"db", "web"}},
		"no more calls away than may be":       {shop, 1, [][]string{{"db"}, {"web"}, {"api"}}, []string{"api db", "web"}},
		"by calls from its own service only":   {shop, 1, [][]string{{"db"}, {"api"}, {"web"}}, []string{"api db", "web"}},
		"not what is downstream":               {shop, 2, [][]string{{"web"}, {"db"}}, []string{"web", "db"}},
		"what is upstream has its own already": {shop, 2, [][]string{{"web"}, {"db"}, {"web", "alertname", "Other"}}, []string{"web web", "db"}},
		"the nearest":                          {calls{"web": {"api", "z"}, "api": {"db"}}, 2, [][]string{{"db"}, {"z"}, {"web"}}, []string{"db", "web z"}},
		"the oldest of those that are as near": {calls{"web": {"a", "b", "c"}}, 2, [][]string{{"b"}, {"a"}, {"c"}, {"web"}}, []string{"b web", "a", "c"}},
		"once around a circle":                 {ring, 9, [][]string{{"a"}, {"b"}, {"c"}, {"a", "alertname", "Other"}}, []string{"a a b c"}},
		"what is in the same place": {shop, 2, [][]string{{"db", "namespace", "one", "cluster", "eu"}, {"web", "namespace", "one", "cluster", "eu"},
			{"web", "namespace", "two", "cluster", "eu"}, {"web", "namespace", "one", "cluster", "us"}}, []string{"db web", "web", "web"}},
		"what does not say all of its place":     {shop, 2, [][]string{{"db", "cluster", "eu"}, {"web", "namespace", "two", "cluster", "eu"}, {"web", "namespace", "two"}}, []string{"db web", "web"}},
		"nothing where they do not say where":    {shop, 2, [][]string{{"db", "namespace", "one"}, {"web"}}, []string{"db", "web"}},
		"nothing where they say no service":      {calls{"": {"db"}}, 2, [][]string{{"db"}, {""}}, []string{"db", ""}},
		"the incident of a name that is hashed":  {calls{"web": {strings.Repeat("x", 600)}}, 2, [][]string{{strings.Repeat("x", 600)}, {"web"}}, []string{"web " + strings.Repeat("x", 600)}},
		"the service that other labels say, too": {shop, 2, [][]string{{"", "job", "db"}, {"", "service_name", "api"}}, []string{"api db"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := upstream(t, c.calls, c.hops)
				for _, a := range c.alerts {
					b.handle(down(a[0], a[1:]...))
					pass(time.Minute)
				}
				assert.Equal(t, c.want, b.together())
			})
		})
	}
}

func TestUpstreamWithinABatch(t *testing.T) {
	ring := calls{"a": {"b"}, "b": {"a"}, "y": {"a"}, "z": {"b"}}
	for name, c := range map[string]struct {
		calls    calls
		services []string          // each has fired a minute longer than the one before
		want     map[string]string // by the service of the alert that began the incident
	}{
		"those downstream come first":    {shop, []string{"db", "api", "web", "static", "other"}, map[string]string{"db": "api db", "static": "static web", "other": "other"}},
		"through one that joins as well": {shop, []string{"web", "api", "db"}, map[string]string{"db": "api db web"}},
		"no circle":                      {calls{"a": {"b", "c"}, "b": {"c", "d"}}, []string{"d", "c", "b", "a"}, map[string]string{"c": "a b c", "d": "d"}},
		"the first of a circle, b":       {ring, []string{"a", "b", "y", "z"}, map[string]string{"b": "a b y z"}},
		"the first of a circle, a":       {ring, []string{"b", "a", "z", "y"}, map[string]string{"a": "a b y z"}},
		"two circles": {calls{"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}}, []string{"d", "c", "b", "a"},
			map[string]string{"c": "a b c d"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := upstream(t, c.calls, 2)
				var batch []alert.Alert
				for i, service := range c.services {
					a := down(service)
					a.StartsAt = a.StartsAt.Add(-time.Duration(i) * time.Minute)
					batch = append(batch, a)
				}
				b.handle(batch...)
				got := map[string]string{}
				groups, all := b.together(), b.incidents()
				for i, in := range slices.Backward(all) {
					_, service, _ := strings.Cut(in.Title, " on ")
					got[service] = groups[len(all)-1-i]
				}
				assert.Equal(t, c.want, got)
			})
		})
	}
}

func TestLesserAlertsFollowUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := upstream(t, shop, 2)
		b.handle(firing("Low", alert.Low, time.Now(), "service", "web"))
		b.handle(down("db"))
		assert.Equal(t, 1, b.only().AlertCount, "what fires upstream already is not merged")
		pass(time.Minute)
		assert.Equal(t, incident.Outcome{AlertsFired: 1, AlertsUpstream: 2}, b.handle(down("web")))
		assert.Equal(t, 3, b.only().AlertCount, "it comes with its kind")
		events := b.timeline(b.only().ID)
		assert.Equal(t, "Low joined, which has fired since 2000-01-01T00:00:00Z (upstream: web → api → db)", events[3].Content)
	})
}

func TestWhatIsOverTakesNothingUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := upstream(t, shop, 2)
		db, web := down("db"), down("web")
		b.handle(db)
		b.handle(web)
		b.handle(resolved(db), resolved(web))
		pass(time.Minute)
		api := down("api")
		assert.Equal(t, incident.Outcome{AlertsFired: 1, AlertsUpstream: 1, Reopened: 1}, b.handle(api), "it is mitigated only")
		b.handle(resolved(api))
		pass(11 * time.Minute)
		require.Equal(t, 1, b.sweep().Resolved)

		web = down("web")
		assert.Equal(t, incident.Outcome{AlertsFlapped: 1, Opened: 1}, b.handle(web), "an incident comes back by its own key")
		assert.Equal(t, []string{"web"}, b.together())
		assert.Equal(t, 1, b.handle(down("db")).Opened, "the other has an alert of the old one")
		assert.Equal(t, []string{"web", "db"}, b.together())
	})
}

func TestUpstreamAlertsComeBackWithTheIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := upstream(t, shop, 2)
		db, web := down("db"), down("web")
		b.handle(db)
		b.handle(web)
		b.handle(resolved(db), resolved(web))
		pass(11 * time.Minute)
		require.Equal(t, 1, b.sweep().Resolved)
		assert.Equal(t, incident.Outcome{AlertsFlapped: 2, Reopened: 1}, b.handle(down("web"), down("db")))
		assert.Equal(t, []string{"db web"}, b.together())
	})
}

func TestOpenCauseBeforeReopening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := upstream(t, shop, 2)
		web := down("web")
		b.handle(web)
		b.handle(resolved(web))
		pass(11 * time.Minute)
		require.Equal(t, 1, b.sweep().Resolved)
		b.handle(down("db"))
		assert.Equal(t, incident.Outcome{AlertsFlapped: 1, AlertsUpstream: 1}, b.handle(down("web")))
		assert.Equal(t, []string{"db web"}, b.together())
	})
}

func TestReleasedAlertsJoinUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, q := upstream(t, shop, 2), quiet{}
		b.correlator = b.correlator.WithMuting(q.muting)
		q["Down-web"] = true
		b.handle(down("web"))
		b.handle(down("db"))
		assert.Equal(t, []string{"db"}, b.together())
		clear(q)
		assert.Equal(t, incident.Outcome{AlertsReleased: 1, AlertsUpstream: 1}, b.sweep())
		events := b.timeline(b.only().ID)
		assert.Equal(t, "Down-web joined, which has fired since 2000-01-01T00:00:00Z and is not muted any more by maintenance 'Patches'"+
			" (upstream: web → api → db)", events[2].Content)
		assert.Equal(t, []any{"web", "api", "db"}, events[2].Metadata["path"])
	})
}

func TestUpstreamOfWhatPeopleRegrouped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := upstream(t, shop, 2)
		desk := oncall.Desk{Store: b.store}
		anyVersion := func(int64) error { return nil }
		b.handle(down("db"))
		pass(time.Minute)
		b.handle(down("other"))
		all := b.incidents()
		_, err := desk.Merge(t.Context(), all[0].ID, "ann", anyVersion, oncall.Merge{From: []string{all[1].ID}})
		require.NoError(t, err)
		b.handle(down("web"))
		assert.Equal(t, []string{"db other web"}, b.together(), "where the incident went")

		related, err := b.store.RelatedAlerts(t.Context(), []string{all[0].ID}, 1)
		require.NoError(t, err)
		_, err = desk.Unlink(t.Context(), all[0].ID, "ann", anyVersion, related[all[0].ID][0].ID)
		require.NoError(t, err)
		worse := down("web")
		worse.Severity = alert.Critical
		b.handle(worse)
		assert.Equal(t, []string{"db other"}, b.together(), "it stays out while it fires")
	})
}
