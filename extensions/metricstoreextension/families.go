package metricstoreextension

import (
	"strings"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/scrape"
)

// These bound the memory that metadata may take, whatever a remote write sender tells.
const (
	maxFamilies      = 100_000
	maxMetadataBytes = 64 << 20
)

// familyMetadata remembers type, unit and help by metric family. Prometheus keeps them with its scrape targets;
// here samples come from elsewhere too, so that they are kept beside the store. It is not written to disk:
// every writer tells it again after a restart.
type familyMetadata struct {
	mu       sync.RWMutex
	families map[string]metadata.Metadata
	size     int // of all names, types, units and helps, in bytes
}

var _ scrape.MetricMetadataStore = (*familyMetadata)(nil)

// SetMetadata records a family.
func (s *embeddedStore) SetMetadata(family string, m metadata.Metadata) {
	s.families.SetMetadata(family, m)
}

func newFamilyMetadata() *familyMetadata {
	return &familyMetadata{families: map[string]metadata.Metadata{}}
}

// SetMetadata records a family where the bounds allow it.
func (f *familyMetadata) SetMetadata(family string, m metadata.Metadata) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, known := f.families[family]
	size := f.size + sizeOf(family, m)
	if known {
		size -= sizeOf(family, old)
	}
	if size > maxMetadataBytes || !known && len(f.families) >= maxFamilies {
		return
	}
	f.families[family], f.size = m, size
}

func sizeOf(family string, m metadata.Metadata) int {
	return len(family) + len(m.Type) + len(m.Unit) + len(m.Help)
}

// ListMetadata gives every family.
func (f *familyMetadata) ListMetadata() []scrape.MetricMetadata {
	f.mu.RLock()
	defer f.mu.RUnlock()
	list := make([]scrape.MetricMetadata, 0, len(f.families))
	for family, m := range f.families {
		list = append(list, toScrapeMetadata(family, m))
	}
	return list
}

// GetMetadata gives one family.
func (f *familyMetadata) GetMetadata(family string) (scrape.MetricMetadata, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	m, ok := f.families[family]
	return toScrapeMetadata(family, m), ok
}

// SizeMetadata gives the bytes of all names, units and helps.
func (f *familyMetadata) SizeMetadata() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.size
}

// LengthMetadata gives the number of families.
func (f *familyMetadata) LengthMetadata() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.families)
}

// familyOf gives the family of a series: a histogram's and a summary's have names with a suffix.
func familyOf(series string, t model.MetricType) string {
	suffixes := []string{}
	switch t {
	case model.MetricTypeHistogram, model.MetricTypeGaugeHistogram:
		suffixes = []string{"_bucket", "_sum", "_count"}
	case model.MetricTypeSummary:
		suffixes = []string{"_sum", "_count"}
	}
	for _, suffix := range suffixes {
		if family, ok := strings.CutSuffix(series, suffix); ok {
			return family
		}
	}
	return series
}

func toScrapeMetadata(family string, m metadata.Metadata) scrape.MetricMetadata {
	return scrape.MetricMetadata{MetricFamily: family, Type: m.Type, Help: m.Help, Unit: m.Unit}
}
