package embedded

import (
	"context"
	"slices"

	"github.com/quantivista/monitoring/internal/alertmanager"
)

// Muted implements alertmanager.Muter.
func (e *Engine) Muted(ctx context.Context, labels map[string]string) (alertmanager.Muting, error) {
	c := e.current.Load()
	if c == nil {
		return alertmanager.Muting{}, alertmanager.ErrNotReady
	}
	set := labelSet(labels)
	inhibited, silenced := c.inhibitor.Mutes(ctx, set), c.silencer.Mutes(ctx, set)
	fingerprint := set.Fingerprint()
	status := e.marker.Status(fingerprint)
	if _, err := e.alerts.Get(fingerprint); err != nil {
		// Marks are dropped together with their alert, and this one has none.
		e.marker.Delete(fingerprint)
	}
	var why alertmanager.Muting
	if silenced {
		why.Silences = slices.Clone(status.SilencedBy)
	}
	if inhibited {
		why.Inhibitors = slices.Clone(status.InhibitedBy)
	}
	return why, nil
}
