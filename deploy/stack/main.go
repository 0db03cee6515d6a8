// Command stack starts Jaeger, Loki and the collector on this machine, and a small shop that they watch and that can be
// told to fail. `make stack` builds what it needs and runs it; README.md is the walk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/quantivista/monitoring/deploy/stack/demo"
)

// Where the parts listen. Those of the collector are the ones in configs/all-in-one.yaml.
const (
	otlp    = "localhost:4317"
	api     = "http://localhost:8090"
	health  = "http://localhost:13133"
	jaeger  = "http://localhost:16686"
	loki    = "http://localhost:3100"
	control = "localhost:8070"
)

const guide = `
Everything runs. The shop takes five orders a second:

  API                %[1]s/api/docs
  Jaeger             %[2]s
  Logs and state     %[3]s

  curl -X POST %[4]s/fail      the payments fail; half a minute later a page is printed here
  curl -s %[1]s/api/v1/incidents
  curl -s %[1]s/api/v1/incidents/$ID/evidence
  curl -X POST %[4]s/heal      the payments work again

Ctrl-C ends all.
`

func main() {
	collector := flag.String("collector", "bin/otelcol-quantivista", "the collector's binary")
	jaegerBinary := flag.String("jaeger", ".tools/jaeger", "Jaeger's binary")
	lokiBinary := flag.String("loki", ".tools/loki", "Loki's binary")
	data := flag.String("data", "data/stack", "the folder of everything that is kept")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *collector, *jaegerBinary, *lokiBinary, *data)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, collector, jaegerBinary, lokiBinary, data string) error {
	folder, err := filepath.Abs(data)
	if err != nil {
		return err
	}
	for _, sub := range []string{"log", "rules", "targets", "logs"} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o750); err != nil {
			return err
		}
	}
	env := append(os.Environ(), "DATA_DIR="+folder)
	group, ctx := errgroup.WithContext(ctx)
	start := func(c child) error {
		c.log = filepath.Join(folder, "log", c.name+".log")
		fmt.Println("Starting", c.name)
		end, err := c.start(ctx)
		if err != nil {
			return err
		}
		group.Go(end)
		return c.await(ctx)
	}
	backends := []child{
		{name: "jaeger", env: env, ready: jaeger + "/api/v3/services", args: []string{jaegerBinary, "--config", "deploy/stack/jaeger.yaml"}},
		{name: "loki", env: env, ready: loki + "/ready", args: []string{lokiBinary, "-config.file=deploy/stack/loki.yaml", "-config.expand-env=true"}},
		{
			name: "collector", ready: health + "/",
			env: append(env, "JAEGER_ENDPOINT=localhost:14317", "JAEGER_QUERY_ENDPOINT=localhost:16685", "JAEGER_UI="+jaeger, "LOKI_ENDPOINT="+loki,
				"RULE_FILES=deploy/stack/rules.yaml", "ALERTMANAGER_CONFIG=deploy/stack/alertmanager.yml"),
			args: []string{collector, "--config", "configs/all-in-one.yaml", "--config", "deploy/stack/collector.yaml"},
		},
	}
	for _, c := range backends {
		if err := start(c); err != nil {
			return errors.Join(err, group.Wait())
		}
	}
	fmt.Printf(guide, api, jaeger, filepath.Join(data, "log"), control)
	group.Go(func() error {
		err := demo.Run(ctx, demo.Config{OTLP: otlp, Control: control, Every: 200 * time.Millisecond, Page: printPage})
		if ctx.Err() == nil {
			return err
		}
		return nil // All end at once: what the shop still had to send has nowhere to go.
	})
	return group.Wait()
}

// printPage writes a notification as a person would get it.
func printPage(n demo.Notification) {
	for _, a := range n.Alerts {
		fmt.Printf("%s PAGE %s: %s %s\n", time.Now().Format(time.TimeOnly), strings.ToUpper(a.Status), a.Labels["alertname"], a.Annotations["summary"])
	}
}
