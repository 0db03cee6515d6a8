package otlpreceiver

import (
	"fmt"
	"mime"
	"net/http"
)

const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

func (r *otlpReceiver) httpHandler() http.Handler {
	cfg := r.cfg.HTTP.Get()
	mux := http.NewServeMux()
	if r.traces != nil {
		mux.Handle(string(cfg.TracesURLPath), newHandler(r, r.traceSignal(r.overHTTP), traceFormat()))
	}
	if r.metrics != nil {
		mux.Handle(string(cfg.MetricsURLPath), newHandler(r, r.metricSignal(r.overHTTP), metricFormat()))
	}
	if r.logs != nil {
		mux.Handle(string(cfg.LogsURLPath), newHandler(r, r.logSignal(r.overHTTP), logFormat()))
	}
	if r.profiles != nil {
		mux.Handle(profilesURLPath, newHandler(r, r.profileSignal(r.overHTTP), profileFormat()))
	}
	return mux
}

// httpHandler answers for one signal, as https://opentelemetry.io/docs/specs/otlp/#otlphttp says.
type httpHandler[T any] struct {
	workspaces *workspaces
	signal     *signal[T]
	format     format[T]
}

func newHandler[T any](r *otlpReceiver, s *signal[T], f format[T]) http.Handler {
	return &httpHandler[T]{&r.workspaces, s, f}
}

func (h *httpHandler[T]) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		code := http.StatusMethodNotAllowed
		write(w, "text/plain", code, fmt.Appendf(nil, "%d method not allowed, supported: [POST]", code))
		return
	}
	mediaType := mediaTypeOf(req)
	if mediaType == "" {
		code := http.StatusUnsupportedMediaType
		write(w, "text/plain", code, fmt.Appendf(nil, "%d unsupported media type, supported: [%s, %s]", code, jsonType, protobufType))
		return
	}
	data, err := h.read(req, mediaType)
	if err != nil {
		writeError(w, mediaType, http.StatusBadRequest, err)
		return
	}
	if err := h.signal.export(req.Context(), data); err != nil {
		writeError(w, mediaType, http.StatusInternalServerError, err)
		return
	}
	taken := h.format.takenProto
	if mediaType == jsonType {
		taken = h.format.takenJSON
	}
	answer, err := taken()
	if err != nil {
		writeError(w, mediaType, http.StatusInternalServerError, err)
		return
	}
	write(w, mediaType, http.StatusOK, answer)
}

// read reads and decodes the body. No memory is set aside by an announced length: a sender could hold it and send nothing.
func (h *httpHandler[T]) read(req *http.Request, mediaType string) (data T, err error) {
	ws := h.workspaces.get()
	defer h.workspaces.put(ws)
	if _, err := ws.body.ReadFrom(req.Body); err != nil {
		return data, err
	}
	if mediaType == jsonType {
		return h.format.decodeJSON(ws.body.Bytes())
	}
	return h.format.decodeProto(ws, ws.body.Bytes())
}

// mediaTypeOf returns one of the two that OTLP has, or nothing.
func mediaTypeOf(req *http.Request) string {
	mediaType, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || mediaType != protobufType && mediaType != jsonType {
		return ""
	}
	return mediaType
}

func write(w http.ResponseWriter, contentType string, code int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client has gone, which it knows
}
