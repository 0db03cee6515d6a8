package otlpreceiver

import (
	"bytes"
	"sync"

	"github.com/quantivista/monitoring/receivers/otlpreceiver/internal/decode"
)

// keptBody is the largest body whose memory is kept for the next one.
const keptBody = 1 << 20

// workspace is what is needed to read a request, and can be used again.
type workspace struct {
	body    bytes.Buffer
	metrics decode.Metrics
}

// workspaces has those at rest. The garbage collector takes them when there is no work.
type workspaces struct{ pool sync.Pool }

func (w *workspaces) get() *workspace {
	if ws, ok := w.pool.Get().(*workspace); ok {
		return ws
	}
	return &workspace{}
}

func (w *workspaces) put(ws *workspace) {
	ws.body.Reset()
	if ws.body.Cap() > keptBody {
		ws.body = bytes.Buffer{}
	}
	w.pool.Put(ws)
}
