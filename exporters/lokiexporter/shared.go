package lokiexporter

import (
	"slices"
	"strconv"

	"github.com/grafana/loki/pkg/push"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// recordFieldNames are those of recordFields: an attribute of a resource or scope never takes their place.
var recordFieldNames = []string{
	"trace_id", "span_id", "severity_number", "severity_text", "event_name", "observed_timestamp", "flags", "dropped_attributes_count",
}

// sharedMetadata is the structured metadata that the records of a scope have in common: what the resource and the scope
// have. It is put together once for as long as the records go to the same stream by the same attributes.
type sharedMetadata struct {
	resource pcommon.Resource
	scope    pcommon.InstrumentationScope

	of     *target
	picked []pick
	list   []push.LabelAdapter
}

// begin gives the beginning of a record's structured metadata, with room for as many entries as it will have.
func (s *sharedMetadata) begin(c *converter, t *target, attributes int) []push.LabelAdapter {
	if s.of != t || !slices.Equal(s.picked, c.picked) {
		s.build(c, t)
		s.of, s.picked = t, append(s.picked[:0], c.picked...)
	}
	list := make([]push.LabelAdapter, 0, len(s.list)+attributes+len(recordFieldNames))
	return append(list, s.list...)
}

func (s *sharedMetadata) build(c *converter, t *target) {
	m := structured{namer: c.namer, labels: t.labels, reserved: recordFieldNames}
	m.list = append(m.list, t.extra...)
	for key, value := range s.resource.Attributes().All() {
		if !c.isLabel(key, true) {
			m.attribute("", key, value)
		}
	}
	if name := s.scope.Name(); name != "" {
		m.add("scope_name", name)
	}
	if version := s.scope.Version(); version != "" {
		m.add("scope_version", version)
	}
	for key, value := range s.scope.Attributes().All() {
		m.attribute("", key, value)
	}
	if n := s.scope.DroppedAttributesCount(); n != 0 {
		m.add("scope_dropped_attributes_count", strconv.FormatUint(uint64(n), 10))
	}
	s.list = m.list
}
