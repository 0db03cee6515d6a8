package promapi

import (
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/prompb"
	"google.golang.org/protobuf/encoding/protowire"
)

// familyMetadata is what a remote write 1.0 tells of one family.
type familyMetadata struct {
	family string
	metadata.Metadata
}

// metadataField is the number of prometheus.WriteRequest.metadata.
const metadataField = 3

// familiesOf takes the metadata out of a WriteRequest, and passes over the samples unread. It ends where the
// request is malformed; the library will say so.
func familiesOf(request []byte) []familyMetadata {
	var families []familyMetadata
	for len(request) > 0 {
		number, typ, n := protowire.ConsumeTag(request)
		if n < 0 {
			return families
		}
		request = request[n:]
		if number != metadataField || typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, typ, request); n < 0 {
				return families
			}
			request = request[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(request)
		if n < 0 {
			return families
		}
		request = request[n:]
		var m prompb.MetricMetadata
		if err := m.Unmarshal(value); err != nil {
			return families
		}
		if m.MetricFamilyName == "" {
			continue
		}
		families = append(families, familyMetadata{
			family: m.MetricFamilyName,
			Metadata: metadata.Metadata{
				Type: model.MetricType(strings.ToLower(m.Type.String())),
				Unit: m.Unit,
				Help: m.Help,
			},
		})
	}
	return families
}
