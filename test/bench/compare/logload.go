package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// logRequests makes OTLP requests of one service each, of ten, with records as an SDK's appender makes them.
func logRequests(lines, inRequest int, now time.Time) ([][]byte, error) {
	var requests [][]byte
	for first := 0; first < lines; first += inRequest {
		body, err := plogotlp.NewExportRequestFromLogs(logsOf(len(requests)%10, first, inRequest, now)).MarshalProto()
		if err != nil {
			return nil, err
		}
		requests = append(requests, body)
	}
	return requests, nil
}

func logsOf(service, first, n int, now time.Time) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	name := "service-" + strconv.Itoa(service)
	for key, value := range map[string]string{
		"service.name": name, "service.namespace": "bench", "deployment.environment.name": "prod", "k8s.namespace.name": "bench",
		"k8s.pod.name": name + "-5d4f8c7b9d-x2x7q", "host.name": "node-7", "service.version": "1.4.2", "telemetry.sdk.language": "java",
	} {
		rl.Resource().Attributes().PutStr(key, value)
	}
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("com.example.Cart")
	for i := first; i < first+n; i++ {
		record := sl.LogRecords().AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(now.Add(time.Duration(i) * time.Microsecond)))
		record.SetObservedTimestamp(record.Timestamp())
		record.SetSeverityNumber(plog.SeverityNumberInfo)
		record.SetSeverityText("INFO")
		hash := uint64(i) * 0x9E3779B97F4A7C15
		record.Body().SetStr(fmt.Sprintf("GET /cart/%d answered 200 in %d ms for user %x", i, i%97, hash))
		record.SetTraceID(pcommon.TraceID{1, byte(hash), byte(hash >> 8), byte(hash >> 16), byte(hash >> 24), byte(hash >> 32), 6, 7, 8, 9, 10, 11, 12, 13, byte(hash >> 40), 15})
		record.SetSpanID(pcommon.SpanID{1, byte(hash >> 16), byte(hash >> 24), byte(hash >> 32), byte(i)})
		record.Attributes().PutInt("http.response.status_code", 200)
		record.Attributes().PutStr("thread.name", "http-nio-8080-exec-"+strconv.Itoa(i%20))
	}
	return ld
}

// sendLogs sends one request after the other.
func sendLogs(ctx context.Context, target string, requests [][]byte) error {
	for _, body := range requests {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/x-protobuf")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %d: %s", target, response.StatusCode, answer)
		}
	}
	return nil
}

// awaitSent waits until the collector has sent as many lines, and wants none to fail.
func awaitSent(ctx context.Context, telemetry string, lines float64) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		sent, failed, err := sentLogs(ctx, telemetry)
		switch {
		case err != nil:
			return err
		case failed > 0:
			return fmt.Errorf("%v lines failed", failed)
		case sent >= lines:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func sentLogs(ctx context.Context, telemetry string) (sent, failed float64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, telemetry, http.NoBody)
	if err != nil {
		return 0, 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		for prefix, into := range map[string]*float64{
			"otelcol_exporter_sent_log_records{": &sent, "otelcol_exporter_send_failed_log_records{": &failed,
			"otelcol_exporter_loki_refused_log_records{": &failed,
		} {
			if strings.HasPrefix(lines.Text(), prefix) {
				value, err := strconv.ParseFloat(lines.Text()[strings.LastIndexByte(lines.Text(), ' ')+1:], 64)
				if err != nil {
					return 0, 0, err
				}
				*into += value
			}
		}
	}
	return sent, failed, lines.Err()
}

// counted passes requests on, and counts the bytes of their bodies.
type counted struct {
	server *http.Server
	url    string
	bytes  atomic.Int64
}

func newCounted(ctx context.Context, to string) (*counted, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	c := &counted{url: "http://" + listener.Addr().String()}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		c.bytes.Add(r.In.ContentLength)
	}}
	c.server = &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	go func() { _ = c.server.Serve(listener) }() // It ends by Close.
	return c, nil
}
