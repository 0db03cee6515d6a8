package distribution

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

const root = "../.."

func read(t *testing.T) *Manifest {
	t.Helper()
	m, err := Read(filepath.Join(root, "builder-config.yaml"))
	require.NoError(t, err)
	return m
}

func TestEveryFactoryIsTheManifestsAndTheOtherWayRound(t *testing.T) {
	m := read(t)
	generated := parse(t, filepath.Join(m.Dist.OutputPath, "components.go"))
	packages := imports(t, generated)
	registered := factories(generated)
	for kind, modules := range m.Components() {
		var want []string
		for _, module := range modules {
			want = append(want, module.Package())
		}
		var got []string
		for _, alias := range registered[kind] {
			got = append(got, packages[alias])
		}
		assert.ElementsMatch(t, want, got, kind)
	}
}

func TestProvidersAreTheManifests(t *testing.T) {
	m := read(t)
	packages := imports(t, parse(t, filepath.Join(m.Dist.OutputPath, "main.go")))
	for _, provider := range m.Providers {
		assert.Contains(t, packages, provider.Name())
		assert.Equal(t, provider.Package(), packages[provider.Name()])
	}
}

func TestVersionsAreThoseOfGoMod(t *testing.T) {
	m := read(t)
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	mod, err := modfile.Parse("go.mod", text, nil)
	require.NoError(t, err)
	assert.Empty(t, mod.Replace, "a replace directive breaks go install")
	required := map[string]string{mod.Module.Mod.Path: "v" + m.Dist.Version}
	for _, r := range mod.Require {
		required[r.Mod.Path] = r.Mod.Version
	}
	modules := m.Providers
	for _, kind := range m.Components() {
		modules = append(modules, kind...)
	}
	for _, module := range modules {
		assert.Equal(t, required[module.Path()], module.Version(), module.Path())
	}
	assert.Equal(t, mod.Module.Mod.Path, m.Dist.Module)
}

func TestEveryComponentOfOursIsInTheManifest(t *testing.T) {
	m := read(t)
	for kind, modules := range m.Components() {
		var listed []string
		for _, module := range modules {
			if folder, ours := strings.CutPrefix(module.Package(), m.Dist.Module+"/"); ours {
				listed = append(listed, folder)
			}
		}
		files, err := filepath.Glob(filepath.Join(root, kind, "*", "metadata.yaml"))
		require.NoError(t, err)
		var present []string
		for _, file := range files {
			present = append(present, kind+"/"+filepath.Base(filepath.Dir(file)))
		}
		assert.ElementsMatch(t, present, listed, kind)
	}
}

// A comparison with other versions would compare these. Of a part that we have another of, our tests need the version.
func TestTheStockCollectorIsOfTheSameParts(t *testing.T) {
	m := read(t)
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	stock, err := Read(filepath.Join(root, "test", "peers", "collector", "builder-config.yaml"))
	require.NoError(t, err)
	for kind, modules := range stock.Components() {
		require.NotEmpty(t, modules, kind)
		for _, module := range modules {
			assert.Contains(t, string(goMod), "\t"+module.GoMod+"\n", kind)
			assert.NotEqual(t, m.Dist.Module, module.Path(), kind)
		}
	}
}

func TestAMisspeltKeyIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	require.NoError(t, os.WriteFile(file, []byte("receiver:\n  - gomod: example.org/r v1.0.0\n"), 0o600))
	_, err := Read(file)
	require.ErrorContains(t, err, "field receiver not found")
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	return parsed
}

// imports gives the import path by the name that the file gives it.
func imports(t *testing.T, file *ast.File) map[string]string {
	t.Helper()
	packages := map[string]string{}
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		if spec.Name != nil {
			packages[spec.Name.Name] = importPath
		}
	}
	return packages
}

// factories gives, for each field of otelcol.Factories by its lower-case name, the packages whose NewFactory fills it.
func factories(file *ast.File) map[string][]string {
	registered := map[string][]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		assignment, ok := node.(*ast.AssignStmt)
		if !ok || len(assignment.Rhs) != 1 {
			return true
		}
		field, ok := assignment.Lhs[0].(*ast.SelectorExpr)
		if !ok {
			return true
		}
		call, ok := assignment.Rhs[0].(*ast.CallExpr)
		if !ok {
			return true
		}
		kind := strings.ToLower(field.Sel.Name)
		for _, argument := range call.Args {
			if pkg := newFactoryOf(argument); pkg != "" {
				registered[kind] = append(registered[kind], pkg)
			}
		}
		return true
	})
	return registered
}

// newFactoryOf gives x of the expression x.NewFactory(), or "".
func newFactoryOf(expr ast.Expr) string {
	call, ok := expr.(*ast.CallExpr)
	if !ok {
		return ""
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "NewFactory" {
		return ""
	}
	pkg, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return pkg.Name
}
