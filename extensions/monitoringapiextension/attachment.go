package monitoringapiextension

import (
	"fmt"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/problem"
)

// attachment is a place for the handler of an operation that a receiver serves. There is one handler at a time.
type attachment[H any] struct {
	mu      sync.RWMutex
	owner   component.ID
	handler H
	taken   bool
}

// attach gives the place to a handler, until detach is called. A second owner gets an error, which names the path.
func (a *attachment[H]) attach(path string, owner component.ID, handler H) (detach func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.taken {
		return nil, fmt.Errorf("receivers %q and %q both want %s of one monitoring_api extension: "+
			"keep one of them, or give each an extension of its own by \"api\"", a.owner, owner, path)
	}
	a.owner, a.handler, a.taken = owner, handler, true
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		var none H
		a.handler, a.taken = none, false
	}), nil
}

// attached gives the handler, or why there is none: the pipelines do not run, or none has such a receiver.
func (a *attachment[H]) attached(ready func() bool, what, receiver string) (H, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	switch {
	case a.taken:
		return a.handler, nil
	case !ready():
		d := problem.New(http.StatusServiceUnavailable, "the pipelines are not running yet, or no longer")
		d.RetryAfter = retryAfter
		return a.handler, d
	default:
		return a.handler, problem.New(http.StatusNotFound, "no pipeline takes %s: declare %q among the receivers "+
			"and list it in the \"receivers\" of a metrics pipeline", what, receiver)
	}
}
