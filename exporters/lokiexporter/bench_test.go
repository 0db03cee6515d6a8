package lokiexporter

import (
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

// tenServices gives n records of ten services, as an SDK's appender makes them.
func tenServices(n int) plog.Logs {
	all := plog.NewLogs()
	for i := range 10 {
		ld, records := newLogs(fmt.Sprintf("service-%d", i))
		resource := ld.ResourceLogs().At(0).Resource().Attributes()
		for _, key := range []string{"k8s.pod.name", "k8s.namespace.name", "host.name", "service.version", "telemetry.sdk.name"} {
			resource.PutStr(key, key+fmt.Sprint(i))
		}
		for j := range n / 10 {
			record := say(records, start.Add(time.Duration(j)), fmt.Sprintf("GET /cart/%d took %dms for user %x", j, j%97, j*2654435761))
			record.SetSeverityNumber(plog.SeverityNumberInfo)
			record.SetTraceID([16]byte{byte(j), byte(j >> 8), 1})
			record.SetSpanID([8]byte{byte(j), 1})
			record.Attributes().PutInt("http.response.status_code", 200)
			record.Attributes().PutStr("code.function.name", "handle")
		}
		ld.ResourceLogs().MoveAndAppendTo(all.ResourceLogs())
	}
	return all
}

func BenchmarkConvertAndEncode(b *testing.B) {
	cfg := createDefaultConfig().(*Config)
	ld := tenServices(8000)
	g, names, p := newGuard(cfg, zap.NewNop()), newNamer(), &pusher{}
	bytes := 0
	b.ReportAllocs()
	for b.Loop() {
		bytes = 0
		for _, parcel := range pack(newConverter(cfg, g, names, start).convert(ld), cfg.Limits.PushSize) {
			body, err := p.encode(&parcel)
			if err != nil {
				b.Fatal(err)
			}
			bytes += len(body)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*ld.LogRecordCount()), "ns/line")
	b.ReportMetric(float64(bytes)/float64(ld.LogRecordCount()), "bytes/line")
}

func BenchmarkConsume(b *testing.B) {
	loki := newFakeLoki(b)
	e := startExporter(b, unqueued(loki.URL))
	ld := tenServices(8000)
	b.ReportAllocs()
	for b.Loop() {
		if err := e.ConsumeLogs(b.Context(), ld); err != nil {
			b.Fatal(err)
		}
	}
}
