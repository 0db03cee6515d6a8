package lokiexporter

import (
	"strings"
	"testing"
	"time"

	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

func convertWith(cfg *Config, ld plog.Logs) ([]*stream, *converter) {
	c := newConverter(cfg, newGuard(cfg, zap.NewNop()), newNamer(), start)
	streams := c.convert(ld)
	return streams, c
}

func convertDefault(ld plog.Logs) []*stream {
	streams, _ := convertWith(createDefaultConfig().(*Config), ld)
	return streams
}

func pairs(list push.LabelsAdapter) map[string]string {
	m := map[string]string{}
	for _, l := range list {
		m[l.Name] = l.Value
	}
	return m
}

func TestARecordIsAStreamALineAndStructuredMetadata(t *testing.T) {
	ld, records := newLogs("shop")
	resource := ld.ResourceLogs().At(0).Resource().Attributes()
	resource.PutStr("service.namespace", "sales")
	resource.PutStr("deployment.environment.name", "prod")
	resource.PutStr("k8s.namespace.name", "shop-prod")
	resource.PutStr("k8s.pod.name", "shop-0")
	scope := ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope()
	scope.SetVersion("1.2")
	record := say(records, start, "card declined")
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Second)))
	record.SetSeverityNumber(plog.SeverityNumberError2)
	record.SetSeverityText("ERROR")
	record.SetEventName("payment")
	record.SetFlags(1)
	record.SetDroppedAttributesCount(3)
	record.SetTraceID([16]byte{1, 2})
	record.SetSpanID([8]byte{3, 4})
	record.Attributes().PutInt("http.response.status_code", 402)
	request := record.Attributes().PutEmptyMap("request")
	request.PutStr("id", "r-1")
	request.PutEmptyMap("user").PutBool("known", true)
	record.Attributes().PutEmptySlice("tags").AppendEmpty().SetStr("a")

	streams := convertDefault(ld)
	require.Len(t, streams, 1)
	assert.Equal(t, `{deployment_environment="prod", k8s_namespace_name="shop-prod", service_name="shop", service_namespace="sales", severity="error"}`,
		streams[0].labels)
	entry := streams[0].lines[0].entry
	assert.Equal(t, "card declined", entry.Line)
	assert.Equal(t, start, entry.Timestamp.UTC())
	assert.Equal(t, map[string]string{
		"k8s_pod_name": "shop-0", "scope_name": "test", "scope_version": "1.2",
		"trace_id": "01020000000000000000000000000000", "span_id": "0304000000000000",
		"severity_number": "18", "severity_text": "ERROR", "event_name": "payment", "flags": "1", "dropped_attributes_count": "3",
		"observed_timestamp": "1795539601123456789", "http_response_status_code": "402",
		"request_id": "r-1", "request_user_known": "true", "tags": `["a"]`,
	}, pairs(entry.StructuredMetadata))
}

func TestBodies(t *testing.T) {
	for name, tc := range map[string]struct {
		set  func(pcommon.Value)
		want string
	}{
		"string": {func(v pcommon.Value) { v.SetStr("as \xff it is\n") }, "as \xff it is\n"},
		"map":    {func(v pcommon.Value) { v.SetEmptyMap().PutInt("n", 1) }, `{"n":1}`},
		"slice":  {func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetBool(true) }, `[true]`},
		"number": {func(v pcommon.Value) { v.SetDouble(1.5) }, "1.5"},
		"bytes":  {func(v pcommon.Value) { v.SetEmptyBytes().Append(1, 2) }, "AQI="},
		"none":   {func(pcommon.Value) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ld, records := newLogs("shop")
			tc.set(records.AppendEmpty().Body())
			assert.Equal(t, tc.want, convertDefault(ld)[0].lines[0].entry.Line)
		})
	}
}

func TestTimesFallBack(t *testing.T) {
	ld, records := newLogs("shop")
	records.AppendEmpty().SetObservedTimestamp(pcommon.NewTimestampFromTime(start.Add(-time.Minute)))
	records.AppendEmpty()
	lines := convertDefault(ld)[0].lines
	assert.Equal(t, start.Add(-time.Minute), lines[0].entry.Timestamp.UTC())
	assert.Equal(t, start, lines[1].entry.Timestamp, "now")
}

func TestLabelsOfALokiPushStayLabels(t *testing.T) {
	ld := plog.NewLogs()
	record := say(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords(), start, "hello")
	record.Attributes().PutStr("service_name", "nginx")
	record.Attributes().PutStr("job", "web")
	record.SetSeverityText("warning")
	streams := convertDefault(ld)
	assert.Equal(t, `{service_name="nginx", severity="warn"}`, streams[0].labels)
	assert.Equal(t, map[string]string{"job": "web", "severity_text": "warning"}, pairs(streams[0].lines[0].entry.StructuredMetadata))
}

