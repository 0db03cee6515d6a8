package promclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MaxAnswer bounds an answer, in bytes of JSON.
const MaxAnswer = 256 << 20

// ErrTooLarge is for an answer above MaxAnswer.
var ErrTooLarge = fmt.Errorf("the answer is larger than %d MiB", MaxAnswer>>20)

// Error is an error that the API answered.
type Error struct {
	// StatusCode of HTTP.
	StatusCode int
	// Type is Prometheus' errorType, such as bad_data, and empty where the answer is not Prometheus' JSON.
	Type string
	// Message of the API, or the beginning of an answer that is not JSON.
	Message string
}

// Error gives the message behind its type or status.
func (e *Error) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("%d %s: %s", e.StatusCode, http.StatusText(e.StatusCode), e.Message)
	}
	return e.Type + ": " + e.Message
}

// Client of one API. Safe for concurrent use.
type Client struct {
	base    *url.URL
	http    *http.Client
	timeout time.Duration
}

// New client of the API at base + "/api/v1", which gives up a request after timeout.
func New(base *url.URL, c *http.Client, timeout time.Duration) *Client {
	return &Client{base: base, http: c, timeout: timeout}
}

// Notes are what an API says beside its answer.
type Notes struct {
	Warnings []string
	Infos    []string
}

// envelope of every answer.
type envelope struct {
	Status    string          `json:"status"`
	Data      json.RawMessage `json:"data"`
	ErrorType string          `json:"errorType"`
	Error     string          `json:"error"`
	Warnings  []string        `json:"warnings"`
	Infos     []string        `json:"infos"`
}

// post sends a form, which has no limit on its length as a URL has.
func (c *Client) post(ctx context.Context, path string, form url.Values, data any) (Notes, error) {
	u := c.base.JoinPath("/api/v1", path)
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return Notes{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req, data)
}

// get is for endpoints that take no POST. The elements of the path may hold any character.
func (c *Client) get(ctx context.Context, form url.Values, data any, path ...string) (Notes, error) {
	for i, element := range path {
		path[i] = url.PathEscape(element)
	}
	u := c.base.JoinPath(append([]string{"/api/v1"}, path...)...)
	u.RawQuery = form.Encode()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return Notes{}, err
	}
	return c.do(req, data)
}

// do sends a request and decodes the data of its answer. Errors are *Error, ErrTooLarge or the transport's.
func (c *Client) do(req *http.Request, data any) (notes Notes, err error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return Notes{}, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return Notes{}, err
	}
	if len(body) > MaxAnswer {
		return Notes{}, ErrTooLarge
	}
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil || e.Status == "" {
		return Notes{}, &Error{StatusCode: resp.StatusCode, Message: beginning(body)}
	}
	if e.Status != "success" || resp.StatusCode/100 != 2 {
		return Notes{}, &Error{StatusCode: resp.StatusCode, Type: e.ErrorType, Message: e.Error}
	}
	if err := json.Unmarshal(e.Data, data); err != nil {
		return Notes{}, fmt.Errorf("decode the answer of %s: %w", req.URL.Path, err)
	}
	return Notes{Warnings: e.Warnings, Infos: e.Infos}, nil
}

// beginning of an answer that is not JSON, such as a proxy's page.
func beginning(body []byte) string {
	const most = 200
	text := strings.TrimSpace(string(body))
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "�")
}
