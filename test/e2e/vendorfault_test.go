package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// fault is what a vendor's server does with its first requests in place of taking them.
type fault struct {
	name  string
	times int
	do    func(http.ResponseWriter, *http.Request)
}

var faults = []fault{
	{"fails", 3, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "out of order", http.StatusInternalServerError)
	}},
	{"limits", 2, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many", http.StatusTooManyRequests)
	}},
	{"hangs", 1, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	{"cuts", 2, func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	}},
}

// inbox is what one server has taken.
type inbox struct {
	mu      sync.Mutex
	faulty  int
	taken   []string
	refused []string
}

// missed counts a request that a fault is to meet, and says whether it is one.
func (i *inbox) missed(times int) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.faulty >= times {
		return false
	}
	i.faulty++
	return true
}

func (i *inbox) take(told string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err != nil {
		i.refused = append(i.refused, err.Error())
		return
	}
	i.taken = append(i.taken, told)
}

// has gives an error unless these messages came, each once, and nothing else.
func (i *inbox) has(want ...string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.refused) > 0 || !slices.Equal(i.taken, want) {
		return fmt.Errorf("it took %q behind %d faults, and refused %q", i.taken, i.faulty, i.refused)
	}
	return nil
}

// serve starts a vendor's server with a fault, and gives its URL.
func (v *vendor) serve(t *testing.T, f *fault) (string, *inbox) {
	box := &inbox{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && box.missed(f.times) {
			f.do(w, r)
			return
		}
		told := ""
		if err == nil {
			told, err = v.check(r, body)
		}
		if err != nil {
			http.Error(w, "no", http.StatusBadRequest)
		} else {
			w.WriteHeader(v.accepts)
			_, err = io.WriteString(w, v.answer)
		}
		box.take(told, err)
	}))
	t.Cleanup(server.Close)
	return server.URL, box
}
