package sqlstore

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/incident"
)

// tx is one transaction of Store.Write.
type tx struct {
	db    bun.Tx
	store *Store
}

var _ incident.Tx = (*tx)(nil)

// now is the time that a change is stored with.
func (t *tx) now() time.Time { return at(t.store.now()).Time }
