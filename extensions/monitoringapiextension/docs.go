package monitoringapiextension

import (
	"embed"
	"fmt"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/quantivista/monitoring/api"
)

// pages is the documentation: plain HTML, CSS and JavaScript that read /api/openapi.json.
//
//go:embed docs
var pages embed.FS

// documentation serves the OpenAPI document and the page that shows it.
type documentation struct{ asYAML, asJSON []byte }

func newDocs(doc *openapi3.T) (*documentation, error) {
	asJSON, err := doc.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document as JSON: %w", err)
	}
	return &documentation{asYAML: api.Document(), asJSON: asJSON}, nil
}

func (d *documentation) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/api/docs", http.StatusFound)
	})
	mux.HandleFunc("GET /api/openapi.yaml", content("application/yaml", d.asYAML))
	mux.HandleFunc("GET /api/openapi.json", content("application/json", d.asJSON))
	for path, file := range map[string]string{
		"/api/docs": "index.html", "/api/docs/docs.css": "docs.css", "/api/docs/docs.js": "docs.js",
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			// The page runs nothing but what is served here.
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'")
			http.ServeFileFS(w, r, pages, "docs/"+file)
		})
	}
}

func content(mediaType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(body) // A client that left does not want it.
	}
}
