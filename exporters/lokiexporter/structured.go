package lokiexporter

import (
	"slices"
	"strconv"
	"strings"

	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// namelessAttribute stands for a name that has no letter and no digit. Loki cannot write such a name, and answers a push
// that has one with 500.
const namelessAttribute = "unnamed"

// namer gives attributes the names that Loki's OTLP endpoint gives them, so that a query finds the lines of both ways.
// Not safe for concurrent use.
type namer struct {
	otlp  otlptranslator.LabelNamer
	known map[string]string
}

// maxKnownNames bounds what a namer remembers.
const maxKnownNames = 4096

func newNamer() *namer { return &namer{known: map[string]string{}} }

func (n *namer) name(attribute string) string {
	if name, ok := n.known[attribute]; ok {
		return name
	}
	name, err := n.otlp.Build(strings.ToValidUTF8(attribute, "_"))
	if err != nil {
		name = namelessAttribute
	}
	if len(n.known) < maxKnownNames {
		n.known[strings.Clone(attribute)] = name
	}
	return name
}

// structured is the structured metadata of a record while it is put together. Loki keeps one value of a name: where two
// attributes have the same name, the later one gets a number.
type structured struct {
	namer    *namer
	labels   []push.LabelAdapter // the stream's; their names are taken
	reserved []string            // more names that are taken
	list     []push.LabelAdapter
}

// attribute adds one, a map as an entry for each of its values, as Loki's OTLP endpoint does.
func (m *structured) attribute(prefix, key string, value pcommon.Value) {
	if prefix != "" {
		key = prefix + "_" + key
	}
	if value.Type() != pcommon.ValueTypeMap {
		m.add(m.namer.name(key), value.AsString())
		return
	}
	for k, v := range value.Map().All() {
		m.attribute(key, k, v)
	}
}

func (m *structured) add(name, value string) {
	unique := name
	for i := 2; ; i++ {
		taken, same := m.find(unique, value)
		if same {
			return
		}
		if !taken {
			m.list = append(m.list, push.LabelAdapter{Name: unique, Value: value})
			return
		}
		unique = name + "_" + strconv.Itoa(i)
	}
}

// find tells whether the name is taken, and whether by the same value.
func (m *structured) find(name, value string) (taken, same bool) {
	for i := range m.list {
		if m.list[i].Name == name {
			return true, m.list[i].Value == value
		}
	}
	for i := range m.labels {
		if m.labels[i].Name == name {
			return true, m.labels[i].Value == value
		}
	}
	return slices.Contains(m.reserved, name), false
}
