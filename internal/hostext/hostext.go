// Package hostext finds the extension that a component's config names.
package hostext

import (
	"fmt"

	"go.opentelemetry.io/collector/component"
)

// Find gives the extension with this ID as a T. The error names the ID and how to declare it, or that the
// extension is there but is of another kind.
func Find[T any](host component.Host, id component.ID) (T, error) {
	var none T
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return none, fmt.Errorf("extension %q is not running: declare it under \"extensions\" and list it in \"service::extensions\"", id)
	}
	found, ok := ext.(T)
	if !ok {
		return none, fmt.Errorf("extension %q is a %T, which does not do what is asked of it here", id, ext)
	}
	return found, nil
}
