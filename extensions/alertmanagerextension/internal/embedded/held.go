package embedded

import (
	"fmt"
	"sync/atomic"

	"github.com/prometheus/alertmanager/types"

	"github.com/quantivista/monitoring/internal/alertmanager"
)

// held counts the alerts in memory and bounds them. It implements mem.AlertStoreCallback.
type held struct {
	limit int
	count atomic.Int64
}

func newHeld(limit int) *held { return &held{limit: limit} }

// room answers ErrFull unless so many new alerts fit.
func (h *held) room(wanted int) error {
	if h.limit > 0 && wanted > 0 && h.count.Load()+int64(wanted) > int64(h.limit) {
		return fmt.Errorf("%w: %d, and the limit is %d (\"limits::alerts\")", alertmanager.ErrFull, h.count.Load(), h.limit)
	}
	return nil
}

// PreStore refuses what does not fit.
func (h *held) PreStore(_ *types.Alert, existing bool) error {
	if existing {
		return nil
	}
	return h.room(1)
}

// PostStore counts.
func (h *held) PostStore(_ *types.Alert, existing bool) {
	if !existing {
		h.count.Add(1)
	}
}

// PostDelete counts.
func (h *held) PostDelete(*types.Alert) { h.count.Add(-1) }
