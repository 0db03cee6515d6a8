package inflight_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/inflight"
)

func TestStopWaitsThenCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inflight.New()
		_, endFirst, ok := r.Begin(t.Context())
		require.True(t, ok)
		slow, endSlow, ok := r.Begin(t.Context())
		require.True(t, ok)
		begun := time.Now()
		go func() {
			endFirst()
			<-slow.Done()
			endSlow()
		}()
		r.Stop(t.Context(), time.Minute)
		assert.Equal(t, time.Minute, time.Since(begun))
		_, _, ok = r.Begin(t.Context())
		assert.False(t, ok)
		r.Stop(t.Context(), time.Minute)
	})
}

func TestTheContextCutsTheGraceShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inflight.New()
		request, end, ok := r.Begin(t.Context())
		require.True(t, ok)
		go func() {
			<-request.Done()
			end()
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		r.Stop(ctx, time.Hour)
		assert.Equal(t, time.Second, time.Since(begun))
	})
}
