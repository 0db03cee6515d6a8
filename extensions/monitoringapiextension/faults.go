package monitoringapiextension

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/state"
)

// faults names the fields of a validation error, one by one.
func faults(err error) []problem.FieldError { return appendFaults(nil, "", err) }

// appendFaults descends to the single faults; field is the parameter, or "body".
func appendFaults(list []problem.FieldError, field string, err error) []problem.FieldError {
	switch e := err.(type) { //nolint:errorlint // The tree is walked node by node.
	case openapi3.MultiError:
		for _, each := range e {
			list = appendFaults(list, field, each)
		}
		return list
	case *openapi3filter.RequestError:
		field = "body"
		if e.Parameter != nil {
			field = e.Parameter.Name
		}
		if e.Err == nil {
			return append(list, problem.FieldError{Field: field, Detail: e.Reason})
		}
		return appendFaults(list, field, e.Err)
	case *openapi3.SchemaError:
		return append(list, problem.FieldError{Field: fieldPath(field, e.JSONPointer()), Detail: reason(e)})
	}
	switch {
	case errors.Is(err, openapi3filter.ErrInvalidRequired):
		return append(list, problem.FieldError{Field: field, Detail: "must be given"})
	case errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		return append(list, problem.FieldError{Field: field, Detail: "must not be empty"})
	default:
		return append(list, problem.FieldError{Field: field, Detail: err.Error()})
	}
}

func reason(e *openapi3.SchemaError) string {
	switch {
	case e.SchemaField == "required":
		return "must be given"
	case e.SchemaField == "format" && e.Origin != nil:
		return e.Origin.Error()
	default:
		return e.Reason
	}
}

// fieldPath writes a JSON pointer as metrics[3].labels.host; without a pointer it is the field itself.
func fieldPath(field string, pointer []string) string {
	if len(pointer) == 0 {
		return field
	}
	var path strings.Builder
	for i, step := range pointer {
		switch _, err := strconv.Atoi(step); {
		case err == nil && i > 0:
			path.WriteString("[" + step + "]")
		case i > 0:
			path.WriteString("." + step)
		default:
			path.WriteString(step)
		}
	}
	return path.String()
}

// fieldProblem gives the faults of a body, as the domain found them, as a problem that names every field. Another error
// stays as it is.
func fieldProblem(err error) error {
	if list := fieldFaults(nil, err); len(list) > 0 {
		return problem.Fields(http.StatusBadRequest, list...)
	}
	return err
}

// fieldFaults finds every FieldError in a tree of joined errors.
func fieldFaults(list []problem.FieldError, err error) []problem.FieldError {
	var field *state.FieldError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, each := range joined.Unwrap() {
			list = fieldFaults(list, each)
		}
	} else if errors.As(err, &field) {
		list = append(list, problem.FieldError{Field: field.Field, Detail: field.Message})
	}
	return list
}
