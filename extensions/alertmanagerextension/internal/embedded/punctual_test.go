package embedded

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sender is a notifier that does not look at its context.
type sender func() (bool, error)

var _ notify.Notifier = sender(nil)

func (s sender) Notify(context.Context, ...*types.Alert) (bool, error) { return s() }

func TestPunctualGivesTheAnswer(t *testing.T) {
	refused := errors.New("refused")
	p := &punctual{inner: sender(func() (bool, error) { return true, refused })}
	retry, err := p.Notify(t.Context())
	assert.True(t, retry)
	require.ErrorIs(t, err, refused)
}

func TestPunctualGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		p := &punctual{inner: sender(func() (bool, error) { <-answer; return false, nil })}
		send := func() (bool, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			return p.Notify(ctx)
		}
		for range maxLate {
			start := time.Now()
			retry, err := send()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.True(t, retry)
			assert.Equal(t, 10*time.Second, time.Since(start))
		}
		start := time.Now()
		retry, err := send()
		require.ErrorContains(t, err, "8 messages before still wait")
		assert.True(t, retry)
		assert.Zero(t, time.Since(start), "no more of them begin")

		close(answer)
		synctest.Wait()
		retry, err = send()
		require.NoError(t, err)
		assert.False(t, retry)
		assert.Zero(t, p.late.Load())
	})
}
