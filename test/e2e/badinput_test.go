package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"mime"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBadInputAtEveryOperation sends every operation of the contract what it must not take: values of wrong types,
// NULs, bytes that are no UTF-8, texts without end, JSON without a ground, SQL in every place. The operations are those
// of the OpenAPI document, whatever it has. Each answer is a success or a problem that the document
// promises, never a 5xx; and a request that is refused leaves the tables as they were.
func TestBadInputAtEveryOperation(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d *database) {
		c := startWithRules(t, d.option(), withOverlay(nothingEnds))
		contract := readContract(t)
		ids := c.storeSomething(d)
		db := d.open(c)
		defer db.Close()
		seed := uint64(time.Now().UnixNano())
		t.Logf("random numbers from %d", seed)
		b := badSender{t: t, c: c, db: db, counts: countsQuery(d, c), inventor: inventor{random: rand.New(rand.NewPCG(seed, 0)), ids: ids}}
		statuses := map[int]int{}
		for _, op := range contract.operations() {
			for range rounds(t, 60, 1000) {
				statuses[b.send(op)]++
			}
		}
		t.Logf("answers by status: %v", statuses)
		require.NotEmpty(t, statuses[http.StatusBadRequest])
		c.requireStillServes(d)
	})
}

// nothingEnds keeps the collector from writing in between, however long the test takes: posted alerts do not expire.
const nothingEnds = "{receivers: {alert: {resolve_timeout: 24h}}, exporters: {incident: {quiet_period: 24h}}}"

// tables are those that clients and rules write to.
var tables = []string{"alerts", "alert_rules", "incidents", "incident_alerts", "timeline_events"}

// storeSomething has the collector hold an alert in an incident, and a rule, and gives the IDs by table.
func (c *collector) storeSomething(d *database) map[string][]string {
	c.t.Helper()
	c.setBroken("service-0", brokenSeries, 1)
	d.awaitAlerts(c, "service-0", rulesOfBroken*brokenSeries, "firing", "open")
	c.postJSON("/api/v1/alerts/rules", http.StatusCreated, `{"name": "Never", "query": "vector(1) > 2", "duration": "0s", "severity": "low"}`)
	c.postJSON("/api/v1/incidents", http.StatusCreated, someIncident)
	ids := map[string][]string{}
	for _, table := range tables {
		if table == "incident_alerts" {
			continue
		}
		for _, row := range d.requireRows(c, "SELECT id FROM "+table+" ORDER BY id LIMIT 20") {
			ids[table] = append(ids[table], row[0])
		}
	}
	return ids
}

// requireStillServes wants all that is stored to be readable, and new things to be taken.
func (c *collector) requireStillServes(d *database) {
	c.t.Helper()
	require.NoError(c.t, c.ready())
	for _, path := range []string{"/api/v1/alerts?status=all", "/api/v1/incidents", "/api/v1/alerts/rules"} {
		var page []map[string]any
		getJSON(c.t, at(c.api, path), &page)
		require.NotNil(c.t, page, path)
	}
	c.setBroken("service-1", brokenSeries, 1)
	d.awaitAlerts(c, "service-1", rulesOfBroken*brokenSeries, "firing", "open")
	require.Empty(c.t, c.log().lines("Cannot answer a request"))
}

// countsQuery counts the rows that no background work writes.
func countsQuery(d *database, c *collector) string {
	list := `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
	if d.server == nil {
		list = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	}
	var counts []string
	for _, row := range d.requireRows(c, list+" ORDER BY 1") {
		table := row[0]
		switch {
		case strings.HasPrefix(table, "bun_"), strings.HasPrefix(table, "service_"), strings.Contains(table, "evidence"):
			continue
		case table == "timeline_events":
			table += " WHERE created_by <> 'monitoring-system'"
		}
		counts = append(counts, "'"+row[0]+" ' || (SELECT COUNT(*) FROM "+table+")")
	}
	return "SELECT " + strings.Join(counts, " || ', ' || ")
}

// badSender sends inventions and judges the answers.
type badSender struct {
	inventor

	t      *testing.T
	c      *collector
	db     *sql.DB
	counts string
}

// send one invention to an operation.
func (b *badSender) send(op operation) (status int) {
	b.t.Helper()
	before := b.count()
	r := b.invent(op)
	resp, answer, err := tryRequestFull(client, op.method, at(b.c.api, r.target), r.contentType, r.body, r.header)
	told := fmt.Sprintf("%s %.300q with %v and %.600q of %d bytes", op.method, r.target, r.header, r.body, len(r.body))
	require.NoError(b.t, err, told)
	told = fmt.Sprintf("%s: %d %.600s", told, resp.StatusCode, answer)
	require.Less(b.t, resp.StatusCode, 500, told)
	if resp.StatusCode < 400 {
		return resp.StatusCode
	}
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	require.NoError(b.t, err, told)
	require.Equal(b.t, "application/problem+json", media, told)
	requireProblem(b.t, resp.StatusCode, resp, answer)
	require.True(b.t, op.promises(resp.StatusCode), "the document does not promise this status: %s", told)
	require.Equal(b.t, before, b.count(), "rows before and after: %s", told)
	return resp.StatusCode
}

// count asks on a connection that stays, for thousands of answers.
func (b *badSender) count() (counts string) {
	b.t.Helper()
	require.NoError(b.t, b.db.QueryRowContext(b.t.Context(), b.counts).Scan(&counts))
	return counts
}
