package deploy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var root = filepath.Join("..", "..")

// tool gives the path in an environment variable. A test without its tool fails; skipped, it would look as if it had passed.
func tool(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	require.NotEmpty(t, path, "%s is not set: run make deploy-test", variable)
	require.FileExists(t, path, "%s: run make deploy-test", variable)
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

// output runs a command that must succeed, and gives its standard output.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, errors, err := run(name, args...)
	require.NoError(t, err, "%s %v: %s", name, args, errors)
	return out
}

func run(name string, args ...string) (stdout, stderr string, err error) {
	var out, errors bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errors
	err = cmd.Run()
	return out.String(), errors.String(), err
}
