package metricstoreextension

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// A subquery of more steps than the engine could be stopped in is refused at once, by both ways in.
func TestASubqueryBomb(t *testing.T) {
	store, _ := startStore(t, testConfig(t))
	server := serve(t, store)
	now := time.Now()
	require.NoError(t, write(store, batch("load", 0, 1, now)...))
	const bomb = `count_over_time({__name__=~".+"}[100y:1ms])`

	_, err := store.Query(context.Background(), bomb, now)
	require.ErrorIs(t, err, metricstore.ErrTooManySamples)
	_, err = store.QueryRange(context.Background(), bomb, metricstore.Range{Start: now, End: now, Step: time.Second})
	require.ErrorIs(t, err, metricstore.ErrTooManySamples)

	status, body := get(t, server, "/api/v1/query?"+url.Values{"query": {bomb}}.Encode())
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, body, "take a longer step or a shorter range")
}
