package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sweepsOften has incidents of alerts that are muted no more open soon.
const sweepsOften = `exporters: {incident: {sweep_interval: 200ms}}`

// incidentTitles gives those of all incidents.
func (c *collector) incidentTitles() []string {
	c.t.Helper()
	var all []incident
	getJSON(c.t, at(c.api, "/api/v1/incidents?status=all"), &all)
	titles := make([]string, len(all))
	for i := range all {
		titles[i] = all[i].Title
	}
	return titles
}

// TestSilencedAndInhibitedAlertsOpenNoIncident until what mutes them has ended, and they fire still.
func TestSilencedAndInhibitedAlertsOpenNoIncident(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d *database) {
		p := newPager(t)
		c := startCollector(t, allInOne, d.option(), withOverlay(sweepsOften), withRoutes(t, onePager+
			"inhibit_rules: [{source_matchers: [alertname=DataCenterDown], target_matchers: [alertname=Slow], equal: [dc]}]\n"+p.receivers("pager")))
		id := c.silence("Silenced")
		c.fire(`"alertname": "DataCenterDown", "severity": "critical", "dc": "1"`)
		assert.Equal(t, []string{"pager: firing DataCenterDown"}, p.next(1), "it inhibits from now on")
		c.fire(`"alertname": "Silenced", "severity": "high", "service": "shop"`, `"alertname": "Slow", "severity": "high", "service": "mail", "dc": "1"`)
		muted := func(service, want string) {
			await(t, want, func() error {
				var all []mutedAlert
				getJSON(t, at(c.api, "/api/v1/alerts?status=all&filter=service%3D%22"+service+"%22"), &all)
				if len(all) != 1 || len(all[0].MutedBy) != 1 || !strings.HasPrefix(all[0].MutedBy[0].Kind+" "+all[0].MutedBy[0].ID, want) {
					return fmt.Errorf("alerts are %+v", all)
				}
				return nil
			})
		}
		muted("shop", "silence "+id)
		muted("mail", "inhibition ")
		assert.Equal(t, []string{"DataCenterDown"}, c.incidentTitles())

		c.kill()
		c.start()
		c.expireSilence(id)
		assert.Equal(t, []string{"pager: firing Silenced"}, p.next(1))
		await(t, "the incident of the alert that was silenced", func() error { return missing(c.incidentTitles(), "Silenced on shop") })
		c.end(`"alertname": "DataCenterDown", "severity": "critical", "dc": "1"`)
		assert.Equal(t, []string{"pager: firing Slow", "pager: resolved DataCenterDown"}, p.next(2))
		await(t, "that of the one that was inhibited", func() error { return missing(c.incidentTitles(), "Slow on mail") })
		c.terminate()
	})
}

// windowsNow gives the IDs of the active maintenance windows.
func (c *collector) windowsNow() []string {
	c.t.Helper()
	var all []struct{ ID, State string }
	getJSON(c.t, at(c.api, "/api/v1/maintenance-windows"), &all)
	var active []string
	for _, w := range all {
		if w.State == "active" {
			active = append(active, w.ID)
		}
	}
	return active
}

// TestMaintenanceNotifiesNobody until the window ends, where the alert fires still.
func TestMaintenanceNotifiesNobody(t *testing.T) {
	t.Parallel()
	p := newPager(t)
	c := startCollector(t, allInOne, withRoutes(t, onePager+p.receivers("pager")))
	const before, during = `"alertname": "Before", "service": "mailer"`, `"alertname": "During", "service": "mailer"`
	c.fire(before)
	assert.Equal(t, []string{"pager: firing Before"}, p.next(1))
	now := time.Now().UTC()
	window := c.makeWindow(fmt.Sprintf(`{"name": "Mail upgrade", "matchers": ["service=\"mailer\""], "startsAt": %q, "endsAt": %q}`,
		now.Add(-time.Minute).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)))
	await(t, "the window to be seen", func() error { return missing(c.windowsNow(), window) })
	c.fire(during, `"alertname": "Brief", "service": "mailer"`, `"alertname": "Other", "service": "shop"`)
	assert.Equal(t, []string{"pager: firing Other"}, p.next(1))
	c.end(before, `"alertname": "Brief", "service": "mailer"`)
	assert.Equal(t, []string{"pager: resolved Before"}, p.next(1), "who was told that it fires is told that it ended")
	c.fire(`"alertname": "Another", "service": "shop"`)
	assert.Equal(t, []string{"pager: firing Another"}, p.next(1))
	status, body, err := tryRequest(http.MethodDelete, at(c.api, "/api/v1/maintenance-windows/"+window), "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s", body)
	assert.Equal(t, []string{"pager: firing During"}, p.next(1))
	assert.Empty(t, p.calls)
	c.terminate()
}

// TestAnAcknowledgedAlertIsNotToldAgain until the acknowledgement is taken back.
func TestAnAcknowledgedAlertIsNotToldAgain(t *testing.T) {
	t.Parallel()
	p := newPager(t)
	c := startCollector(t, allInOne, withRoutes(t,
		"route: {receiver: pager, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1s}\n"+p.receivers("pager")))
	stored := c.raise(`{"name": "Nagging", "severity": "high"}`)
	assert.Equal(t, []string{"pager: firing Nagging", "pager: firing Nagging"}, p.next(2), "again and again")
	path := at(c.api, "/api/v1/alerts/"+stored.ID+"/acknowledge")
	status, body, err := tryRequest(http.MethodPost, path, "application/json", []byte(`{"comment": "Looking at it"}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s", body)
	// Behind what was on its way and for a second more, messages of another alert only.
	c.raise(`{"name": "Other", "severity": "high"}`)
	for others := 0; others < 6; {
		switch got := p.next(1)[0]; {
		case got == "pager: firing Other":
			others++
		case others > 3:
			assert.Fail(t, "told again", got)
		}
	}
	status, body, err = tryRequest(http.MethodDelete, path, "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, status, "%s", body)
	p.await("pager: firing Nagging")
	status, body, err = tryRequest(http.MethodPost, path, "application/json", []byte(`{"comment": "Looking at it"}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s", body)
	c.raise(`{"name": "Nagging", "severity": "high", "expiresAt": "` + time.Now().Add(2*time.Second).Format(time.RFC3339Nano) + `"}`)
	p.await("pager: resolved Nagging")
	c.terminate()
}

// await waits for a message between others.
func (p *pager) await(want string) {
	p.t.Helper()
	for range 100 {
		if p.next(1)[0] == want {
			return
		}
	}
	p.t.Fatalf("%q did not come among a hundred messages", want)
}
