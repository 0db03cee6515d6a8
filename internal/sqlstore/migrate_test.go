package sqlstore

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/migrate"
	"golang.org/x/sync/errgroup"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

func TestMigrateTogether(t *testing.T) {
	eachOpener(t, func(t *testing.T, open func() *Store) {
		var starters errgroup.Group
		for range 8 {
			s := open()
			starters.Go(func() error { return s.Migrate(t.Context()) })
		}
		require.NoError(t, starters.Wait())
		s := open()
		require.NoError(t, s.Migrate(t.Context()), "again")
		applied, err := s.db.NewSelect().Table(migrationsTable).Count(t.Context())
		require.NoError(t, err)
		files, err := s.flavour.migrations()
		require.NoError(t, err)
		all, err := versions(files)
		require.NoError(t, err)
		assert.EqualValues(t, len(all), applied, "each once")
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		_, err := s.db.ExecContext(t.Context(), `INSERT INTO schema_migrations (id, name, group_id) VALUES (1000, '9001', 1000)`)
		require.NoError(t, err)
		err = s.Migrate(t.Context())
		var newer *NewerSchemaError
		require.ErrorAs(t, err, &newer)
		assert.Equal(t, "9001", newer.Schema)
		assert.Contains(t, err.Error(), "the database's schema is of version 9001, and this binary knows version "+newer.Binary+" at most")
	})
}

func TestNothingBeforeMigrate(t *testing.T) {
	eachOpener(t, func(t *testing.T, open func() *Store) {
		s := open()
		_, err := s.Alerts(t.Context(), alert.Query{})
		require.ErrorIs(t, err, state.ErrUnavailable)
		require.ErrorIs(t, s.Write(t.Context(), nil), state.ErrUnavailable)
		require.ErrorIs(t, s.Ping(t.Context()), state.ErrUnavailable)
		require.NoError(t, s.Migrate(t.Context()))
		require.NoError(t, s.Ping(t.Context()))
	})
}

func TestMigrationsAreOnBothDatabases(t *testing.T) {
	lite, err := sqliteFlavour{}.migrations()
	require.NoError(t, err)
	pg, err := postgresFlavour{}.migrations()
	require.NoError(t, err)
	want, err := versions(pg)
	require.NoError(t, err)
	got, err := versions(lite)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// TestInterruptedMigration runs a schema whose second migration fails half-way: that leaves nothing of itself, and the
// next attempt goes on from there.
func TestInterruptedMigration(t *testing.T) {
	eachOpener(t, func(t *testing.T, open func() *Store) {
		s := open()
		suffix := map[string]string{"SQLite": ".up.sql", "PostgreSQL": ".tx.up.sql"}[s.flavour.name()]
		try := func(second string) (err error) {
			migrations := migrate.NewMigrations()
			require.NoError(t, migrations.Discover(fstest.MapFS{
				"0001_one" + suffix: {Data: []byte("CREATE TABLE one (id INTEGER)")},
				"0002_two" + suffix: {Data: []byte("CREATE TABLE two (id INTEGER);\n--bun:split\n" + second)},
			}))
			db, unlock, err := s.flavour.lock(t.Context())
			require.NoError(t, err)
			defer func() { require.NoError(t, unlock(err == nil)) }()
			return apply(t.Context(), db, migrations)
		}
		require.Error(t, try("SELECT nonsense"))
		_, err := s.db.ExecContext(t.Context(), "SELECT * FROM two")
		require.Error(t, err)
		require.NoError(t, try("INSERT INTO two VALUES (1)"))
		require.NoError(t, try("INSERT INTO two VALUES (1)"))
		n, err := s.db.NewSelect().Table("two").Count(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
	})
}

// versions gives the numbers of the migrations in a directory.
func versions(files fs.FS) ([]string, error) {
	names, err := fs.Glob(files, "*.up.sql")
	for i := range names {
		names[i], _, _ = strings.Cut(names[i], "_")
	}
	return names, err
}
