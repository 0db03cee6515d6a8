package monitoringapiextension

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/problem"
)

// manyFaults is the size of a body up to which all its faults are named, and not the first alone: an error for each
// element takes a hundred times the element's own memory.
const manyFaults = 256 << 10

// contract checks requests against the OpenAPI document.
type contract struct {
	doc *openapi3.T
	// allFaults and firstFault are the ways to check.
	allFaults, firstFault *openapi3filter.Options
}

func newContract() (*contract, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(api.Document())
	if err != nil {
		return nil, fmt.Errorf("load the OpenAPI document: %w", err)
	}
	if err := doc.Validate(loader.Context); err != nil {
		return nil, fmt.Errorf("check the OpenAPI document: %w", err)
	}
	options := openapi3filter.Options{
		// The generated server takes the validated value: decoding again by encoding/json would match names without
		// regard to case, and so let in what was not checked.
		KeepValidatedValue:      true,
		SkipSettingDefaults:     true,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.WithStringFormatValidator("date-time", dateTime{})},
	}
	c := &contract{doc: doc, firstFault: &options}
	all := options
	all.MultiError = true
	c.allFaults = &all
	return c, nil
}

// dateTime is RFC 3339 as time.Time decodes it, where the validator's own pattern lets February 30 pass, and a time that
// can be stored. The first of all is the zero time, which means none.
type dateTime struct{}

func (dateTime) Validate(s string) error {
	var t time.Time
	if t.UnmarshalText([]byte(s)) != nil {
		return errors.New("must be an RFC 3339 time such as 2025-06-20T15:08:23Z")
	}
	if year := t.UTC().Year(); year < 1 || year > 9999 || t.IsZero() {
		return errors.New("must be a time in the years 1 to 9999 of UTC")
	}
	return nil
}

// routes is the mux that the generated server registers its operations with; each is checked before it runs.
type routes struct {
	*http.ServeMux
	// ofAlerts has what is below a single alert: its patterns would contradict those of rules, which are below all.
	ofAlerts *http.ServeMux
	contract *contract
	fail     func(http.ResponseWriter, *http.Request, error)
	// unknown collects patterns that the document does not have.
	unknown []error
}

var _ api.ServeMux = (*routes)(nil)

const belowAlert = "/api/v1/alerts/{alertId}/"

// HandleFunc registers one operation.
func (m *routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	route := m.contract.route(pattern)
	if route == nil {
		m.unknown = append(m.unknown, fmt.Errorf("the OpenAPI document has no operation %q", pattern))
		return
	}
	mux := m.ServeMux
	if strings.Contains(pattern, belowAlert) {
		mux = m.ofAlerts
	}
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := m.contract.check(r, route); err != nil {
			m.fail(w, r, err)
			return
		}
		handler(w, r)
	})
}

// route finds the operation of a mux pattern such as "GET /api/v1/health".
func (c *contract) route(pattern string) *routers.Route {
	var method, path string
	if _, err := fmt.Sscan(pattern, &method, &path); err != nil {
		return nil
	}
	item := c.doc.Paths.Value(path)
	if item == nil || item.GetOperation(method) == nil {
		return nil
	}
	return &routers.Route{Spec: c.doc, Path: path, PathItem: item, Method: method, Operation: item.GetOperation(method)}
}

// check gives a *problem.Error that names every fault of the request.
func (c *contract) check(r *http.Request, route *routers.Route) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem.Field(http.StatusBadRequest, "query string", "cannot be decoded: %s", err)
	}
	options := c.allFaults
	if body := route.Operation.RequestBody; body != nil {
		if err := checkBody(r, body.Value); err != nil {
			return err
		}
		if r.ContentLength > manyFaults {
			options = c.firstFault
		}
	}
	path := map[string]string{}
	for _, p := range route.Operation.Parameters {
		if p.Value.In == openapi3.ParameterInPath {
			path[p.Value.Name] = r.PathValue(p.Value.Name)
		}
	}
	err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: path, QueryParams: query, Route: route, Options: options,
	})
	if err != nil {
		return problem.Fields(http.StatusBadRequest, faults(err)...)
	}
	return nil
}
