package alertmanagerextension

import (
	"testing"
	"time"

	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzMessages reads what a store or another replica may have, without a panic.
func FuzzMessages(f *testing.F) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	silence, err := delimited(&silencepb.MeshSilence{Silence: &silencepb.Silence{Id: "1", UpdatedAt: noon}, ExpiresAt: noon})
	require.NoError(f, err)
	entry, err := delimited(&nflogpb.MeshEntry{Entry: &nflogpb.Entry{
		Receiver: &nflogpb.Receiver{GroupName: "a"}, Timestamp: noon, FiringAlerts: []uint64{1}, ResolvedAlerts: []uint64{2},
	}, ExpiresAt: noon})
	require.NoError(f, err)
	f.Add(silence)
	f.Add(append(entry, entry...))
	empty, err := delimited(&nflogpb.MeshEntry{ExpiresAt: noon})
	require.NoError(f, err)
	f.Add(empty)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := readSilence(data); err == nil {
			assert.NotNil(t, s.Silence)
		}
		n, err := readNotifications(data)
		assert.True(t, err != nil || len(data) > 0 || !n.waiting())
	})
}
