package otlpload

import (
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// services are what logs and spans are of.
const services = 10

// Logs gives so many records as an SDK's appender makes them, in requests of one service each, spread over so many lanes.
func Logs(records, inRequest, lanes int, now time.Time) (Lanes, error) {
	built := make(Lanes, lanes)
	for first := 0; first < records; first += inRequest {
		number, n := first/inRequest, min(inRequest, records-first)
		body, err := plogotlp.NewExportRequestFromLogs(logsOf(number%services, first, n, now)).MarshalProto()
		if err != nil {
			return nil, err
		}
		built[number%lanes] = append(built[number%lanes], Request{Body: body, Items: n})
	}
	return built, nil
}

func logsOf(service, first, n int, now time.Time) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	serviceAttributes(rl.Resource().Attributes(), service)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("com.example.Cart")
	sl.LogRecords().EnsureCapacity(n)
	for i := first; i < first+n; i++ {
		record := sl.LogRecords().AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(now.Add(time.Duration(i) * time.Microsecond)))
		record.SetObservedTimestamp(record.Timestamp())
		record.SetSeverityNumber(plog.SeverityNumberInfo)
		record.SetSeverityText("INFO")
		hash := scatter(i)
		record.Body().SetStr(fmt.Sprintf("GET /cart/%d answered 200 in %d ms for user %x", i, i%97, hash))
		record.SetTraceID(traceID(hash))
		record.SetSpanID(spanID(hash, 0))
		record.Attributes().PutInt("http.response.status_code", 200)
		record.Attributes().PutStr("thread.name", thread(i))
	}
	return ld
}

// serviceAttributes are what an SDK and an agent tell of a service's process.
func serviceAttributes(to pcommon.Map, service int) {
	name := serviceName(service)
	to.EnsureCapacity(8)
	to.PutStr("service.name", name)
	to.PutStr("service.namespace", "bench")
	to.PutStr("deployment.environment.name", "prod")
	to.PutStr("k8s.namespace.name", "bench")
	to.PutStr("k8s.pod.name", name+"-5d4f8c7b9d-x2x7q")
	to.PutStr("host.name", "node-7")
	to.PutStr("service.version", "1.4.2")
	to.PutStr("telemetry.sdk.language", "java")
}

func serviceName(service int) string { return "service-" + strconv.Itoa(service) }

func thread(i int) string { return "http-nio-8080-exec-" + strconv.Itoa(i%20) }
