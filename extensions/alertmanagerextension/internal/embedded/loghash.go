package embedded

import (
	"maps"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/common/model"
)

// LogHash is the hash by which Alertmanager's notification log knows a label set.
func LogHash(set model.LabelSet) uint64 {
	const separator = '\xff'
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(set)) {
		b = append(append(b, name...), separator)
		b = append(append(b, set[name]...), separator)
	}
	return xxhash.Sum64(b)
}
