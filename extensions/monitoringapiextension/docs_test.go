package monitoringapiextension

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
)

func TestDocumentation(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))

	root := get(t, base+"/")
	assert.Equal(t, http.StatusFound, root.status)
	assert.Equal(t, "/api/docs", root.header.Get("Location"))

	document := do(t, http.MethodGet, base+"/api/openapi.yaml", "", "Accept-Encoding", "identity")
	assert.Equal(t, string(api.Document()), document.body)
	assert.Equal(t, "application/yaml", document.header.Get("Content-Type"))

	var asJSON struct {
		OpenAPI string
		Paths   map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(get(t, base+"/api/openapi.json").body), &asJSON))
	assert.Equal(t, "3.0.3", asJSON.OpenAPI)
	assert.Contains(t, asJSON.Paths, "/api/v1/metrics")
	assert.Contains(t, asJSON.Paths, "/api/v1/incidents/{incidentId}")
}

// The page needs nothing from elsewhere, and all it names is there.
func TestDocumentationPageIsSelfContained(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	page := get(t, base+"/api/docs")
	require.Equal(t, http.StatusOK, page.status)
	assert.Equal(t, "text/html; charset=utf-8", page.header.Get("Content-Type"))
	assert.Contains(t, page.header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.NotContains(t, page.body, "http")

	links := regexp.MustCompile(`(?:href|src)="(/[^"]+)"`).FindAllStringSubmatch(page.body, -1)
	require.NotEmpty(t, links)
	for _, link := range links {
		got := get(t, base+link[1])
		assert.Equal(t, http.StatusOK, got.status, link[1])
		if strings.HasPrefix(link[1], "/api/docs/") {
			assert.NotContains(t, got.body, "http:", link[1])
		}
	}
}
