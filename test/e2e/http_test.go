package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

// client has no deadline of its own: the binary's are under test, and go test has one.
var client = newClient()

// newClient makes a sender with connections of its own.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
}

// tryRequest gives the status and the body of an answer, or why there is none.
func tryRequest(method, target, contentType string, body []byte) (status int, answer []byte, err error) {
	resp, answer, err := tryRequestFull(client, method, target, contentType, body, nil)
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, answer, nil
}

// tryRequestFull gives the whole answer, its body read.
func tryRequestFull(sender *http.Client, method, target, contentType string, body []byte, headers map[string]string) (*http.Response, []byte, error) {
	req, err := http.NewRequest(method, target, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := sender.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp, answer, err
}

// get wants an answer.
func get(t *testing.T, target string) (status int, body string) {
	t.Helper()
	status, answer, err := tryRequest(http.MethodGet, target, "", nil)
	require.NoError(t, err)
	return status, string(answer)
}

// getJSON wants a 200 with JSON.
func getJSON(t *testing.T, target string, into any) {
	t.Helper()
	status, body := get(t, target)
	require.Equal(t, http.StatusOK, status, "%s: %s", target, body)
	require.NoError(t, json.Unmarshal([]byte(body), into), "%s: %s", target, body)
}

// postForm sends a form, as Grafana asks for queries.
func postForm(t *testing.T, target string, form url.Values) (status int, body string) {
	t.Helper()
	resp, err := client.Post(target, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(answer)
}

// problem is an error answer of the REST API.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Field  string `json:"field"`
		Detail string `json:"detail"`
	} `json:"errors"`
}

// requireProblem wants a problem of a status.
func requireProblem(t *testing.T, want int, resp *http.Response, body []byte) problem {
	t.Helper()
	require.Equal(t, want, resp.StatusCode, "%s", body)
	require.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"), "%s", body)
	var p problem
	require.NoError(t, json.Unmarshal(body, &p), "%s", body)
	require.Equal(t, want, p.Status)
	return p
}

// gunzipped gives the body of a request as its sender wrote it.
func gunzipped(r *http.Request) io.Reader {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return r.Body
	}
	body, err := gzip.NewReader(r.Body)
	if err != nil {
		return iotest.ErrReader(err)
	}
	return body
}

// unixNano is now, as Loki writes time stamps.
func unixNano() string { return strconv.FormatInt(time.Now().UnixNano(), 10) }
