package ruleset_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/quantivista/monitoring/internal/ruleset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const good = "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]\n"

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

// names gives the files of a set with the names of their groups.
func names(set ruleset.Set) map[string][]string {
	all := map[string][]string{}
	for _, f := range set.Files {
		all[filepath.Base(f.Name)] = []string{}
		for _, g := range f.Groups {
			all[filepath.Base(f.Name)] = append(all[filepath.Base(f.Name)], g.Name)
		}
	}
	return all
}

func TestFilesFollowTheDisk(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	files := ruleset.NewFiles(filepath.Join(dir, "*.yaml"), a)
	write(t, a, good)
	write(t, b, "")
	one, faults := files.Groups(t.Context())
	require.Empty(t, faults)
	assert.Equal(t, map[string][]string{"a.yaml": {"g"}, "b.yaml": {}}, names(one))

	same, faults := files.Groups(t.Context())
	require.Empty(t, faults)
	assert.Equal(t, one.Version, same.Version)

	write(t, b, strings.Replace(good, "name: g", "name: h", 1))
	two, faults := files.Groups(t.Context())
	require.Empty(t, faults)
	assert.NotEqual(t, one.Version, two.Version)
	assert.Equal(t, map[string][]string{"a.yaml": {"g"}, "b.yaml": {"h"}}, names(two))

	require.NoError(t, os.Remove(b))
	three, faults := files.Groups(t.Context())
	require.Empty(t, faults)
	assert.Equal(t, map[string][]string{"a.yaml": {"g"}}, names(three))
}

func TestABadFileKeepsItsOldGroups(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	files := ruleset.NewFiles(filepath.Join(dir, "*.yaml"))
	write(t, a, good)
	before, faults := files.Groups(t.Context())
	require.Empty(t, faults)

	write(t, a, strings.Replace(good, "up == 0", "'up =='", 1))
	write(t, b, "groups: {")
	for range 2 {
		after, faults := files.Groups(t.Context())
		require.Len(t, faults, 2, "a fault stays until it is mended")
		assert.Equal(t, a, faults[0].File)
		assert.Equal(t, before.Version, after.Version)
		assert.Equal(t, map[string][]string{"a.yaml": {"g"}}, names(after))
	}

	write(t, a, strings.Replace(good, "name: g", "name: new", 1))
	write(t, b, "")
	after, faults := files.Groups(t.Context())
	require.Empty(t, faults)
	assert.Equal(t, map[string][]string{"a.yaml": {"new"}, "b.yaml": {}}, names(after))
}

// TestConfigMapSwap replaces files as the kubelet does: the name links to ..data, which links to a folder of its own.
func TestConfigMapSwap(t *testing.T) {
	dir := t.TempDir()
	publish := func(version, content string) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "rules.yaml"), content)
		require.NoError(t, os.Symlink(version, filepath.Join(dir, "..tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	}
	publish("..one", good)
	require.NoError(t, os.Symlink(filepath.Join("..data", "rules.yaml"), filepath.Join(dir, "rules.yaml")))
	files := ruleset.NewFiles(filepath.Join(dir, "*.yaml"))
	set, faults := files.Groups(t.Context())
	require.Empty(t, faults)
	assert.Equal(t, map[string][]string{"rules.yaml": {"g"}}, names(set))

	publish("..two", strings.Replace(good, "name: g", "name: h", 1))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "..one")))
	set, faults = files.Groups(t.Context())
	require.Empty(t, faults)
	assert.Equal(t, map[string][]string{"rules.yaml": {"h"}}, names(set), "the group's file keeps its name")
}

func TestAMissingFileIsAFault(t *testing.T) {
	_, faults := ruleset.NewFiles(filepath.Join(t.TempDir(), "rules.yaml"), filepath.Join(t.TempDir(), "*.yaml"), "[").Groups(t.Context())
	require.Len(t, faults, 2)
	assert.ErrorContains(t, faults[0], "rules.yaml: file does not exist")
	assert.ErrorContains(t, faults[1], "[: syntax error in pattern")
}

func TestFaultsNameTheLine(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"expression": {"groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up ==\n", `r.yaml:5:11: group "g", rule 1, "A": could not parse expression`},
		"yaml":       {"groups:\n- name: g\n  rules: [\n", "r.yaml:"},
		"key":        {"groups:\n- name: g\n  rools: []\n", "r.yaml:3: field rools not found"},
		"twice":      {"groups:\n- name: g\n- name: g\n", `r.yaml:3:3: groupname: "g" is repeated`},
		"template":   {"groups:\n- name: g\n  rules:\n  - record: a\n    expr: up\n  - alert: A\n    expr: up\n    annotations:\n      x: '{{'\n", `r.yaml:6:5: group "g", rule 2, "A": annotation "x"`},
		"label":      {"groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    labels: {__name__: x}\n", "r.yaml:4:5: "},
		"both":       {"groups:\n- name: g\n  rules:\n  - alert: A\n    record: a\n    expr: up\n", "r.yaml:5:13: "},
		"neither":    {"groups:\n- name: g\n  rules:\n  - expr: up\n", "r.yaml:4:5: "},
	} {
		groups, faults := ruleset.Parse("r.yaml", []byte(tc.content))
		assert.Nil(t, groups, name)
		if assert.NotEmpty(t, faults, name) {
			assert.ErrorContains(t, faults[0], tc.want, name)
			assert.Positive(t, faults[0].Line, name)
		}
	}
}

type source struct {
	set    ruleset.Set
	faults []ruleset.FileError
}

func (s source) Groups(context.Context) (ruleset.Set, []ruleset.FileError) { return s.set, s.faults }

func TestSourcesJoinAndLoad(t *testing.T) {
	one := source{set: ruleset.Set{Version: "1", Files: []ruleset.File{{Name: "a", Groups: []rulefmt.RuleGroup{{Name: "g"}}}}}, faults: []ruleset.FileError{{File: "c", Reason: "bad"}}}
	two := source{set: ruleset.Set{Version: "2", Files: []ruleset.File{{Name: "b", RuleIDs: map[string]map[string]string{"g": {"A": "id"}}}}}}
	set, faults := ruleset.Join(one, two).Groups(t.Context())
	assert.Equal(t, "1 2", set.Version)
	assert.Equal(t, one.faults, faults)

	var loader ruleset.Loader
	_, errs := loader.Load("a", false, model.UTF8Validation)
	assert.NotEmpty(t, errs)
	assert.Equal(t, []string{"a", "b"}, loader.Use(set))
	groups, errs := loader.Load("a", false, model.UTF8Validation)
	require.Empty(t, errs)
	assert.Equal(t, one.set.Files[0].Groups, groups.Groups)
	assert.Equal(t, "id", loader.RuleID("b", "g", "A"))
	assert.Empty(t, loader.RuleID("a", "g", "A"))
	_, errs = loader.Load("c", false, model.UTF8Validation)
	assert.NotEmpty(t, errs)
}

// FuzzParse wants no panic, and a reason for all that is refused.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, annotations: {x: '{{ $value }}'}}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, faults := ruleset.Parse("f", content); len(faults) > 0 && faults[0].Reason == "" {
			t.Fatal("refused without a reason")
		}
	})
}
