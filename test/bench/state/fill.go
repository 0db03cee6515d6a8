package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

var (
	//go:embed config.yaml
	config []byte
	//go:embed fill.sql
	fillSQL string
)

// fill stores everything by SQL, which is faster than to let it happen.
func (b *bench) fill(ctx context.Context) (err error) {
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	numbers := strings.NewReplacer(":alerts", fmt.Sprint(b.alerts), ":incidents", fmt.Sprint(b.incidents))
	for statement := range strings.SplitSeq(fillSQL, ";\n") {
		if _, err := conn.Exec(ctx, numbers.Replace(statement)); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
