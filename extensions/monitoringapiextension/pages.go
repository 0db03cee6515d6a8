package monitoringapiextension

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/state"
)

// urlKey is the key of a request's URL in its context.
type urlKey struct{}

// rememberURL lets an operation write links to itself.
func rememberURL(next api.StrictHandlerFunc, _ string) api.StrictHandlerFunc {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, request any) (any, error) {
		return next(context.WithValue(ctx, urlKey{}, r.URL), w, r, request)
	}
}

func page(limit *api.Limit, cursor *api.Cursor) state.Page {
	return state.Page{Limit: deref(limit), After: deref(cursor)}
}

// nextLink writes the header Link to the next page: the same request with another cursor, relative to this one, so
// that it is right behind any proxy. It is nil on the last page.
func nextLink(ctx context.Context, cursor string) *string {
	this, ok := ctx.Value(urlKey{}).(*url.URL)
	if cursor == "" || !ok {
		return nil
	}
	query := this.Query()
	query.Set("cursor", cursor)
	return new("<?" + query.Encode() + `>; rel="next"`)
}

// pageError names the one part of a checked list request that a store can refuse.
func pageError(err error) error {
	if errors.Is(err, state.ErrInvalid) {
		return problem.Field(http.StatusBadRequest, "cursor", "must be one that the \"Link\" header of the page before gave")
	}
	return err
}

// deref gives the value, or the zero value where there is none.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// given is nil for the zero value, which JSON leaves out.
func given[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
