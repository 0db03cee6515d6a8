package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestKilledBetweenFireAndIncident kills the collector at every step from a sample to an incident, and back: while a
// rule is evaluated, while its alerts go through the queue, in the transaction that stores and correlates them,
// behind it, and while it starts again. Nothing may be lost, doubled or stuck.
func TestKilledBetweenFireAndIncident(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d *database) {
		c := newCollector(t, allInOne, d.option())
		c.writeRules("broken.yaml", brokenRules)
		c.start()
		seed := uint64(time.Now().UnixNano())
		t.Logf("random numbers from %d", seed)
		k := killer{c: c, d: d, random: rand.New(rand.NewPCG(seed, 0))}
		// Several alerts each, so that a transaction lasts.
		const series = 20
		k.rounds = rounds(t, 4, 100)
		for k.round = range k.rounds {
			service := fmt.Sprintf("service-%d", k.round)
			c.setBroken(service, series, 1)
			k.strike(service, "firing")
			d.awaitAlerts(c, service, rulesOfBroken*series, "firing", "open")
			c.setBroken(service, series, 0)
			k.strike(service, "resolved")
			d.awaitAlerts(c, service, rulesOfBroken*series, "resolved", "mitigated")
			d.requireToldOnce(c, service, series)
			c.requireServed(service, rulesOfBroken*series, "resolved")
		}
		d.requireSound(c)
		c.terminate()
	})
}

// killer picks the moments.
type killer struct {
	c             *collector
	d             *database
	random        *rand.Rand
	round, rounds int
}

// strike kills the collector soon after the samples of a service changed, and has it start again.
func (k *killer) strike(service, status string) {
	k.c.t.Helper()
	switch k.round % 4 {
	case 0: // any time until all is done: the rules are evaluated each second
		k.pass(time.Duration(k.round) * 2500 * time.Millisecond / time.Duration(k.rounds))
		k.pass(k.jitter(2500*time.Millisecond/time.Duration(k.rounds) + 1))
	case 1: // rules have told, and it is on its way
		k.awaitTold(service, status)
		k.pass(k.jitter(20 * time.Millisecond))
	case 2: // it is stored
		k.awaitStored(service, status)
		k.pass(k.jitter(20 * time.Millisecond))
	case 3: // around the transaction
		k.awaitTold(service, status)
		k.pass(k.jitter(300 * time.Millisecond))
	}
	k.c.kill()
	if k.random.IntN(3) == 0 { // once more, while it starts
		k.c.process = k.c.launch()
		k.pass(k.jitter(2 * time.Second))
		k.c.kill()
	}
	k.c.start()
}

// pass lets time go by. The moment is what these tests are about; they do not wait for anything by it.
func (*killer) pass(d time.Duration) { <-time.After(d) }

func (k *killer) jitter(most time.Duration) time.Duration {
	return time.Duration(k.random.Int64N(int64(most)))
}

// awaitTold waits until the rule has written its alert's own series, or its end.
func (k *killer) awaitTold(service, status string) {
	k.c.t.Helper()
	want := 1
	if status == "resolved" {
		want = 0
	}
	k.await("a rule's series", func() (int, error) {
		found, err := k.c.tryQuery(fmt.Sprintf(`count(ALERTS{alertname="Broken", alertstate="firing", service=%q})`, service))
		return len(found), err
	}, want)
}

// awaitStored waits until the first alert is in the database.
func (k *killer) awaitStored(service, status string) {
	k.c.t.Helper()
	k.await("a stored alert", func() (int, error) {
		found, err := k.d.rows(k.c, fmt.Sprintf(`SELECT id FROM alerts WHERE service_name = '%s' AND status = '%s' LIMIT 1`, service, status))
		return len(found), err
	}, 1)
}

// await asks as often as it can: what follows is over in milliseconds.
func (k *killer) await(what string, count func() (int, error), want int) {
	k.c.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		got, err := count()
		if err == nil && got == want {
			return
		}
		if time.Now().After(deadline) {
			k.c.t.Fatalf("%s: not within %s: %d, %v", what, patience, got, err)
		}
	}
}