func TestNothingThatHasALabelIsUnknownService(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	ld := plog.NewLogs()
	say(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords(), start, "hello")
	for _, labels := range [][]LabelConfig{cfg.Labels, nil} {
		cfg.Labels = labels
		streams, _ := convertWith(cfg, ld)
		assert.Equal(t, `{service_name="unknown_service"}`, streams[0].labels)
	}
}

func TestNamesThatMeetAreNumbered(t *testing.T) {
	ld, records := newLogs("shop")
	resource := ld.ResourceLogs().At(0).Resource().Attributes()
	resource.PutStr("host.name", "a")
	resource.PutStr("trace_id", "of the resource")
	record := say(records, start, "x")
	record.SetTraceID([16]byte{1})
	record.Attributes().PutStr("host_name", "b")
	record.Attributes().PutStr("host-name", "c")
	record.Attributes().PutStr("host+name", "a")
	record.Attributes().PutStr("service_name", "other")
	record.Attributes().PutStr("", "nothing")
	record.Attributes().PutStr("__", "less")
	assert.Equal(t, map[string]string{
		"host_name": "a", "host_name_2": "b", "host_name_3": "c", "service_name_2": "other", "scope_name": "test",
		"trace_id": "01000000000000000000000000000000", "trace_id_2": "of the resource", "unnamed": "nothing", "unnamed_2": "less",
	}, pairs(convertDefault(ld)[0].lines[0].entry.StructuredMetadata))
}

func TestALabelOfTooManyValuesIsStructuredMetadata(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Labels = []LabelConfig{{Name: "service_name", From: []Source{"resource.service.name"}}, {Name: "id", From: []Source{"record.id"}}}
	cfg.Cardinality.MaxValues = 2
	ld, records := newLogs("shop")
	for _, id := range []string{"1", "2", "1", "3", "1", strings.Repeat("4", 3000)} {
		say(records, start, "x").Attributes().PutStr("id", id)
	}
	streams, c := convertWith(cfg, ld)
	require.Len(t, streams, 3)
	assert.Equal(t, `{id="1", service_name="shop"}`, streams[0].labels)
	assert.Len(t, streams[0].lines, 3, "known values of the same batch keep their stream")
	assert.Equal(t, `{service_name="shop"}`, streams[2].labels)
	assert.Equal(t, "3", pairs(streams[2].lines[0].entry.StructuredMetadata)["id"])
	assert.Equal(t, map[string]int64{"id": 2}, c.demoted)
}

func TestTenantsAreKeptApart(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Tenant = TenantConfig{From: []Source{"record.tenant"}, Default: "z"}
	ld, records := newLogs("shop")
	for _, tenant := range []string{"b", "a", "", "b"} {
		say(records, start, "x").Attributes().PutStr("tenant", tenant)
	}
	streams, _ := convertWith(cfg, ld)
	parcels := pack(streams, 0)
	require.Len(t, parcels, 3)
	assert.Equal(t, "a", parcels[0].tenant)
	assert.Equal(t, "b", parcels[1].tenant)
	assert.Equal(t, 2, parcels[1].size())
	assert.Equal(t, "z", parcels[2].tenant)
}

func TestWhatIsTooLongIsCut(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Limits = LimitsConfig{LineSize: 6, StructuredMetadataSize: 100, StructuredMetadataEntries: 4}
	ld, records := newLogs("shop")
	record := say(records, start, "12345ä7")
	record.Attributes().PutStr("stack", strings.Repeat("s", 500))
	record.Attributes().PutStr("short", "1")
	record.Attributes().PutStr("beyond", "2")
	streams, c := convertWith(cfg, ld)
	entry := streams[0].lines[0].entry
	assert.Equal(t, "12345", entry.Line, "no part of a rune")
	assert.LessOrEqual(t, metadataSize(entry.StructuredMetadata), 100)
	got := pairs(entry.StructuredMetadata)
	assert.Len(t, got, 4)
	assert.Equal(t, "test", got["scope_name"])
	assert.Equal(t, "1", got["short"])
	assert.NotEmpty(t, got["stack"])
	assert.Equal(t, int64(1), c.fit.lines)
	assert.Equal(t, int64(1), c.fit.metadatas)
}

func TestSeverities(t *testing.T) {
	for number, want := range map[plog.SeverityNumber]string{0: "", 1: "trace", 4: "trace", 5: "debug", 9: "info", 12: "info", 13: "warn", 17: "error", 21: "fatal", 24: "fatal", 25: "", -1: ""} {
		assert.Equal(t, want, severityOfNumber(number), number)
	}
	for text, want := range map[string]string{"WARNING": "warn", "err": "error", "Notice": "info", "emerg": "fatal", "FINE": "debug", "odd": "", "TRACE": "trace"} {
		assert.Equal(t, want, severityOfText(text), text)
	}
}
