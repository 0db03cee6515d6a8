package otlpload

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"golang.org/x/sync/errgroup"
)

// Send posts all lanes at once to an OTLP/HTTP endpoint, such as http://localhost:4318/v1/metrics, and gives how
// many items it accepted. A request that is refused for now (429, 502, 503, 504) is sent again, as OTLP
// asks; any other refusal is an error.
func Send(ctx context.Context, url string, lanes Lanes) (int64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(lanes)}}
	defer client.CloseIdleConnections()
	var accepted atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for _, lane := range lanes {
		group.Go(func() error {
			for _, request := range lane {
				rejected, err := post(ctx, client, url, request.Body)
				if err != nil {
					return err
				}
				accepted.Add(int64(request.Items) - rejected)
			}
			return nil
		})
	}
	err := group.Wait()
	return accepted.Load(), err
}

// post sends until the request is taken, and gives how many of its items were rejected.
func post(ctx context.Context, client *http.Client, url string, body []byte) (rejected int64, err error) {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Content-Type", "application/x-protobuf")
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return 0, err
		}
		switch resp.StatusCode {
		case http.StatusOK, http.StatusNoContent:
			return rejectedItems(answer)
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			if err := wait(ctx, resp.Header.Get("Retry-After")); err != nil {
				return 0, err
			}
		default:
			return 0, fmt.Errorf("%s: %s: %s", url, resp.Status, answer)
		}
	}
}

// rejectedItems reads the answer of any signal: those of logs and traces have the same fields under other names.
func rejectedItems(answer []byte) (int64, error) {
	response := pmetricotlp.NewExportResponse()
	if err := response.UnmarshalProto(answer); err != nil {
		return 0, err
	}
	return response.PartialSuccess().RejectedDataPoints(), nil
}

// wait as long as Retry-After says, or for a tenth of a second.
func wait(ctx context.Context, retryAfter string) error {
	delay := 100 * time.Millisecond
	if seconds, err := strconv.Atoi(retryAfter); err == nil {
		delay = time.Duration(seconds) * time.Second
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
