package problem

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWrite(t *testing.T) {
	tests := map[string]struct {
		problem    *Error
		body       string
		retryAfter string
	}{
		"without fields": {
			problem: New(http.StatusServiceUnavailable, "the %s is closed", "store"),
			body:    `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"the store is closed"}`,
		},
		"one field": {
			problem: Field(http.StatusBadRequest, "step", "must be positive, is %d", -1),
			body: `{"type":"about:blank","title":"Bad Request","status":400,"detail":"step: must be positive, is -1",
				"errors":[{"field":"step","detail":"must be positive, is -1"}]}`,
		},
		"no faults": {
			problem: Fields(http.StatusBadRequest),
			body:    `{"type":"about:blank","title":"Bad Request","status":400}`,
		},
		"retry after rounds up": {
			problem:    &Error{Type: "about:blank", Title: "t", Status: 503, RetryAfter: 1500 * time.Millisecond},
			body:       `{"type":"about:blank","title":"t","status":503}`,
			retryAfter: "2",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			require.NoError(t, tt.problem.Write(rec))
			assert.Equal(t, tt.problem.Status, rec.Code)
			assert.Equal(t, ContentType, rec.Header().Get("Content-Type"))
			assert.Equal(t, tt.retryAfter, rec.Header().Get("Retry-After"))
			assert.JSONEq(t, tt.body, rec.Body.String())
		})
	}
}

func TestFieldsKeepsTheFirstTwenty(t *testing.T) {
	faults := make([]FieldError, 25)
	for i := range faults {
		faults[i] = FieldError{Field: "f", Detail: "d"}
	}
	d := Fields(http.StatusBadRequest, faults...)
	assert.Len(t, d.Errors, 20)
	assert.Equal(t, "25 faults, the first: f: d", d.Error())
}

func TestErrorFallsBackToTheTitle(t *testing.T) {
	assert.Equal(t, "not found", New(http.StatusNotFound, "").Error())
}
