package promapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/golang/snappy"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote"
)

// maxBody bounds the compressed bodies of remote read and write, maxDecoded what they decompress to. The
// library's own limits are the same, but for remote read, where it believes whatever size a body claims.
const (
	maxBody    = 32 << 20
	maxDecoded = 32 << 20
)

// writeContentType gives the message type of a remote write. The library decompresses a body before it looks at
// the type, and answers 400 to what is of another; remote write asks for 415. No type means remote write 1.0.
func writeContentType(r *http.Request) (remoteapi.WriteMessageType, error) {
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		return remoteapi.WriteV1MessageType, nil
	}
	message, err := remoteapi.ParseProtoMsg(contentType)
	if err != nil {
		return "", fmt.Errorf("Content-Type %q is not one of remote write: %w", contentType, err)
	}
	return message, nil
}

// serveWrite hands a remote write to the library, and takes the metadata of version 1.0 out of it, which the
// library does not.
func (h *handler) serveWrite(w http.ResponseWriter, r *http.Request) {
	message, err := writeContentType(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnsupportedMediaType)
		return
	}
	if message == remoteapi.WriteV1MessageType && h.metadata != nil && snappyEncoded(r) {
		decoded, err := decode(w, r)
		if errors.Is(err, errTooLarge) {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		// Whatever else is wrong, the library finds and answers for.
		for _, m := range familiesOf(decoded) {
			h.metadata.SetMetadata(m.family, m.Metadata)
		}
	}
	h.guard(w, r)
}

// guard answers 400 where the library panics, as it does on a remote write 2.0 whose references to symbols are
// wrong, and ends the batch that it then left open.
func (h *handler) guard(w http.ResponseWriter, r *http.Request) {
	open := &batch{}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if open.app != nil {
			if err := open.app.Rollback(); err != nil && h.logger != nil {
				h.logger.Debug("A batch of a malformed remote write had ended", "err", err)
			}
		}
		http.Error(w, fmt.Sprintf("malformed request: %v", p), http.StatusBadRequest)
	}()
	h.api.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), batchKey{}, open)))
}

// batch is the appender that a request has opened.
type batch struct{ app storage.Appender }

type batchKey struct{}

// batches notes the appender of each request.
type batches struct{ storage.Appendable }

func (b batches) Appender(ctx context.Context) storage.Appender {
	app := b.Appendable.Appender(ctx)
	if open, ok := ctx.Value(batchKey{}).(*batch); ok {
		open.app = app
	}
	return app
}

// serveRead refuses a body that claims to be larger than it may, and matchers that are none, for which the library
// answers 500.
func (h *handler) serveRead(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		body, err := decode(w, r)
		if errors.Is(err, errTooLarge) || errors.Is(err, errClaim) {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		if err := checkMatchers(body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	h.guard(w, r)
}

// checkMatchers of a ReadRequest. One that is malformed otherwise passes: the library finds that.
func checkMatchers(request []byte) error {
	var read prompb.ReadRequest
	if err := read.Unmarshal(request); err != nil {
		return nil //nolint:nilerr // It is the library's to tell.
	}
	for i, query := range read.Queries {
		if _, err := remote.FromLabelMatchers(query.GetMatchers()); err != nil {
			return fmt.Errorf("query %d: %w", i, err)
		}
	}
	return nil
}

func snappyEncoded(r *http.Request) bool {
	encoding := r.Header.Get("Content-Encoding")
	return r.Method == http.MethodPost && (encoding == "" || strings.EqualFold(encoding, "snappy"))
}

var (
	errTooLarge = fmt.Errorf("the body is larger than %d MiB", maxBody>>20)
	errClaim    = fmt.Errorf("the body decompresses to more than %d MiB", maxDecoded>>20)
)

// decode reads a body, leaves it to be read again, and decompresses it.
func decode(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	r.Body = io.NopCloser(bytes.NewReader(body))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, err
	}
	if size, err := snappy.DecodedLen(body); err != nil {
		return nil, err
	} else if size > maxDecoded {
		return nil, errClaim
	}
	return snappy.Decode(nil, body)
}
