package embedded

import (
	"context"
	"time"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
)

// Due says by an entry of a notification log, nil for none, whether a group needs to be notified: as the pipeline does,
// in whose context it is asked.
func Due(ctx context.Context, entry *nflogpb.Entry, rs notify.ResolvedSender, to *nflogpb.Receiver, alerts ...*types.Alert) (bool, error) {
	_, due, err := newDedup(rs, oneEntry{entry}, to).Exec(ctx, nil, alerts...)
	return len(due) > 0, err
}

// oneEntry is a notification log that has one entry, or none.
type oneEntry struct{ entry *nflogpb.Entry }

// Log implements notify.NotificationLog. Nobody asks it.
func (oneEntry) Log(*nflogpb.Receiver, string, []uint64, []uint64, *nflog.Store, time.Duration) error {
	return nflog.ErrNotFound
}

// Query implements notify.NotificationLog.
func (l oneEntry) Query(...nflog.QueryParam) ([]*nflogpb.Entry, error) {
	if l.entry == nil {
		return nil, nflog.ErrNotFound
	}
	return []*nflogpb.Entry{l.entry}, nil
}
