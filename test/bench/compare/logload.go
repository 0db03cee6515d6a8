package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

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
