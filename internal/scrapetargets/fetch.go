package scrapetargets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxAnswer bounds what is read from a receiver: some 100,000 targets.
const maxAnswer = 128 << 20

// RefusedError is a receiver's answer to a request that it finds at fault, such as a limit that is no number.
type RefusedError struct {
	Type    string // Prometheus' errorType
	Message string
}

// Error gives the receiver's message.
func (e *RefusedError) Error() string { return e.Message }

// envelope is what Prometheus wraps every answer in.
type envelope[T any] struct {
	Status    string `json:"status"`
	Data      T      `json:"data"`
	ErrorType string `json:"errorType"`
	Error     string `json:"error"`
}

// fetch gets the data of one answer.
func fetch[T any](ctx context.Context, s Source, path string, query url.Values) (data T, _ error) {
	target := strings.TrimSuffix(s.URL, "/") + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return data, err
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return data, reason(err)
	}
	defer resp.Body.Close()

	var answer envelope[T]
	decodeErr := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxAnswer)).Decode(&answer)
	switch {
	case resp.StatusCode == http.StatusBadRequest && decodeErr == nil && answer.Error != "":
		return data, &RefusedError{Type: answer.ErrorType, Message: answer.Error}
	case resp.StatusCode != http.StatusOK:
		return data, fmt.Errorf("it answers HTTP status %d to %s", resp.StatusCode, path)
	case decodeErr != nil:
		return data, fmt.Errorf("its answer to %s cannot be read: %w", path, decodeErr)
	}
	return answer.Data, nil
}

// reason strips the URL from a client's error: it may hold a password, and the caller names the receiver.
func reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
