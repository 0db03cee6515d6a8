package evidence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLinks(t *testing.T) {
	l, err := ParseLinks(LinkTemplates{
		Trace:  "http://localhost:16686/trace/{{ .TraceID }}",
		Metric: `https://grafana/explore?panes={{ printf "{\"expr\":%s,\"from\":%d}" (json .Query) .Start.UnixMilli | urlquery }}`,
	})
	require.NoError(t, err)
	data := LinkData{TraceID: "a", Query: `up{a="b"}`, Start: time.UnixMilli(5)}
	assert.Equal(t, "http://localhost:16686/trace/a", l.Trace(&data))
	assert.Equal(t, "https://grafana/explore?panes=%7B%22expr%22%3A%22up%7Ba%3D%5C%22b%5C%22%7D%22%2C%22from%22%3A5%7D", l.Metric(&data))
	assert.Empty(t, l.Logs(&data))

	_, err = ParseLinks(LinkTemplates{Trace: "http://{{ .TraceID", Logs: "/x/{{ .Service }}", Metric: "http://a/{{ .Nothing }}"})
	for _, part := range []string{`"trace" must be a Go text/template`, `"logs" must`, `it gives "/x/shop"`, `"metric" must`, "Nothing"} {
		require.ErrorContains(t, err, part)
	}
	l, err = ParseLinks(LinkTemplates{Logs: `http://a/{{ slice .Service 3 }}`})
	require.NoError(t, err)
	assert.Empty(t, l.Logs(&LinkData{Service: "x"}), "one that fails is none")
}
