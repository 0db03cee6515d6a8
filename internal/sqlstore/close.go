package sqlstore

import (
	"errors"

	"github.com/uptrace/bun"
)

// closing closes a pool and gives both errors.
func closing(db *bun.DB, err error) error { return errors.Join(err, db.Close()) }
