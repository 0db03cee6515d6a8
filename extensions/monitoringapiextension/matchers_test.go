package monitoringapiextension

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
)

func TestParseMatchers(t *testing.T) {
	got, err := parseMatchers(`service="a", env!='b',"k8s.pod"=~"x.*",job!~"y|z"`)
	require.NoError(t, err)
	assert.ElementsMatch(t, []alert.Matcher{
		{Name: "service", Op: alert.MatchEqual, Value: "a"}, {Name: "env", Op: alert.MatchNotEqual, Value: "b"},
		{Name: "k8s.pod", Op: alert.MatchRegexp, Value: "x.*"}, {Name: "job", Op: alert.MatchNotRegexp, Value: "y|z"},
	}, got)
	braces, err := parseMatchers(` {service="a"} `)
	require.NoError(t, err)
	assert.Len(t, braces, 1)
	for _, wrong := range []string{`a`, `a=b`, `a="b"} or {c="d"`, `a=~"("`, `{"up"}`, `up{a="b"}`, `="b"`, `a="b`, "a=\"\x00", `__name__="up"`} {
		_, err := parseMatchers(wrong)
		assert.Error(t, err, wrong)
	}
}

// Whatever is taken can be searched for.
func FuzzParseMatchers(f *testing.F) {
	for _, seed := range []string{`a="b"`, `{a=~"b.*",c!="d"}`, `"x.y"!~'('`, `{}`, `a="\xff"`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, filter string) {
		matchers, err := parseMatchers(filter)
		if err != nil {
			return
		}
		for _, m := range matchers {
			require.NoError(t, m.Validate(), filter)
		}
	})
}
