package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// Warm opens the connections that stay open, and asks on all of them for what people ask for first. A new connection of PostgreSQL
// knows nothing of the tables: its first answers take some 10 to 50 ms longer each. SQLite has nothing of the kind.
func (s *Store) Warm(ctx context.Context) error {
	if err := s.read(ctx, func(bun.IDB) error { return s.openIdle(ctx) }); err != nil {
		return err
	}
	var all errgroup.Group
	for range s.idle { // at once, so that each takes another connection
		all.Go(func() error { return s.askFirst(ctx) })
	}
	return all.Wait()
}

// openIdle holds as many connections at once as stay open.
func (s *Store) openIdle(ctx context.Context) error {
	var held []*sql.Conn
	var fault error
	for range s.idle {
		conn, err := s.db.DB.Conn(ctx)
		if err != nil {
			fault = err
			break
		}
		held = append(held, conn)
	}
	for _, conn := range held {
		fault = errors.Join(fault, conn.Close())
	}
	return fault
}

func (s *Store) askFirst(ctx context.Context) error {
	page := state.Page{Limit: 1}
	service := []alert.Matcher{{Name: "service", Op: alert.MatchRegexp, Value: ".+"}}
	for _, q := range []alert.Query{{Page: page}, {Page: page, Status: alert.Firing}, {Page: page, Matchers: service}} {
		if _, err := s.Alerts(ctx, q); err != nil {
			return err
		}
	}
	if _, err := s.Incidents(ctx, incident.Query{Page: page}); err != nil {
		return err
	}
	_, err := s.Health(ctx)
	return err
}
