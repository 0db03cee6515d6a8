package lokiexporter

import (
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"
)

func bodiesOf(parcels []parcel) []string {
	var bodies []string
	for _, p := range parcels {
		for _, s := range p.streams {
			for _, l := range s.lines {
				bodies = append(bodies, l.entry.Line)
			}
		}
	}
	sort.Strings(bodies)
	return bodies
}

func bodies(ld plog.Logs) []string {
	var bodies []string
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				bodies = append(bodies, record.Body().Str())
			}
		}
	}
	sort.Strings(bodies)
	return bodies
}

// What goes in comes out: every record once, whatever the limits, the labels and the halves.
func TestEveryRecordIsInOneParcel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := createDefaultConfig().(*Config)
		cfg.Limits.PushSize = rapid.SampledFrom([]int{0, 1, 100, 500, 2000}).Draw(t, "push_size")
		cfg.Cardinality.MaxValues = rapid.IntRange(1, 3).Draw(t, "max_values")
		cfg.Tenant.From = []Source{"record.tenant", "resource.tenant"}
		ld := drawLogs(t)
		streams, _ := convertWith(cfg, ld)
		parcels := pack(streams, cfg.Limits.PushSize)

		require.Equal(t, bodies(ld), bodiesOf(parcels))
		for i := range parcels {
			p := &parcels[i]
			weight := 0
			for _, s := range p.streams {
				require.NotEmpty(t, s.lines)
				require.Equal(t, p.tenant, s.tenant)
				require.True(t, slices.IsSortedFunc(s.lines, func(a, b line) int { return a.entry.Timestamp.Compare(b.entry.Timestamp) }))
				weight += len(s.labels)
				for _, l := range s.lines {
					weight += l.weight
					requireOneValueOfAName(t, l)
				}
			}
			if limit := cfg.Limits.PushSize; limit > 0 && p.size() > 1 {
				require.LessOrEqual(t, weight, limit)
			}
			if p.size() > 1 {
				left, right := p.halves()
				require.Equal(t, bodiesOf([]parcel{*p}), bodiesOf([]parcel{left, right}))
				require.NotZero(t, left.size())
				require.NotZero(t, right.size())
			}
		}
		sent := rapid.IntRange(0, len(parcels)).Draw(t, "sent")
		left := bodies(remaining(ld, parcels[sent:]))
		all := append(bodiesOf(parcels[:sent]), left...)
		sort.Strings(all)
		require.Equal(t, bodies(ld), all)
	})
}

func requireOneValueOfAName(t *rapid.T, l line) {
	seen := map[string]bool{}
	for _, pair := range l.entry.StructuredMetadata {
		require.False(t, seen[pair.Name], pair.Name)
		require.NotEmpty(t, pair.Name)
		require.True(t, labelName.MatchString(pair.Name), pair.Name)
		seen[pair.Name] = true
	}
}

// The weight bounds what is sent: Loki measures it, and refuses more than its limits.
func TestWeightIsNoLessThanTheSizeOfAPush(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		streams, _ := convertWith(createDefaultConfig().(*Config), drawLogs(t))
		for _, s := range streams {
			for _, l := range s.lines {
				require.GreaterOrEqual(t, l.weight, l.entry.Size())
			}
		}
	})
}

func TestWhatRemainsKeepsItsPlace(t *testing.T) {
	ld, records := newLogs("shop")
	ld.ResourceLogs().At(0).SetSchemaUrl("https://example.org/resource")
	ld.ResourceLogs().At(0).ScopeLogs().At(0).SetSchemaUrl("https://example.org/scope")
	say(records, start, "a")
	say(records, start.Add(-time.Second), "b").SetTraceID([16]byte{7})
	other := ld.ResourceLogs().At(0).ScopeLogs().AppendEmpty()
	other.Scope().SetName("other")
	say(other.LogRecords(), start.Add(-2*time.Second), "c")
	parcels := pack(convertDefault(ld), 1)
	require.Len(t, parcels, 3)

	left := remaining(ld, parcels[:2]) // c and b: the oldest are first
	assert.Equal(t, 2, left.LogRecordCount())
	rl := left.ResourceLogs().At(0)
	assert.Equal(t, "https://example.org/resource", rl.SchemaUrl())
	assert.Equal(t, "https://example.org/scope", rl.ScopeLogs().At(0).SchemaUrl())
	assert.Equal(t, "b", rl.ScopeLogs().At(0).LogRecords().At(0).Body().Str())
	assert.False(t, rl.ScopeLogs().At(0).LogRecords().At(0).TraceID().IsEmpty())
	assert.Equal(t, "other", rl.ScopeLogs().At(1).Scope().Name())
	assert.Equal(t, 3, ld.LogRecordCount(), "the batch is only read")
}
