package embedded

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAlertmanagersOwnConfigurations reads what Alertmanager's tests and documentation have, and takes and refuses
// what it does.
func TestAlertmanagersOwnConfigurations(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/alertmanager").Output()
	require.NoError(t, err)
	root := strings.TrimSpace(string(dir))
	var files []string
	for _, pattern := range []string{"config/testdata/*.yml", "doc/examples/*.yml"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, want := parseFile(file)
			_, err := ParseFile(file)
			if strings.Contains(file, ".good.") || strings.Contains(file, "conf.good") {
				require.NoError(t, want)
			}
			if want == nil {
				require.NoError(t, err)
				return
			}
			var fault *ConfigError
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, file, fault.File)
			assert.NotEmpty(t, fault.Reason)
		})
	}
}

func TestFaults(t *testing.T) {
	for name, test := range map[string]struct {
		text, want string
		secret     string
	}{
		"syntax":              {text: "route:\n  receiver: [\n", want: `"config":`},
		"unknown field":       {text: "route:\n  receiver: a\n  group_wiat: 5s\nreceivers: [{name: a}]\n", want: `"config":3: field group_wiat not found in type config.plain`},
		"no route":            {text: "receivers: [{name: a}]\n", want: `"config": no routes provided`},
		"undefined receiver":  {text: "route:\n  receiver: a\n  routes:\n  - receiver: b\nreceivers: [{name: a}]\n", want: `"config":4: undefined receiver "b" used in route`},
		"receiver twice":      {text: "route: {receiver: a}\nreceivers:\n- name: a\n- name: a\n", want: `"config":4: notification config name "a" is not unique`},
		"undefined interval":  {text: "route:\n  receiver: a\n  routes:\n  - receiver: a\n    mute_time_intervals:\n    - nights\nreceivers: [{name: a}]\n", want: `"config":6: undefined time interval "nights" used in route`},
		"secret of a list":    {text: "global:\n  smtp_auth_password: [hunter2hunter2]\n", want: `"config":2: cannot unmarshal`, secret: "hunter2"},
		"secret in a url":     {text: "route: {receiver: a}\nreceivers:\n- name: a\n  webhook_configs:\n  - url: http://user:hunter2@host:port/%zz\n", secret: "hunter2"},
		"secret in slack":     {text: "global:\n  slack_api_url: https://hooks.slack.com/hunter2/%zz\nroute: {receiver: a}\nreceivers: [{name: a}]\n", secret: "hunter2"},
		"secret of a map":     {text: "global:\n  http_config:\n    authorization:\n      credentials: {x: hunter2}\n", secret: "hunter2"},
		"secret for a number": {text: "global:\n  smtp_require_tls: hunter2hunter2\nroute: {receiver: a}\nreceivers: [{name: a}]\n", secret: "hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(test.text)
			var fault *ConfigError
			require.ErrorAs(t, err, &fault)
			assert.Contains(t, err.Error(), test.want)
			if test.secret != "" {
				assert.NotContains(t, err.Error(), test.secret)
			}
			assert.NotContains(t, err.Error(), "yaml:")
		})
	}
}

func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alertmanager.yml")
	_, err := ParseFile(path)
	require.EqualError(t, err, path+": cannot be read: no such file or directory")
	require.NoError(t, os.WriteFile(path, []byte("templates: [a.tmpl]\nroute: {receiver: a}\nreceivers: [{name: a}]\n"), 0o600))
	c, err := ParseFile(path)
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(filepath.Dir(path), "a.tmpl")}, c.Templates())
}

// FuzzFaults finds no panic, and no value of a secret key in an error.
func FuzzFaults(f *testing.F) {
	f.Add("route: {receiver: a}", "hunter2")
	f.Add("receivers:\n- name: a\n  webhook_configs:\n  - url_file: [x]", "http://hunter2:%zz")
	f.Fuzz(func(t *testing.T, text, secret string) {
		if strings.ContainsAny(secret, "\n\r\t \"'\\:#{}[],&*!|>%@`<") || len(secret) < 8 {
			return
		}
		_, err := Parse("global:\n  smtp_auth_password: " + secret + "\n" + text)
		var fault *ConfigError
		if err != nil && errors.As(err, &fault) && !strings.Contains(text, secret) {
			assert.NotContains(t, fault.Error(), secret)
		}
	})
}
