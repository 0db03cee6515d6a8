package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/notification"
	"github.com/quantivista/monitoring/internal/state"
)

// entryRow is a row of alertmanager_entries.
type entryRow struct {
	bun.BaseModel `bun:"table:alertmanager_entries,alias:e"`

	Digest    string            `bun:"digest,pk"`
	Kind      alertmanager.Kind `bun:"kind"`
	Key       string            `bun:"key"`
	UpdatedAt instant           `bun:"updated_at"`
	ExpiresAt instant           `bun:"expires_at"`
	Data      []byte            `bun:"data"`
	Revision  int64             `bun:"revision"`
}

// entriesPage is how many entries are read at once.
const entriesPage = 1000

// SaveEntries implements alertmanager.Store.
func (s *Store) SaveEntries(ctx context.Context, entries ...alertmanager.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	rows, err := toEntryRows(entries)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, db bun.Tx) error { return saveEntries(ctx, db, rows) })
}

// SaveSent implements alertmanager.Store.
func (s *Store) SaveSent(ctx context.Context, n *notification.Notification, logged alertmanager.Entry) error {
	rows, err := toEntryRows([]alertmanager.Entry{logged})
	if err != nil {
		return err
	}
	return s.writeTogether(ctx, func(ctx context.Context, db bun.Tx) error {
		return errors.Join(s.end(ctx, db, n), saveEntries(ctx, db, rows))
	})
}

func saveEntries(ctx context.Context, db bun.Tx, rows []entryRow) error {
	var revision int64
	if err := db.NewRaw("UPDATE alertmanager_revision SET revision = revision + 1 RETURNING revision").Scan(ctx, &revision); err != nil {
		return err
	}
	for i := range rows {
		rows[i].Revision = revision
	}
	for page := range slices.Chunk(rows, entriesPage) {
		q := db.NewInsert().Model(&page).On("CONFLICT (digest) DO UPDATE").Where("EXCLUDED.updated_at > e.updated_at")
		for _, column := range []string{"updated_at", "expires_at", "data", "revision"} {
			q.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		if _, err := q.Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// toEntryRows gives each entry once, in its latest form: one statement must not touch a row twice.
func toEntryRows(entries []alertmanager.Entry) ([]entryRow, error) {
	latest := map[string]entryRow{}
	for _, e := range entries {
		if e.Kind != alertmanager.KindSilence && e.Kind != alertmanager.KindNotification {
			return nil, fmt.Errorf("kind of an entry must be silence or notification, is %q: it %w", e.Kind, state.ErrInvalid)
		}
		digest := sha256.Sum256([]byte(string(e.Kind) + "\x00" + e.Key))
		row := entryRow{
			Digest: hex.EncodeToString(digest[:]), Kind: e.Kind, Key: text(e.Key),
			UpdatedAt: at(e.UpdatedAt), ExpiresAt: at(e.ExpiresAt), Data: e.Data,
		}
		if known, twice := latest[row.Digest]; !twice || row.UpdatedAt.After(known.UpdatedAt.Time) {
			latest[row.Digest] = row
		}
	}
	rows := make([]entryRow, 0, len(latest))
	for _, row := range latest {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b entryRow) int { return strings.Compare(a.Digest, b.Digest) })
	return rows, nil
}

// EntriesSince implements alertmanager.Store. A page does not end within a revision: the next one begins behind it.
func (s *Store) EntriesSince(ctx context.Context, revision int64) (entries []alertmanager.Entry, next int64, err error) {
	var rows []entryRow
	err = s.read(ctx, func(db bun.IDB) error {
		last := db.NewSelect().Model((*entryRow)(nil)).Column("revision").Where("revision > ?", revision).
			Order("revision").Offset(entriesPage - 1).Limit(1)
		newest := db.NewSelect().Table("alertmanager_revision").Column("revision")
		return db.NewSelect().Model(&rows).Where("e.revision > ?", revision).
			Where("e.revision <= COALESCE((?), (?))", last, newest).Order("e.revision", "e.digest").Scan(ctx)
	})
	next = revision
	for i := range rows {
		r := &rows[i]
		entries = append(entries, alertmanager.Entry{Kind: r.Kind, Key: r.Key, UpdatedAt: r.UpdatedAt.Time, ExpiresAt: r.ExpiresAt.Time, Data: r.Data})
		next = r.Revision
	}
	return entries, next, err
}

// DropEntries implements alertmanager.Store.
func (s *Store) DropEntries(ctx context.Context, before time.Time) error {
	return s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		_, err := db.NewDelete().Model((*entryRow)(nil)).Where("expires_at < ?", at(before)).Exec(ctx)
		return err
	})
}
