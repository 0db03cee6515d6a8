package monitoringapiextension

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/quantivista/monitoring/internal/problem"
)

// maxJSON bounds a JSON body. Decoded it takes twenty times its size, where it is made for that.
const maxJSON = 8 << 20

// checkBody reads a JSON body and checks what the schema cannot: its encoding, type, size and syntax. It leaves
// the body in place, in memory.
func checkBody(r *http.Request, want *openapi3.RequestBody) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
		return problem.Field(http.StatusUnsupportedMediaType, "Content-Encoding", "is %q, must be gzip, zstd, zlib, deflate, lz4 or absent", encoding)
	}
	if contentType := r.Header.Get("Content-Type"); want.Content.Get(contentType) == nil {
		return problem.Field(http.StatusUnsupportedMediaType, "Content-Type", "is %q, must be %s", contentType, mediaTypes(want.Content))
	}
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxJSON))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return tooLarge
	}
	if err != nil {
		return problem.Field(http.StatusBadRequest, "body", "cannot be read: %s", err)
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return problem.Field(http.StatusBadRequest, "body", "is not JSON: %s", position(data, err))
	}
	r.ContentLength = int64(len(data))
	r.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}

func mediaTypes(content openapi3.Content) string {
	names := make([]string, 0, len(content))
	for name := range content {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " or ")
}

// position puts line and column, both from 1, before a syntax error.
func position(data []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err.Error()
	}
	// The offset counts the bytes read, the one at fault included.
	before := data[:min(max(int(syntax.Offset)-1, 0), len(data))]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d, column %d: %s", line, column, syntax)
}
