package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const onePager = "route: {receiver: pager, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 24h}\n"

// hungKey waits for a request that is not answered.
func (p *pager) hungKey() string {
	p.t.Helper()
	select {
	case key := <-p.hung:
		return key
	case <-time.After(patience):
		p.t.Fatal("nobody called")
		return ""
	}
}

// TestAKillWhileAMessageIsSent leaves nobody knowing whether it arrived: it is sent again as the same one.
func TestAKillWhileAMessageIsSent(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d *database) {
		p := newPager(t)
		c := startCollector(t, allInOne, d.option(), withRoutes(t, onePager+p.receivers("pager")))
		p.hang.Store(true)
		c.fire(`"alertname": "Down"`)
		key := p.hungKey()
		c.kill()
		p.hang.Store(false)
		c.start()
		assert.Equal(t, []string{"pager: firing Down"}, p.next(1))
		assert.Equal(t, 1, p.seen[key], "requests with the key of the first")
		await(t, "the ledger", func() error {
			_, err := d.rows(c, `SELECT id FROM notifications WHERE state = 'sent' AND attempts >= 2`)
			return err
		})
		// One that has ended by the time somebody is back was maybe told: its end is.
		p.hang.Store(true)
		c.fire(`"alertname": "Brief"`)
		p.hungKey()
		c.end(`"alertname": "Brief"`)
		await(t, "its end to be stored", func() error {
			ended, err := d.rows(c, `SELECT id FROM alerts WHERE name = 'Brief' AND status = 'resolved'`)
			if err == nil && len(ended) != 1 {
				err = fmt.Errorf("%d are resolved", len(ended))
			}
			return err
		})
		c.kill()
		p.hang.Store(false)
		c.start()
		assert.Equal(t, []string{"pager: resolved Brief"}, p.next(1))
		assert.Empty(t, p.calls)
		c.terminate()
	})
}

// TestTwoReplicasTellOnce has both of two replicas on one PostgreSQL know every alert.
func TestTwoReplicasTellOnce(t *testing.T) {
	t.Parallel()
	d := newPostgres(t)
	p := newPager(t)
	start := func() *collector {
		return startCollector(t, allInOne, d.option(), withRoutes(t, onePager+p.receivers("pager")))
	}
	one, other := start(), start()
	for range rounds(t, 5, 100) {
		one.fire(`"alertname": "Down"`)
		other.fire(`"alertname": "Down"`)
		assert.Equal(t, []string{"pager: firing Down"}, p.next(1))
		other.end(`"alertname": "Down"`)
		one.end(`"alertname": "Down"`)
		assert.Equal(t, []string{"pager: resolved Down"}, p.next(1))
	}
	// The one that sends dies, and the other waits for it.
	p.hang.Store(true)
	one.fire(`"alertname": "Mid"`)
	key := p.hungKey()
	other.fire(`"alertname": "Mid"`)
	one.kill()
	p.hang.Store(false)
	assert.Equal(t, []string{"pager: firing Mid"}, p.next(1))
	assert.Equal(t, 1, p.seen[key], "the other sends the same message")
	one.start()
	one.fire(`"alertname": "Mid"`, `"alertname": "Last"`)
	assert.Equal(t, []string{"pager: firing Last"}, p.next(1))
	assert.Empty(t, p.calls)
	for key, requests := range p.seen {
		assert.Equal(t, 1, requests, key)
	}
	one.terminate()
	other.terminate()
}
