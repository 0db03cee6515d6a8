package promapi

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPrometheusVersion(t *testing.T) {
	for module, want := range map[string][2]string{
		"v0.309.1":                               {"3.9.1", ""},
		"v0.309.2-0.20260113170727-c7bc56cf6c8f": {"3.9.2", "c7bc56cf6c8f"},
		"v0.315.0-rc.1":                          {"3.15.0", ""},
		"(devel)":                                {"(devel)", ""},
	} {
		version, revision := prometheusVersion(module)
		assert.Equal(t, want, [2]string{version, revision}, module)
	}
}
