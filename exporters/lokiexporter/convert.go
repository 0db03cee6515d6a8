package lokiexporter

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/grafana/loki/pkg/push"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// converter makes streams of a batch. It is used for one batch.
type converter struct {
	cfg    *Config
	guard  *guard
	now    time.Time
	fit    fitter
	labels []*picker
	tenant *picker
	namer  *namer

	byValues map[string]*target
	byLabels map[string]*stream
	streams  []*stream

	demoted map[string]int64 // records, by label

	key    []byte
	values []string
	picked []pick
	last   *target
}

// target is where the records go that have the same values of all labels.
type target struct {
	values []string // of the labels and the tenant
	stream *stream
	labels []push.LabelAdapter
	extra  []push.LabelAdapter // labels that the guard turned into structured metadata
}

func newConverter(cfg *Config, g *guard, names *namer, now time.Time) *converter {
	c := &converter{
		cfg: cfg, guard: g, now: now, fit: fitter{limits: cfg.Limits}, namer: names,
		byValues: map[string]*target{}, byLabels: map[string]*stream{}, demoted: map[string]int64{},
		tenant: newPicker(cfg.Tenant.From, cfg.Tenant.Default),
	}
	for _, l := range cfg.Labels {
		c.labels = append(c.labels, newPicker(l.From, l.Default))
	}
	c.values = make([]string, len(c.labels)+1)
	c.picked = make([]pick, len(c.labels))
	return c
}

// convert gives the streams of the batch, each record in one of them, sorted.
func (c *converter) convert(ld plog.Logs) []*stream {
	for i, rl := range ld.ResourceLogs().All() {
		c.enter(rl.Resource())
		for j, sl := range rl.ScopeLogs().All() {
			shared := sharedMetadata{resource: rl.Resource(), scope: sl.Scope()}
			for k, record := range sl.LogRecords().All() {
				c.add(record, position{i, j, k}, &shared)
			}
		}
	}
	sortStreams(c.streams)
	return c.streams
}

func (c *converter) enter(resource pcommon.Resource) {
	for _, p := range c.labels {
		p.enter(resource)
	}
	c.tenant.enter(resource)
	c.last = nil
}

func (c *converter) add(record plog.LogRecord, from position, shared *sharedMetadata) {
	t := c.target(record)
	m := structured{namer: c.namer, labels: t.labels}
	m.list = shared.begin(c, t, record.Attributes().Len())
	recordFields(&m, record)
	c.recordAttributes(&m, record)
	text := c.fit.line(&m, record.Body().AsString())
	m.list = c.fit.metadata(m.list)
	entry := push.Entry{Timestamp: c.timestamp(record), Line: text, StructuredMetadata: m.list}
	t.stream.lines = append(t.stream.lines, line{entry: entry, from: from, weight: weigh(&entry)})
	for i := range t.extra {
		c.demoted[t.extra[i].Name]++
	}
}

// target finds or makes the stream of a record.
func (c *converter) target(record plog.LogRecord) *target {
	same := c.last != nil
	for i, p := range c.labels {
		c.values[i], c.picked[i] = p.value(record)
		same = same && c.values[i] == c.last.values[i]
	}
	tenant := len(c.labels)
	c.values[tenant], _ = c.tenant.value(record)
	if same && c.values[tenant] == c.last.values[tenant] {
		return c.last
	}
	c.key = c.key[:0]
	for _, v := range c.values {
		c.key = strconv.AppendInt(c.key, int64(len(v)), 10)
		c.key = append(c.key, ':')
		c.key = append(c.key, v...)
	}
	t, ok := c.byValues[string(c.key)]
	if !ok {
		t = c.newTarget()
		c.byValues[string(c.key)] = t
	}
	c.last = t
	return t
}

func (c *converter) newTarget() *target {
	t := &target{values: append([]string(nil), c.values...)}
	for i, l := range c.cfg.Labels {
		if c.values[i] == "" {
			continue
		}
		pair := push.LabelAdapter{Name: l.Name, Value: valid(c.values[i])}
		if c.guard.admit(i, pair.Value, c.now) {
			t.labels = append(t.labels, pair)
		} else {
			t.extra = append(t.extra, pair)
		}
	}
	if len(t.labels) == 0 { // Loki takes no stream without labels
		t.labels = append(t.labels, push.LabelAdapter{Name: "service_name", Value: unknownService})
	}
	labels, tenant := formatLabels(t.labels), c.values[len(c.labels)]
	id := tenant + "\x00" + labels
	if t.stream = c.byLabels[id]; t.stream == nil {
		t.stream = &stream{tenant: tenant, labels: labels}
		c.byLabels[id] = t.stream
		c.streams = append(c.streams, t.stream)
	}
	return t
}

// timestamp is when it happened; else when it was seen; else now.
func (c *converter) timestamp(record plog.LogRecord) time.Time {
	switch {
	case record.Timestamp() != 0:
		return record.Timestamp().AsTime()
	case record.ObservedTimestamp() != 0:
		return record.ObservedTimestamp().AsTime()
	default:
		return c.now
	}
}

// recordAttributes leaves out those that became labels.
func (c *converter) recordAttributes(m *structured, record plog.LogRecord) {
	for key, value := range record.Attributes().All() {
		if !c.isLabel(key, false) {
			m.attribute("", key, value)
		}
	}
}

// isLabel tells whether a label was taken from the attribute, of the resource or of the record at hand.
func (c *converter) isLabel(attribute string, resource bool) bool {
	for _, p := range c.picked {
		if p.attribute == attribute && p.resource == resource && attribute != "" {
			return true
		}
	}
	return false
}

// recordFields adds what a record has beside its attributes, under the names of Loki's OTLP endpoint.
func recordFields(m *structured, record plog.LogRecord) {
	if id := record.TraceID(); !id.IsEmpty() {
		m.add("trace_id", hex.EncodeToString(id[:]))
	}
	if id := record.SpanID(); !id.IsEmpty() {
		m.add("span_id", hex.EncodeToString(id[:]))
	}
	if n := record.SeverityNumber(); n != plog.SeverityNumberUnspecified {
		m.add("severity_number", strconv.Itoa(int(n)))
	}
	if text := record.SeverityText(); text != "" {
		m.add("severity_text", text)
	}
	if name := record.EventName(); name != "" {
		m.add("event_name", name)
	}
	if record.Timestamp() != 0 && record.ObservedTimestamp() != 0 {
		m.add("observed_timestamp", strconv.FormatUint(uint64(record.ObservedTimestamp()), 10))
	}
	if flags := record.Flags(); flags != 0 {
		m.add("flags", strconv.FormatUint(uint64(flags), 10))
	}
	if n := record.DroppedAttributesCount(); n != 0 {
		m.add("dropped_attributes_count", strconv.FormatUint(uint64(n), 10))
	}
}
