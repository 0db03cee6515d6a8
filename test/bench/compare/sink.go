package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // what the Collector's exporters compress by
)

// sink takes what a gateway delivers, and counts it: spans by OTLP/gRPC as Jaeger does, logs by both of Loki's ways, and
// metrics, which it does not look at.
type sink struct {
	grpcAddress, url string
	logs, spans      arrivals
	grpc             *grpc.Server
	http             *http.Server
}

// arrivals counts, and tells of each change.
type arrivals struct {
	count   atomic.Int64
	changed chan struct{}
}

func (a *arrivals) add(n int) {
	a.count.Add(int64(n))
	select {
	case a.changed <- struct{}{}:
	default: // Somebody will look anyway.
	}
}

// await waits until as many have arrived, and wants no more than that.
func (a *arrivals) await(ctx context.Context, want int64) error {
	for {
		switch got := a.count.Load(); {
		case got == want:
			return nil
		case got > want:
			return fmt.Errorf("%d arrived of %d: some came twice", got, want)
		}
		select {
		case <-a.changed:
		case <-ctx.Done():
			return fmt.Errorf("%d arrived of %d: %w", a.count.Load(), want, ctx.Err())
		}
	}
}

func newSink(ctx context.Context) (*sink, error) {
	listen := func() (net.Listener, error) { return (&net.ListenConfig{}).Listen(ctx, "tcp", "localhost:0") }
	forGRPC, err := listen()
	if err != nil {
		return nil, err
	}
	forHTTP, err := listen()
	if err != nil {
		return nil, errors.Join(err, forGRPC.Close())
	}
	s := &sink{
		grpcAddress: forGRPC.Addr().String(), url: "http://" + forHTTP.Addr().String(),
		logs: arrivals{changed: make(chan struct{}, 1)}, spans: arrivals{changed: make(chan struct{}, 1)},
		grpc: grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20)),
	}
	ptraceotlp.RegisterGRPCServer(s.grpc, &spanSink{spans: &s.spans})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /otlp/v1/logs", counting(s.otlpLogs))
	mux.HandleFunc("POST /loki/api/v1/push", counting(s.lokiPush))
	mux.HandleFunc("POST /v1/metrics", counting(func([]byte) error { return nil }))
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.grpc.Serve(forGRPC) }() // Both end by close.
	go func() { _ = s.http.Serve(forHTTP) }()
	return s, nil
}

func (s *sink) close() error {
	s.grpc.Stop()
	return s.http.Close()
}

type spanSink struct {
	ptraceotlp.UnimplementedGRPCServer
	spans *arrivals
}

func (s *spanSink) Export(_ context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.spans.add(request.Traces().SpanCount())
	return ptraceotlp.NewExportResponse(), nil
}

func (s *sink) otlpLogs(body []byte) error {
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	s.logs.add(request.Logs().LogRecordCount())
	return nil
}

func (s *sink) lokiPush(body []byte) error {
	plain, err := snappy.Decode(nil, body)
	if err != nil {
		return err
	}
	var request push.PushRequest
	if err := request.Unmarshal(plain); err != nil {
		return err
	}
	for _, stream := range request.Streams {
		s.logs.add(len(stream.Entries))
	}
	return nil
}

// counting reads a body, and answers as OTLP and Loki do when all is well: nothing was rejected.
func counting(count func(body []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(r)
		if err == nil {
			err = count(body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	plain, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}
