package alertmanager

import (
	"context"
	"fmt"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// MutingBy tells those who ask what mutes alerts of silences and inhibitions. It answers state.ErrUnavailable before the
// Alertmanager knows the silences and alerts of its last run.
func MutingBy(m Muter) alert.Muting {
	return func(ctx context.Context, _ time.Time) (func(*alert.Alert) []alert.Mute, error) {
		if _, err := m.Muted(ctx, nil); err != nil {
			return nil, fmt.Errorf("%w: ask what is silenced: %w", state.ErrUnavailable, err)
		}
		return func(a *alert.Alert) []alert.Mute {
			muting, err := m.Muted(ctx, a.Labels)
			if err != nil {
				return nil // It stops, after everybody who asks.
			}
			return muting.Mutes()
		}, nil
	}
}

// Mutes gives the reasons one by one.
func (m Muting) Mutes() []alert.Mute {
	var mutes []alert.Mute
	for _, id := range m.Silences {
		mutes = append(mutes, alert.Mute{Kind: alert.MutedBySilence, ID: id})
	}
	for _, fingerprint := range m.Inhibitors {
		mutes = append(mutes, alert.Mute{Kind: alert.MutedByInhibition, ID: fingerprint})
	}
	return mutes
}
