package deploy

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dockerfile is parsed and linted as BuildKit does.
func dockerfile(t *testing.T) (stages []instructions.Stage, arguments []instructions.ArgCommand) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	parsed, err := parser.Parse(bytes.NewReader(text))
	require.NoError(t, err)
	assert.Empty(t, parsed.Warnings)
	lint := linter.New(&linter.Config{Warn: func(rule, description, _, message string, where []parser.Range) {
		t.Errorf("%s: %s (%s) at %v", rule, message, description, where)
	}})
	stages, arguments, err = instructions.Parse(parsed.AST, lint)
	require.NoError(t, err)
	return stages, arguments
}

func commands[T instructions.Command](stage instructions.Stage) []T {
	var found []T
	for _, command := range stage.Commands {
		if c, ok := command.(T); ok {
			found = append(found, c)
		}
	}
	return found
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	stages, _ := dockerfile(t)
	require.Len(t, stages, 2)
	build, image := stages[0], stages[1]

	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	assert.Equal(t, "golang:"+goVersion+"-bookworm", build.BaseName, "the Go of go.mod")
	assert.Regexp(t, `^gcr\.io/distroless/static-debian\d+:nonroot$`, image.BaseName)
	user := commands[*instructions.UserCommand](image)
	require.Len(t, user, 1)
	assert.Equal(t, "65532:65532", user[0].User, "in numbers: Kubernetes checks runAsNonRoot by them")
	entry := commands[*instructions.EntrypointCommand](image)
	require.Len(t, entry, 1)
	assert.False(t, entry[0].PrependShell, "there is no shell")
	assert.Equal(t, "/usr/bin/otelcol-quantivista", entry[0].CmdLine[0])
	assert.Empty(t, commands[*instructions.RunCommand](image), "there is nothing to run")

	labels := map[string]string{}
	for _, label := range commands[*instructions.LabelCommand](image) {
		for _, pair := range label.Labels {
			labels[strings.Trim(pair.Key, `"`)] = pair.Value
		}
	}
	for _, name := range []string{"title", "description", "source", "documentation", "licenses", "version"} {
		assert.NotEmpty(t, labels["org.opencontainers.image."+name], name)
	}
}

// What is copied from the context is there, and what the image needs is not ignored.
func TestDockerContext(t *testing.T) {
	t.Parallel()
	patterns, err := ignorefile.ReadAll(strings.NewReader(read(t, ".dockerignore")))
	require.NoError(t, err)
	ignore, err := patternmatcher.New(patterns)
	require.NoError(t, err)
	ignored := func(path string) bool {
		match, err := ignore.MatchesOrParentMatches(path)
		require.NoError(t, err)
		return match
	}

	stages, _ := dockerfile(t)
	for _, stage := range stages {
		for _, copied := range commands[*instructions.CopyCommand](stage) {
			for _, source := range copied.SourcePaths {
				if copied.From == "" {
					_, err := os.Stat(filepath.Join(root, source))
					require.NoError(t, err)
					assert.False(t, ignored(source), "%s is ignored", source)
				}
			}
		}
	}
	for _, needed := range []string{"Makefile", "builder-config.yaml", "api/openapi.yaml", "cmd/otelcol-quantivista/default.pgo",
		"internal/alert/alert.go", "configs/all-in-one.yaml", "configs/rules/host.yaml", "extensions/monitoringapiextension/factory.go"} {
		require.FileExists(t, filepath.Join(root, needed))
		assert.False(t, ignored(needed), "%s is ignored", needed)
	}
	for _, not := range []string{".git/HEAD", ".tools/helm", "bin/otelcol-quantivista", "test/deploy/go.mod", "configs/rules/tests/host.yaml"} {
		assert.True(t, ignored(not), "%s is not ignored", not)
	}
}

// The image's environment is where its files are, and its ports are those of the configuration that it starts with.
func TestDockerImageStartsWhatItHas(t *testing.T) {
	t.Parallel()
	stages, _ := dockerfile(t)
	image := stages[1]
	command := commands[*instructions.CmdCommand](image)
	require.Len(t, command, 1)
	require.Len(t, command[0].CmdLine, 1)
	file := strings.Replace(command[0].CmdLine[0], "--config=/etc/quantivista/", "configs/", 1)
	text := comment.ReplaceAllString(read(t, file), "")

	var ports []string
	for _, found := range listening.FindAllStringSubmatch(text, -1) {
		ports = append(ports, found[1])
	}
	exposed := commands[*instructions.ExposeCommand](image)
	require.Len(t, exposed, 1)
	assert.ElementsMatch(t, ports, exposed[0].Ports)

	env := map[string]string{}
	for _, set := range commands[*instructions.EnvCommand](image) {
		for _, pair := range set.Env {
			env[pair.Key] = pair.Value
		}
	}
	for _, found := range regexp.MustCompile(`\$\{env:([A-Z0-9_]+):-(\S*)\}`).FindAllStringSubmatch(text, -1) {
		if strings.HasPrefix(found[2], "./") {
			assert.True(t, strings.HasPrefix(env[found[1]], "/"), "%s is %q", found[1], env[found[1]])
		}
	}
	for _, name := range []string{"RULE_FILES", "ALERTMANAGER_CONFIG"} {
		matches, err := filepath.Glob(filepath.Join(root, strings.Replace(env[name], "/etc/quantivista/", "configs/", 1)))
		require.NoError(t, err)
		assert.NotEmpty(t, matches, name)
	}
}

// distroless/static has no dynamic linker.
func TestTheBinaryIsStatic(t *testing.T) {
	t.Parallel()
	binary, err := elf.Open(tool(t, "OTELCOL_BINARY"))
	require.NoError(t, err)
	defer binary.Close()
	libraries, err := binary.ImportedLibraries()
	require.NoError(t, err)
	assert.Empty(t, libraries)
	assert.False(t, slices.ContainsFunc(binary.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }), "an interpreter")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := fs.ReadFile(os.DirFS(root), path)
	require.NoError(t, err)
	return string(text)
}
