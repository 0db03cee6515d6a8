package rule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
)

func TestValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*Rule)
		want  []string // fields
	}{
		"valid":           {func(*Rule) {}, nil},
		"no duration":     {func(r *Rule) { r.Duration = "" }, []string{"duration"}},
		"at once":         {func(r *Rule) { r.Duration = "0s" }, nil},
		"Go's duration":   {func(r *Rule) { r.Duration = "1.5h" }, []string{"duration"}},
		"name":            {func(r *Rule) { r.Name = "" }, []string{"name"}},
		"long name":       {func(r *Rule) { r.Name = strings.Repeat("ü", 256) }, []string{"name"}},
		"longest name":    {func(r *Rule) { r.Name = strings.Repeat("ü", 255) }, nil},
		"name not UTF-8":  {func(r *Rule) { r.Name = "\xff" }, []string{"name"}},
		"no query":        {func(r *Rule) { r.Query = "" }, []string{"query"}},
		"severity":        {func(r *Rule) { r.Severity = "page" }, []string{"severity"}},
		"no interval":     {func(r *Rule) { r.EvaluationInterval = "0s" }, []string{"evaluationInterval"}},
		"label alertname": {func(r *Rule) { r.Labels = map[string]string{"alertname": "x"} }, []string{"labels"}},
		"empty label":     {func(r *Rule) { r.Labels = map[string]string{"": "x"} }, []string{"labels"}},
		"annotation":      {func(r *Rule) { r.Annotations = map[string]string{"\xff": "x"} }, []string{"annotations"}},
		"all of them":     {func(r *Rule) { *r = Rule{} }, []string{"name", "query", "duration", "evaluationInterval", "severity"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := Rule{Name: "HighCpuUsage", Query: "cpu > 80", Duration: "5m", EvaluationInterval: "15s", Severity: alert.High, Labels: map[string]string{"team": "a"}}
			tt.spoil(&r)
			err := r.Validate()
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			var fields []string
			for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
				var field *FieldError
				require.ErrorAs(t, e, &field)
				fields = append(fields, field.Field)
			}
			assert.Equal(t, tt.want, fields)
		})
	}
}
