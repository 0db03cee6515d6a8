package scrapetargets

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/promql/parser"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// Handler serves Prometheus' /api/v1/targets, /api/v1/targets/metadata and /api/v1/scrape_pools. Receivers that
// do not answer are warnings of the answer; 503 if none does.
func (r *Reader) Handler(logger *slog.Logger) http.Handler {
	h := &handler{reader: r, logger: logger}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/targets", h.targets)
	mux.HandleFunc("GET /api/v1/targets/metadata", h.metadata)
	mux.HandleFunc("GET /api/v1/scrape_pools", h.scrapePools)
	return mux
}

type handler struct {
	reader *Reader
	logger *slog.Logger
}

func (h *handler) targets(w http.ResponseWriter, r *http.Request) {
	found, missing, err := h.reader.Targets(r.Context(), r.URL.Query())
	h.answer(w, &found, missing, err)
}

// metadata passes the entries on as they come. The limit holds for each receiver, and again for all.
func (h *handler) metadata(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit := -1
	if s := query.Get("limit"); s != "" {
		var err error
		if limit, err = strconv.Atoi(s); err != nil {
			h.answer(w, nil, nil, &RefusedError{Type: "bad_data", Message: "limit must be a number"})
			return
		}
	}
	if s := query.Get("match_target"); s != "" {
		if _, err := parser.ParseMetricSelector(s); err != nil {
			h.answer(w, nil, nil, &RefusedError{Type: "bad_data", Message: `invalid parameter "match_target": ` + err.Error()})
			return
		}
	}
	answers, missing, err := ask[[]json.RawMessage](r.Context(), h.reader.sources, "/api/v1/targets/metadata", query)
	entries := append([]json.RawMessage{}, slices.Concat(answers...)...)
	if limit >= 0 && len(entries) > limit {
		entries = entries[:limit]
	}
	h.answer(w, entries, missing, err)
}

func (h *handler) scrapePools(w http.ResponseWriter, r *http.Request) {
	answers, missing, err := ask[apiv1.ScrapePoolsDiscovery](r.Context(), h.reader.sources, "/api/v1/scrape_pools", nil)
	pools := []string{}
	for _, a := range answers {
		pools = append(pools, a.ScrapePools...)
	}
	slices.Sort(pools)
	h.answer(w, &apiv1.ScrapePoolsDiscovery{ScrapePools: slices.Compact(pools)}, missing, err)
}

// answer writes Prometheus' envelope.
func (h *handler) answer(w http.ResponseWriter, data any, missing []error, err error) {
	code, response := http.StatusOK, &apiv1.Response{Status: "success", Data: data}
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		code, response = http.StatusBadRequest, &apiv1.Response{Status: "error", ErrorType: refused.Type, Error: refused.Message}
	case err != nil:
		code, response = http.StatusServiceUnavailable, &apiv1.Response{Status: "error", ErrorType: "unavailable", Error: err.Error()}
	}
	for _, m := range missing {
		response.Warnings = append(response.Warnings, m.Error())
	}
	body, err := apiv1.JSONCodec{}.Encode(response)
	if err != nil {
		h.logger.Error("Cannot encode the scrape targets", "error", err)
		code, body = http.StatusInternalServerError, []byte(`{"status":"error","errorType":"internal","error":"the answer cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if _, err := w.Write(body); err != nil {
		h.logger.Debug("The client left before the answer", "error", err)
	}
}
