package querycost

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	const year = 365 * 24 * time.Hour
	tests := map[string]struct {
		expr    string
		span    time.Duration
		refused bool
	}{
		"no subquery":                {"rate(up[100y])", 250 * year, false},
		"ordinary":                   {"max_over_time(rate(up[5m])[30d:1m])", year, false},
		"as many steps as samples":   {"count_over_time(up[1000s:1ms])", 0, false},
		"one more":                   {"count_over_time(up[1000s1ms:1ms])", 0, true},
		"tiny step":                  {"count_over_time(up[100y:1ms])", 0, true},
		"the span counts":            {"count_over_time(up[1s:1ms])", 1000 * time.Second, true},
		"default step":               {"count_over_time(up[100y:])", 0, true},
		"inside of others":           {"1 + sum by (job) (-count_over_time(up[100y:1ms] offset 1d))", 0, true},
		"nested ranges add up":       {"max_over_time(max_over_time(up[500s:1ms])[501s:1m])", 0, true},
		"nested, each for itself":    {"max_over_time(max_over_time(up[400s:1ms])[500s:1m])", 0, false},
		"more than a duration holds": {"max_over_time(max_over_time(up[200y:1ms])[200y:1m])", 290 * year, true},
		"what does not parse passes": {"count_over_time(up[100y:1ms]", 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := Check(tt.expr, tt.span, time.Minute, 1_000_000)
			if !tt.refused {
				require.NoError(t, err)
				return
			}
			var many promql.ErrTooManySamples
			require.ErrorAs(t, err, &many)
			assert.ErrorContains(t, err, "steps, at most 1000000 are evaluated")
		})
	}
}

// A new node must not make the walk panic or an ordinary query be refused.
func FuzzCheck(f *testing.F) {
	for _, expr := range []string{"up", "max_over_time(up[1h:1m])", "up[5m:] @ start() offset -1y", "sum(rate(x[5m]))", "((", "1[1y:1ms]"} {
		f.Add(expr, int64(time.Hour))
	}
	f.Fuzz(func(t *testing.T, expr string, span int64) {
		err := Check(expr, time.Duration(span), time.Minute, 1_000_000)
		var many promql.ErrTooManySamples
		if err != nil {
			require.ErrorAs(t, err, &many)
		}
	})
}
