package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/sqlstore"
)

const batchSize = 1000

// postedAlert is one as an Alertmanager takes it.
type postedAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt,omitzero"`
}

// services is how many the alerts are of, each an incident.
const services = 50

// intake prints how many transitions a second the database takes.
func (b *bench) intake(ctx context.Context) error {
	fmt.Print("| intake | transitions a second |\n|---|---|\n")
	if err := b.storeAlerts(ctx); err != nil {
		return err
	}
	if err := b.postAlerts(ctx); err != nil {
		return err
	}
	_, err := fmt.Printf("\n%d alerts of %d services in batches of %d, into the database above: first past the collector, without incidents; "+
		"then over HTTP, the queue on disk and correlation.\n", b.batches*batchSize, services, batchSize)
	return err
}

// storeAlerts has alerts fire and resolve in the store alone.
func (b *bench) storeAlerts(ctx context.Context) (err error) {
	store, err := sqlstore.OpenPostgres(sqlstore.Postgres{URL: b.database, MaxOpenConns: 2, MaxIdleConns: 2})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	start := time.Now().UTC()
	for _, status := range []alert.Status{alert.Firing, alert.Resolved} {
		begin := time.Now()
		for batch := range b.batches {
			alerts := make([]alert.Alert, batchSize)
			for i := range alerts {
				alerts[i] = alert.Alert{Labels: labels("stored", batch*batchSize+i), Severity: alert.High, Status: status, StartsAt: start, UpdatedAt: time.Now()}
			}
			err := store.Write(ctx, func(ctx context.Context, tx incident.Tx) error {
				_, err := tx.Intake(ctx, alerts, time.Hour)
				return err
			})
			if err != nil {
				return err
			}
		}
		b.tell("stored, "+string(status), begin)
	}
	return nil
}

func (b *bench) tell(what string, begin time.Time) {
	fmt.Printf("| %s | %.0f |\n", what, float64(b.batches*batchSize)/time.Since(begin).Seconds())
}

func labels(bench string, n int) map[string]string {
	return map[string]string{
		"alertname": "Intake", "severity": "critical", "bench": bench, "service": "intake-" + strconv.Itoa(n%services), "instance": "host-" + strconv.Itoa(n),
	}
}

// postAlerts posts alerts as fast as they are taken: all fire, and then all are resolved.
func (b *bench) postAlerts(ctx context.Context) (err error) {
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	start := time.Now().UTC().Truncate(time.Microsecond)
	for _, status := range []string{"firing", "resolved"} {
		fmt.Fprintf(os.Stderr, "intake: %s\n", status)
		begin := time.Now()
		for batch := range b.batches {
			if err := b.post(ctx, batch, start, status); err != nil {
				return err
			}
		}
		// An index alone tells how many are stored: counting is to take no time from storing.
		want := b.batches * batchSize
		for stored := 0; stored < want; {
			if err := conn.QueryRow(ctx, `SELECT count(*) FROM alerts WHERE starts_at >= $1 AND status = $2`, start, status).Scan(&stored); err != nil {
				return err
			}
			if time.Since(begin) > 10*time.Minute {
				return fmt.Errorf("%d of %d alerts are %s", stored, want, status)
			}
			if err := pause(ctx); err != nil {
				return err
			}
		}
		b.tell("posted and correlated, "+status, begin)
	}
	return nil
}

func pause(ctx context.Context) error {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// post sends a batch, again and again while it is refused for now.
func (b *bench) post(ctx context.Context, batch int, start time.Time, status string) error {
	alerts := make([]postedAlert, batchSize)
	for i := range alerts {
		alerts[i] = postedAlert{
			Labels: labels("posted", batch*batchSize+i), Annotations: map[string]string{"summary": "Something is wrong"}, StartsAt: start,
		}
		if status == "resolved" {
			alerts[i].EndsAt = time.Now()
		}
	}
	body, err := json.Marshal(alerts)
	if err != nil {
		return err
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.api+"/alertmanager/api/v2/alerts", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		switch {
		case err != nil:
			return err
		case resp.StatusCode == http.StatusOK:
			return nil
		case resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusTooManyRequests:
			return fmt.Errorf("post alerts: %s: %s", resp.Status, answer)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}
