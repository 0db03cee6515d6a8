package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/quantivista/monitoring/internal/distribution"
)

// component is one that the binary lists.
type component struct {
	Name   string `yaml:"name"`
	Module string `yaml:"module"`
}

// TestTheBinaryHoldsTheManifestsComponents compares builder-config.yaml with the factories in the binary, and our
// components' types with those that their metadata.yaml declares.
func TestTheBinaryHoldsTheManifestsComponents(t *testing.T) {
	binary := os.Getenv("OTELCOL_BINARY")
	require.NotEmpty(t, binary, "OTELCOL_BINARY must be the path of the built binary: run make e2e")
	out, err := exec.CommandContext(t.Context(), binary, "components").Output()
	require.NoError(t, err)
	var built map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal(out, &built))

	root := filepath.Join("..", "..")
	manifest, err := distribution.Read(filepath.Join(root, "builder-config.yaml"))
	require.NoError(t, err)
	for kind, modules := range manifest.Components() {
		// A set: a component with a deprecated alias is listed under both names.
		want, got := map[string]bool{}, map[string]bool{}
		for _, module := range modules {
			want[module.GoMod] = true
		}
		node := built[kind]
		var list []component
		require.NoError(t, node.Decode(&list))
		var ours []string
		for _, c := range list {
			got[c.Module] = true
			if strings.HasPrefix(c.Module, manifest.Dist.Module+" ") {
				ours = append(ours, c.Name)
			}
		}
		assert.Equal(t, want, got, kind)
		assert.ElementsMatch(t, declaredTypes(t, filepath.Join(root, kind)), ours, kind)
	}
}

// declaredTypes gives the type in the metadata.yaml of every component in a folder.
func declaredTypes(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*", "metadata.yaml"))
	require.NoError(t, err)
	var types []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var metadata struct {
			Type string `yaml:"type"`
		}
		require.NoError(t, yaml.Unmarshal(text, &metadata))
		types = append(types, metadata.Type)
	}
	return types
}
