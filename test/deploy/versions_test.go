package deploy

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The version is that of builder-config.yaml everywhere.
func TestVersions(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`(?m)^ {2}version: (\S+)$`).FindStringSubmatch(read(t, "builder-config.yaml"))[1]
	var files []string
	for _, pattern := range []string{"deploy/kubernetes/*/kustomization.yaml", "deploy/helm/quantivista/Chart.yaml", "Dockerfile"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	written := regexp.MustCompile(`(?m)(?:newTag: |^version: |^appVersion: |ARG VERSION=|otelcol-quantivista:)(\d+\.\d+\.\d+)`)
	count := 0
	for _, file := range files {
		name, err := filepath.Rel(root, file)
		require.NoError(t, err)
		for _, found := range written.FindAllStringSubmatch(read(t, name), -1) {
			count++
			assert.Equal(t, version, found[1], "%s: %s", name, found[0])
		}
	}
	assert.Greater(t, count, 6)
}
