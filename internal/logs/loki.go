package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxAnswer bounds what is read from Loki: 5,000 lines of 13 kB.
	maxAnswer = 64 << 20
	// maxMessage bounds what is read of an error.
	maxMessage = 4 << 10
)

// Loki asks one Loki. Safe for concurrent use.
type Loki struct {
	base string
	http *http.Client
}

var _ Reader = (*Loki)(nil)

// NewLoki makes a client of Loki's base URL. The HTTP client has the time-out, and what authenticates.
func NewLoki(base string, client *http.Client) *Loki {
	return &Loki{base: strings.TrimSuffix(base, "/"), http: client}
}

// Close drops the connections that are kept.
func (c *Loki) Close() { c.http.CloseIdleConnections() }

// get decodes the JSON of an answer.
func (c *Loki) get(ctx context.Context, path string, query url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	// Labels, structured metadata and what a query parses come apart.
	request.Header.Set("X-Loki-Response-Encoding-Flags", "categorize-labels")
	response, err := c.http.Do(request)
	if err != nil {
		return unanswered(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return refused(ctx, response)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return unanswered(ctx, err)
	}
	if len(body) > maxAnswer {
		return &RefusedError{Status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("the answer is larger than %d bytes: take a lower limit or a shorter range", maxAnswer)}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: its answer to %s cannot be read: %w", ErrUnavailable, path, err)
	}
	return nil
}

// unanswered maps the errors of a client that got no answer. It strips the URL, which may hold a password.
func unanswered(ctx context.Context, err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// refused maps Loki's errors. A 401 or 403 is about the credentials of this client, not about the request.
func refused(ctx context.Context, response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxMessage))
	if err != nil {
		return unanswered(ctx, err)
	}
	message := text(body)
	switch status := response.StatusCode; {
	case status == http.StatusGatewayTimeout:
		return fmt.Errorf("%w: %s", ErrTimeout, message)
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status < 400, status >= 500:
		return fmt.Errorf("%w: it answers HTTP status %d: %s", ErrUnavailable, status, message)
	default:
		return &RefusedError{Status: status, Message: message}
	}
}

// text of an error: Loki's own is plain, those of gateways may be JSON of the same kind as Prometheus'.
func text(body []byte) string {
	var wrapped struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &wrapped) == nil {
		if wrapped.Error != "" {
			return wrapped.Error
		}
		if wrapped.Message != "" {
			return wrapped.Message
		}
	}
	return strings.ToValidUTF8(string(bytes.TrimSpace(body)), "?")
}

// The times that Unix nanoseconds can count.
var minTime, maxTime = time.Unix(0, 0), time.Unix(0, math.MaxInt64)

// span writes the range, as Unix nanoseconds.
func span(query url.Values, start, end time.Time) {
	query.Set("start", nanoseconds(start))
	query.Set("end", nanoseconds(end))
}

func nanoseconds(t time.Time) string {
	switch {
	case t.Before(minTime):
		t = minTime
	case t.After(maxTime):
		t = maxTime
	}
	return strconv.FormatInt(t.UnixNano(), 10)
}
