// Program state fills a PostgreSQL with alerts and incidents as of years, and measures our binary on it: every list of
// its API, first pages and deep ones, with and without filters, and how many alerts it takes. It prints Markdown tables.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
	"github.com/quantivista/monitoring/test/bench/server"
)

type options struct {
	collector, filled string
	only, match       string
	alerts, incidents int
	repeats, batches  int
}

func main() {
	var o options
	flag.StringVar(&o.collector, "collector", "bin/otelcol-quantivista", "our binary")
	flag.StringVar(&o.filled, "filled", "", "the URL of a database that was filled before; without it, a server of its own is started and filled")
	flag.StringVar(&o.only, "only", "", "measure nothing but lists, or nothing but intake")
	flag.StringVar(&o.match, "match", "", "a regular expression of path, a space and name of the lists that are asked")
	flag.IntVar(&o.alerts, "alerts", 1_000_000, "alerts that are stored")
	flag.IntVar(&o.incidents, "incidents", 100_000, "incidents that are stored")
	flag.IntVar(&o.repeats, "repeats", 300, "how often each list is asked")
	flag.IntVar(&o.batches, "batches", 40, "batches of 1,000 alerts that fire and then resolve")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "state:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "state-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.collector, err = server.CopyBinary(o.collector, dir); err != nil {
		return err
	}
	b := bench{options: o, database: o.filled}
	if o.filled == "" {
		// It keeps what it says, with its default memory but for shared buffers.
		var database *postgrestest.Server
		if database, err = postgrestest.New("fsync=on", "shared_buffers=1GB", "max_wal_size=4GB"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, database.Stop()) }()
		if b.database, err = database.CreateDatabase(ctx, "monitoring"); err != nil {
			return err
		}
	}
	return b.run(ctx, dir)
}

// bench is a collector on its database.
type bench struct {
	options

	database, api string
}

func (b *bench) run(ctx context.Context, dir string) (err error) {
	s, err := b.start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	if b.filled == "" {
		fmt.Fprintf(os.Stderr, "storing %d alerts and %d incidents\n", b.alerts, b.incidents)
		if err := b.fill(ctx); err != nil {
			return err
		}
	}
	if b.only != "intake" {
		if err := b.lists(ctx); err != nil {
			return err
		}
	}
	if b.only == "lists" {
		return nil
	}
	return b.intake(ctx)
}

// start starts the collector, which makes the tables.
func (b *bench) start(ctx context.Context, dir string) (*server.Server, error) {
	ports, err := server.FreePorts(ctx, 2)
	if err != nil {
		return nil, err
	}
	b.api = fmt.Sprintf("http://localhost:%d", ports[0])
	if err := os.WriteFile(dir+"/config.yaml", config, 0o600); err != nil {
		return nil, err
	}
	return server.Start(ctx, server.Command{
		Dir: dir, Args: []string{b.collector, "--config", "config.yaml"},
		Env: []string{
			fmt.Sprintf("BENCH_API=%d", ports[0]), fmt.Sprintf("BENCH_HEALTH=%d", ports[1]), "BENCH_DATABASE=" + b.database,
		},
		ReadyURL: fmt.Sprintf("http://localhost:%d/", ports[1]),
	})
}
