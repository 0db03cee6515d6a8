package metricstoreextension

import (
	"strconv"
	"strings"
	"testing"

	prommetadata "github.com/prometheus/prometheus/model/metadata"
	"github.com/stretchr/testify/assert"
)

func TestFamilyMetadataIsBounded(t *testing.T) {
	f := newFamilyMetadata()
	f.SetMetadata("a", prommetadata.Metadata{Help: "old"})
	f.SetMetadata("a", prommetadata.Metadata{Help: "a new help", Unit: "s"})
	assert.Equal(t, 1, f.LengthMetadata())
	assert.Equal(t, len("a"+"a new help"+"s"), f.SizeMetadata())

	f.SetMetadata("large", prommetadata.Metadata{Help: strings.Repeat("x", maxMetadataBytes)})
	_, known := f.GetMetadata("large")
	assert.False(t, known)

	for i := range maxFamilies {
		f.SetMetadata("family_"+strconv.Itoa(i), prommetadata.Metadata{})
	}
	assert.Equal(t, maxFamilies, f.LengthMetadata())
	assert.Len(t, f.ListMetadata(), maxFamilies)
	f.SetMetadata("a", prommetadata.Metadata{Help: "known families still change"})
	m, _ := f.GetMetadata("a")
	assert.Equal(t, "known families still change", m.Help)
}
