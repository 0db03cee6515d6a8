//go:generate oapi-codegen -config oapi-codegen.yaml openapi.yaml

// Package api is the REST contract: openapi.yaml, written by hand, and the types and the server interface that
// are generated from it.
package api

import _ "embed"

//go:embed openapi.yaml
var document []byte

// Document gives openapi.yaml. The caller owns the copy.
func Document() []byte { return append([]byte(nil), document...) }
