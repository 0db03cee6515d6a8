package sqlstore

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"
)

//go:embed migrations
var migrationFiles embed.FS

// migrationsTable keeps what was applied.
const migrationsTable = "schema_migrations"

// NewerSchemaError answers Migrate where a newer binary has changed the schema in ways that this one does not know.
type NewerSchemaError struct {
	// Schema and Binary are version numbers, such as 0003.
	Schema, Binary string
}

// Error names both versions.
func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("the database's schema is of version %s, and this binary knows version %s at most: run a newer binary", e.Schema, e.Binary)
}

// Migrate brings the schema to the version of this binary, and opens the store. Any number of processes may do so
// together: they take turns, and the first one does it. It can be called again after an error. A *NewerSchemaError
// does not pass.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return fmt.Errorf("migrate the %s schema: %w", s.flavour.name(), s.fault(err))
	}
	s.open.Store(true)
	return nil
}

func (s *Store) migrate(ctx context.Context) (err error) {
	files, err := s.flavour.migrations()
	if err != nil {
		return err
	}
	migrations := migrate.NewMigrations()
	if err := migrations.Discover(files); err != nil {
		return err
	}
	db, unlock, err := s.flavour.lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock(err == nil)) }()
	return apply(ctx, db, migrations)
}

// apply runs the migrations that are missing. Each is marked as applied in its own transaction: one that was
// interrupted has left nothing.
func apply(ctx context.Context, db *bun.DB, migrations *migrate.Migrations) error {
	migrator := migrate.NewMigrator(db, migrations,
		migrate.WithTableName(migrationsTable), migrate.WithLocksTableName(migrationsTable+"_locks"),
		migrate.WithUpsert(true), migrate.WithMarkAppliedOnSuccess(true), migrate.AfterMigration(mark))
	if err := migrator.Init(ctx); err != nil {
		return err
	}
	missing, err := migrator.MissingMigrations(ctx)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return newer(missing, migrations.Sorted())
	}
	_, err = migrator.Migrate(ctx)
	return err
}

// mark notes a migration within its transaction. The migrator notes it once more, to the same effect.
func mark(ctx context.Context, db bun.IConn, m *migrate.Migration) error {
	bound, ok := db.(bun.IDB)
	if !ok {
		return fmt.Errorf("a %T runs no queries", db)
	}
	_, err := bound.NewInsert().Model(m).ModelTableExpr(migrationsTable).On("CONFLICT (name) DO NOTHING").Exec(ctx)
	return err
}

func newer(applied, known migrate.MigrationSlice) error {
	e := &NewerSchemaError{}
	for i := range applied {
		e.Schema = max(e.Schema, applied[i].Name)
	}
	for i := range known {
		e.Binary = max(e.Binary, known[i].Name)
	}
	return e
}
