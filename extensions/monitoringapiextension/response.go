package monitoringapiextension

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"go.uber.org/zap"
)

// response remembers whether the answer has begun.
type response struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader begins the answer.
func (w *response) WriteHeader(status int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

// Write begins the answer.
func (w *response) Write(p []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush, which remote read needs.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush serves handlers that ask for an http.Flusher.
func (w *response) Flush() {
	w.begun = true
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

func begun(w http.ResponseWriter) bool {
	r, ok := w.(*response)
	return ok && r.begun
}

// recoverPanics turns a panic of a handler into a logged 500. Once the answer has begun the connection is cut,
// so that the client does not take a part for the whole.
func (s *restServer) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &response{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) //nolint:forbidigo // It is meant for net/http.
			}
			s.logger.Error("A handler panicked", zap.String("method", r.Method), zap.String("path", r.URL.Path),
				zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			if answer.begun {
				panic(http.ErrAbortHandler) //nolint:forbidigo // The one way to cut a connection.
			}
			s.fail(answer, r, fmt.Errorf("panic: %v", p))
		}()
		next.ServeHTTP(answer, r)
	})
}
