// Package problem writes the errors of the HTTP API as application/problem+json (RFC 9457).
package problem

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ContentType of every answer that this package writes.
const ContentType = "application/problem+json"

// maxErrors bounds the faults that one answer names.
const maxErrors = 20

// Error is one problem: the answer, and the error that carries it to whoever writes the answer.
type Error struct {
	// Type names the kind of problem; about:blank where the status says it all.
	Type string `json:"type"`
	// Title is the text of the status.
	Title string `json:"title"`
	// Status is the HTTP status code.
	Status int `json:"status"`
	// Detail says in one sentence what happened here.
	Detail string `json:"detail,omitempty"`
	// Errors names the fields at fault.
	Errors []FieldError `json:"errors,omitempty"`
	// RetryAfter, where positive, goes into the header of that name, in full seconds.
	RetryAfter time.Duration `json:"-"`
}

// FieldError is a fault of one parameter, header or place in the body, such as metrics[3].labels.__foo.
type FieldError struct {
	Field string `json:"field"`
	// Detail says what is wrong and what would be right.
	Detail string `json:"detail"`
}

// New makes a problem without fields.
func New(status int, format string, args ...any) *Error {
	return &Error{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

// Fields makes a problem from the faults of one request; its detail names the first. It keeps 20 of them.
func Fields(status int, faults ...FieldError) *Error {
	d := New(status, "")
	switch len(faults) {
	case 0:
		return d
	case 1:
		d.Detail = faults[0].Field + ": " + faults[0].Detail
	default:
		d.Detail = fmt.Sprintf("%d faults, the first: %s: %s", len(faults), faults[0].Field, faults[0].Detail)
	}
	d.Errors = faults[:min(len(faults), maxErrors)]
	return d
}

// Field makes a problem of one field.
func Field(status int, field, format string, args ...any) *Error {
	return Fields(status, FieldError{Field: field, Detail: fmt.Sprintf(format, args...)})
}

// Error gives the detail, or the title where there is none.
func (d *Error) Error() string {
	if d.Detail == "" {
		return strings.ToLower(d.Title)
	}
	return d.Detail
}

// Write answers a request. An error means that the client is gone.
func (d *Error) Write(w http.ResponseWriter) error {
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode problem: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if d.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((d.RetryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(d.Status)
	_, err = w.Write(body)
	return err
}
