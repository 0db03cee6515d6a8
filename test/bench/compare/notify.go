package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/quantivista/monitoring/test/bench/otlpload"
	"github.com/quantivista/monitoring/test/bench/server"
)

//go:embed notify.yaml
var notifyConfig []byte

// notifyTime is what all messages of a burst may take.
const notifyTime = 3 * time.Minute

// bursts are how many alerts fire at once, and how often.
var bursts = []struct{ alerts, times int }{{1, 20}, {100, 5}, {10_000, 1}}

// notifyMeasurement of one target in one round: milliseconds from evaluation to message, by burst.
type notifyMeasurement [3]struct{ p50, p99 float64 }

// compareNotify compares how long it takes from the evaluation that fires an alert to the first byte of its message,
// beside a Prometheus that sends to an Alertmanager.
func compareNotify(ctx context.Context, targets []target, o options) error {
	results, err := inTurns(ctx, "notify", targets, o, measureNotify)
	if err != nil {
		return err
	}
	var rows []row[notifyMeasurement]
	for i, b := range bursts {
		rows = append(rows,
			row[notifyMeasurement]{fmt.Sprintf("%d at once, p50, ms", b.alerts), "%.1f", func(m notifyMeasurement) float64 { return m[i].p50 }},
			row[notifyMeasurement]{fmt.Sprintf("%d at once, p99, ms", b.alerts), "%.1f", func(m notifyMeasurement) float64 { return m[i].p99 }})
	}
	if err := printTable(os.Stdout, targets, results, rows); err != nil {
		return err
	}
	_, err = fmt.Printf("\nFrom evaluation to message, group_wait 0s, each alert a group of its own; one rule, evaluated each second; "+
		"%d, %d and %d bursts a round; median of %d rounds. %s\n", bursts[0].times, bursts[1].times, bursts[2].times, o.rounds, machine())
	return err
}

func measureNotify(ctx context.Context, t target, o options) (m notifyMeasurement, err error) {
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	pager, err := newPager(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, pager.server.Close()) }()
	if err := writeNotifyFiles(dir, pager.url); err != nil {
		return m, err
	}
	t, stop, err := t.withNotifications(ctx, t, dir, o)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	s, p, err := t.start(ctx, dir)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()

	fire := burst{t.otlpURL(p), pager, 0}
	if err := fire.warmUp(ctx); err != nil {
		return m, err
	}
	for i, b := range bursts {
		var ages []time.Duration
		for range b.times {
			got, err := fire.send(ctx, b.alerts, notifyTime)
			if err != nil {
				return m, err
			}
			ages = append(ages, got...)
		}
		m[i].p50, m[i].p99 = quantile(ages, 0.5), quantile(ages, 0.99)
	}
	return m, nil
}

// burst fires alerts that have not fired before.
type burst struct {
	otlpURL string
	pager   *pager
	fired   int
}

// warmUp fires until one arrives: a Prometheus that does not know its Alertmanager yet loses what it sends.
func (b *burst) warmUp(ctx context.Context) error {
	var err error
	for range 30 {
		if _, err = b.send(ctx, 1, 3*time.Second); err == nil {
			return nil
		}
	}
	return err
}

func (b *burst) send(ctx context.Context, alerts int, within time.Duration) ([]time.Duration, error) {
	lanes, err := otlpload.Gauges(b.fired, alerts, time.Now())
	if err != nil {
		return nil, err
	}
	b.fired += alerts
	accepted, err := otlpload.Send(ctx, b.otlpURL, lanes)
	if err != nil || accepted != int64(alerts) {
		return nil, errors.Join(err, fmt.Errorf("%d of %d data points accepted", accepted, alerts))
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return b.pager.await(ctx, alerts)
}

// writeNotifyFiles writes what all targets read: the rule and the routes.
func writeNotifyFiles(dir, webhook string) error {
	rules := fmt.Sprintf("groups: [{name: g, interval: 1s, rules: [{alert: Broken, expr: %s > 0}]}]\n", otlpload.GaugeMetric)
	routes := fmt.Sprintf(`route: {receiver: pager, group_by: [%s], group_wait: 0s, group_interval: 5m, repeat_interval: 24h}
receivers: [{name: pager, webhook_configs: [{url: %q, send_resolved: false}]}]
`, otlpload.NumberLabel, webhook)
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(rules), 0o600),
		os.WriteFile(filepath.Join(dir, "alertmanager.yaml"), []byte(routes), 0o600))
}

// alone has nothing beside it.
func alone(_ context.Context, t target, _ string, _ options) (target, func() error, error) {
	return t.with("notify-config.yaml", notifyConfig), func() error { return nil }, nil
}

// besideAlertmanager starts an Alertmanager, and gives the Prometheus that sends to it.
func besideAlertmanager(ctx context.Context, t target, dir string, o options) (target, func() error, error) {
	free, err := server.FreePorts(ctx, 1)
	if err != nil {
		return t, nil, err
	}
	address, own := "localhost:"+strconv.Itoa(free[0]), filepath.Join(dir, "alertmanager")
	if err := os.Mkdir(own, 0o750); err != nil {
		return t, nil, err
	}
	s, err := server.Start(ctx, server.Command{Dir: own, ReadyURL: "http://" + address + "/-/ready", Args: []string{
		o.alertmanager, "--config.file=" + filepath.Join(dir, "alertmanager.yaml"), "--storage.path=" + filepath.Join(own, "data"),
		"--web.listen-address=" + address, "--cluster.listen-address=",
	}})
	if err != nil {
		return t, nil, err
	}
	command := t.command
	t.command = func(dir string, p ports) (args, env []string, err error) {
		args, env, err = command(dir, p)
		config := string(prometheusConfig) + fmt.Sprintf("alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n", address)
		return args, env, errors.Join(err, os.WriteFile(filepath.Join(dir, "prometheus.yaml"), []byte(config), 0o600))
	}
	return t, s.Stop, nil
}
