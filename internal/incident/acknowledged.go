package incident

import (
	"context"
	"sync"
	"time"
)

// AcknowledgementReader gives stored acknowledgements.
type AcknowledgementReader interface {
	// AcknowledgedCases gives the firing alerts with an acknowledgement that has not ended, their own or their
	// incident's.
	AcknowledgedCases(ctx context.Context) ([]Case, error)
	// Cases gives the case of each alert, by its ID.
	Cases(ctx context.Context, alertIDs []string) (map[string]Case, error)
	// IncidentAcknowledgements gives, of each incident that has one, the acknowledgement that has not ended.
	IncidentAcknowledgements(ctx context.Context, incidentIDs []string) (map[string]Acknowledgement, error)
}

// AcknowledgedAlerts answers before a repeated notification which acknowledgement holds for an alert. An answer is at
// most MaxAge old. It is safe for concurrent use.
type AcknowledgedAlerts struct {
	Reader AcknowledgementReader
	MaxAge time.Duration
	Now    func() time.Time

	mu       sync.Mutex
	loadedAt time.Time
	cases    map[string]Case // by fingerprint
}

// Of gives the acknowledgement that holds now for the firing alert of a fingerprint; nil for none. After an error
// nothing is known: whoever asks tells people rather than not.
func (a *AcknowledgedAlerts) Of(ctx context.Context, fingerprint string) (*Acknowledgement, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Now()
	if age := now.Sub(a.loadedAt); a.cases == nil || age < 0 || age >= a.MaxAge {
		list, err := a.Reader.AcknowledgedCases(ctx)
		if err != nil {
			return nil, err
		}
		a.cases, a.loadedAt = make(map[string]Case, len(list)), now
		for _, c := range list {
			a.cases[c.Alert.Fingerprint()] = c
		}
	}
	c, ok := a.cases[fingerprint]
	if !ok {
		return nil, nil //nolint:nilnil // nobody has taken note of most alerts
	}
	return c.Acknowledged(now), nil
}
