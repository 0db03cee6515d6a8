package api

import (
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// loadDocument also checks every example against its schema.
func loadDocument(t *testing.T) *openapi3.T {
	t.Helper()
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(Document())
	require.NoError(t, err)
	require.NoError(t, doc.Validate(loader.Context))
	return doc
}

func TestEveryOperationHasExamples(t *testing.T) {
	for path, item := range loadDocument(t).Paths.Map() {
		for method, op := range item.Operations() {
			for _, p := range op.Parameters {
				assert.True(t, p.Value.Example != nil || len(p.Value.Examples) > 0, "%s %s parameter %s", method, path, p.Value.Name)
				assert.NotEmpty(t, p.Value.Description, "%s %s parameter %s", method, path, p.Value.Name)
			}
			if op.RequestBody != nil {
				assert.NotEmpty(t, op.RequestBody.Value.Content["application/json"].Examples, "%s %s body", method, path)
			}
			for status, response := range op.Responses.Map() {
				for mediaType, content := range response.Value.Content {
					assert.NotEmpty(t, content.Examples, "%s %s %s %s", method, path, status, mediaType)
				}
			}
		}
	}
}

func TestEveryErrorIsAProblem(t *testing.T) {
	for path, item := range loadDocument(t).Paths.Map() {
		for method, op := range item.Operations() {
			require.NotNil(t, op.Responses.Value("500"), "%s %s", method, path)
			for status, response := range op.Responses.Map() {
				if status < "400" {
					continue
				}
				content := response.Value.Content.Get("application/problem+json")
				require.NotNil(t, content, "%s %s %s", method, path, status)
				assert.Equal(t, "#/components/schemas/Problem", content.Schema.Ref)
			}
		}
	}
}

// The paths and methods are the contract of the service's specification.
func TestPaths(t *testing.T) {
	want := map[string][]string{
		"/api/v1/metrics":                         {http.MethodGet},
		"/api/v1/metrics/custom":                  {http.MethodPost},
		"/api/v1/metrics/targets":                 {http.MethodGet},
		"/api/v1/health":                          {http.MethodGet},
		"/api/v1/health/services":                 {http.MethodGet},
		"/api/v1/health/services/{serviceId}":     {http.MethodGet},
		"/api/v1/alerts":                          {http.MethodGet},
		"/api/v1/alerts/{alertId}":                {http.MethodGet, http.MethodPut},
		"/api/v1/alerts/rules":                    {http.MethodGet, http.MethodPost},
		"/api/v1/alerts/rules/{ruleId}":           {http.MethodGet, http.MethodPut, http.MethodDelete},
		"/api/v1/alerts/rules/{ruleId}/enable":    {http.MethodPost},
		"/api/v1/alerts/rules/{ruleId}/disable":   {http.MethodPost},
		"/api/v1/incidents":                       {http.MethodGet, http.MethodPost},
		"/api/v1/incidents/{incidentId}":          {http.MethodGet, http.MethodPut},
		"/api/v1/incidents/{incidentId}/timeline": {http.MethodGet, http.MethodPost},
	}
	paths := loadDocument(t).Paths
	for path, methods := range want {
		if item := paths.Value(path); assert.NotNil(t, item, path) {
			for _, method := range methods {
				assert.NotNil(t, item.GetOperation(method), "%s %s", method, path)
			}
		}
	}
}

func TestDocumentIsACopy(t *testing.T) {
	Document()[0] = 'X'
	assert.Equal(t, byte('o'), Document()[0])
}
