// Package scrapetargets tells what the prometheus receivers of this collector scrape. A receiver keeps its
// targets to itself but for its own HTTP API (its "api_server"), which answers as a Prometheus agent does; this
// package asks each of them and merges the answers.
package scrapetargets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// Source is the HTTP API of one prometheus receiver.
type Source struct {
	// URL is the base, such as http://localhost:9090.
	URL string
	// Client has a time-out of its own.
	Client *http.Client
}

// Reader asks a fixed set of receivers. It is safe for concurrent use.
type Reader struct{ sources []Source }

// NewReader makes a Reader. Without sources every answer is empty.
func NewReader(sources ...Source) *Reader { return &Reader{sources: sources} }

// UnreachableError names a receiver that did not answer.
type UnreachableError struct {
	URL string
	Err error
}

// Error names the receiver and the reason.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the prometheus receiver at %s does not answer: %s", redacted(e.URL), e.Err)
}

// redacted hides a password in a URL.
func redacted(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address that is no URL"
	}
	return u.Redacted()
}

// Unwrap gives the reason.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Targets gives the targets of all receivers. The query is that of Prometheus' /api/v1/targets (state,
// scrapePool), may be nil. Receivers that do not answer are told in missing; err is set where none answers.
func (r *Reader) Targets(ctx context.Context, query url.Values) (found apiv1.TargetDiscovery, missing []error, err error) {
	answers, missing, err := ask[apiv1.TargetDiscovery](ctx, r.sources, "/api/v1/targets", query)
	if err != nil {
		return apiv1.TargetDiscovery{}, nil, err
	}
	found = apiv1.TargetDiscovery{ActiveTargets: []*apiv1.Target{}, DroppedTargets: []*apiv1.DroppedTarget{}}
	if wantsDropped(query) {
		found.DroppedTargetCounts = map[string]int{}
	}
	for _, a := range answers {
		found.ActiveTargets = append(found.ActiveTargets, a.ActiveTargets...)
		found.DroppedTargets = append(found.DroppedTargets, a.DroppedTargets...)
		if found.DroppedTargetCounts == nil {
			continue
		}
		for pool, n := range a.DroppedTargetCounts {
			found.DroppedTargetCounts[pool] += n
		}
	}
	return found, missing, nil
}

// wantsDropped follows Prometheus, which answers null counts where only active targets are asked for.
func wantsDropped(query url.Values) bool {
	switch strings.ToLower(query.Get("state")) {
	case "", "any", "dropped":
		return true
	}
	return false
}

// ask puts one request to every source at once. The answers are in the order of the sources.
func ask[T any](ctx context.Context, sources []Source, path string, query url.Values) (answers []T, missing []error, err error) {
	got, errs := make([]T, len(sources)), make([]error, len(sources))
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() { got[i], errs[i] = fetch[T](ctx, s, path, query) })
	}
	wg.Wait()
	for i, e := range errs {
		var refused *RefusedError
		switch {
		case errors.As(e, &refused):
			return nil, nil, refused
		case e != nil:
			missing = append(missing, &UnreachableError{URL: sources[i].URL, Err: e})
		default:
			answers = append(answers, got[i])
		}
	}
	if len(sources) > 0 && len(answers) == 0 {
		return nil, nil, errors.Join(missing...)
	}
	return answers, missing, nil
}
