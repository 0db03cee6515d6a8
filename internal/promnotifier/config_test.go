package promnotifier

import (
	"testing"

	_ "github.com/prometheus/prometheus/discovery/file" // as the prometheus receiver does
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func static(targets ...any) map[string]any {
	return map[string]any{"static_configs": []any{map[string]any{"targets": targets}}}
}

func TestParse(t *testing.T) {
	am := static("am-1:9093", "am-2:9093")
	am["scheme"], am["basic_auth"] = "https", map[string]any{"username": "me", "password_file": "/run/secrets/alertmanager"}
	c, err := Parse([]map[string]any{am}, []map[string]any{{"action": "labeldrop", "regex": "replica"}})
	require.NoError(t, err)
	assert.False(t, c.Empty())
	parsed := c.alerting.AlertmanagerConfigs[0]
	assert.Equal(t, "https", parsed.Scheme)
	assert.Equal(t, "me", parsed.HTTPClientConfig.BasicAuth.Username)
	assert.Len(t, c.targets()["config-0"][0].Targets, 2)
	assert.Len(t, c.alerting.AlertRelabelConfigs, 1)

	none, err := Parse(nil, nil)
	require.NoError(t, err)
	assert.True(t, none.Empty())
	n, err := Start(none, nil, nil, nil)
	require.NoError(t, err)
	n.Send()
	require.NoError(t, n.Stop(t.Context()))
}

func TestParseNamesTheFault(t *testing.T) {
	for want, am := range map[string]map[string]any{
		`"alertmanagers::0": only static_configs are known here, not file`: {"file_sd_configs": []any{map[string]any{"files": []any{"x.yaml"}}}},
		`"alertmanagers::0": static_configs must name the targets`:         {"scheme": "http"},
		`"alertmanagers" or "alert_relabel_configs": yaml`:                 {"shceme": "http"},
	} {
		_, err := Parse([]map[string]any{am}, nil)
		assert.ErrorContains(t, err, want)
	}
}
