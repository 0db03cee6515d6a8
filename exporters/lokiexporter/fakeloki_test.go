package lokiexporter

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/assert"
)

// fakeLoki takes pushes. Its handler decides about each, and keep stores lines.
type fakeLoki struct {
	*httptest.Server
	handle func(w http.ResponseWriter, r *http.Request, request *push.PushRequest)

	mu    sync.Mutex
	lines map[string]int // how many times each was stored
}

func newFakeLoki(t testing.TB) *fakeLoki {
	f := &fakeLoki{lines: map[string]int{}}
	f.handle = func(w http.ResponseWriter, _ *http.Request, request *push.PushRequest) {
		f.keep(request, func(push.Entry) bool { return true })
		w.WriteHeader(http.StatusNoContent)
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/loki/api/v1/push", r.URL.Path)
		assert.Equal(t, "application/x-protobuf", r.Header.Get("Content-Type"))
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		plain, err := snappy.Decode(nil, body)
		assert.NoError(t, err)
		var request push.PushRequest
		assert.NoError(t, request.Unmarshal(plain))
		f.handle(w, r, &request)
	}))
	t.Cleanup(f.Close)
	return f
}

// keep stores the lines that good admits, and gives the number of the others.
func (f *fakeLoki) keep(request *push.PushRequest, good func(push.Entry) bool) (bad int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range request.Streams {
		for _, e := range s.Entries {
			if good(e) {
				f.lines[e.Line]++
			} else {
				bad++
			}
		}
	}
	return bad
}

func (f *fakeLoki) stored() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	stored := map[string]int{}
	for line, n := range f.lines {
		stored[line] = n
	}
	return stored
}

// clear forgets all lines.
func (f *fakeLoki) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.lines)
}
