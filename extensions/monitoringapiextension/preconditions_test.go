package monitoringapiextension

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/problem"
)

func TestIfMatch(t *testing.T) {
	tests := map[string]int{ // statuses for version 7; 0 is none
		`"7"`:          0,
		`*`:            0,
		` "6" , "7" `:  0,
		`"6"`:          http.StatusPreconditionFailed,
		`W/"7"`:        http.StatusPreconditionFailed,
		`"other"`:      http.StatusPreconditionFailed,
		`7`:            http.StatusBadRequest,
		`"7`:           http.StatusBadRequest,
		`"`:            http.StatusBadRequest,
		``:             http.StatusBadRequest,
		`"6","7" "8"`:  http.StatusBadRequest,
		`"7"; drop it`: http.StatusBadRequest,
	}
	for header, want := range tests {
		t.Run(header, func(t *testing.T) {
			check, err := ifMatch(&header)
			if err == nil {
				err = check(7)
			}
			if want == 0 {
				require.NoError(t, err)
				return
			}
			var d *problem.Error
			require.ErrorAs(t, err, &d)
			assert.Equal(t, want, d.Status)
		})
	}
	check, err := ifMatch(nil)
	require.NoError(t, errors.Join(err, check(7)))
}

func FuzzIfMatch(f *testing.F) {
	for _, seed := range []string{`"7"`, `*`, `"6", "7"`, `W/"7"`, `"`, `7`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		check, err := ifMatch(&header)
		if err == nil && check(1) == nil && check(2) == nil {
			for _, v := range []int64{3, 1 << 40} {
				if check(v) != nil {
					assert.Contains(t, header, `"1"`)
					assert.Contains(t, header, `"2"`)
				}
			}
		}
	})
}
