package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
)

// contract is the OpenAPI document.
type contract struct{ doc *openapi3.T }

func readContract(t *testing.T) contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.Document())
	require.NoError(t, err)
	return contract{doc}
}

// operation is one method of one path.
type operation struct {
	method, path string
	*openapi3.Operation
}

// operations gives all, those that destroy last.
func (c contract) operations() []operation {
	var all []operation
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			all = append(all, operation{method, path, op})
		}
	}
	slices.SortFunc(all, func(a, b operation) int {
		key := func(o operation) string {
			if o.method == "DELETE" {
				return "~" + o.path
			}
			return o.path + " " + o.method
		}
		return strings.Compare(key(a), key(b))
	})
	return all
}

// promises says whether the document has answers of a status.
func (o operation) promises(status int) bool { return o.Responses.Status(status) != nil }

// jsonBody gives the schema of the body and the examples of it; nil where the operation takes none.
func (o operation) jsonBody() (schema *openapi3.Schema, examples []any) {
	if o.RequestBody == nil {
		return nil, nil
	}
	media := o.RequestBody.Value.Content["application/json"]
	if media == nil {
		return nil, nil
	}
	for _, e := range media.Examples {
		examples = append(examples, e.Value.Value)
	}
	return media.Schema.Value, examples
}

// sample makes a value of a schema that has every property.
func sample(schema *openapi3.Schema, depth int) any {
	switch {
	case schema == nil || depth > 5:
		return "text"
	case schema.Example != nil:
		return schema.Example
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case len(schema.AllOf) > 0:
		return sample(schema.AllOf[0].Value, depth+1)
	case len(schema.OneOf) > 0:
		return sample(schema.OneOf[0].Value, depth+1)
	case len(schema.AnyOf) > 0:
		return sample(schema.AnyOf[0].Value, depth+1)
	case schema.Type.Is("object"):
		object := map[string]any{}
		for name, property := range schema.Properties {
			object[name] = sample(property.Value, depth+1)
		}
		if more := schema.AdditionalProperties.Schema; more != nil {
			object["key"] = sample(more.Value, depth+1)
		}
		return object
	case schema.Type.Is("array"):
		return []any{sample(schema.Items.Value, depth+1)}
	case schema.Type.Is("boolean"):
		return true
	case schema.Type.Is("integer"), schema.Type.Is("number"):
		return 1
	case schema.Format == "date-time":
		return "2026-01-02T03:04:05Z"
	default:
		return "text"
	}
}
