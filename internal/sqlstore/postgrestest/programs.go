package postgrestest

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
)

// ErrNotInstalled answers where there is no server to start.
var ErrNotInstalled = errors.New("no PostgreSQL server is installed: run `apt-get install postgresql`")

// debian is where Debian's packages put what is not in PATH, one directory a version.
const debian = "/usr/lib/postgresql/*/bin/"

// program finds a program of the server's package.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return filepath.EvalSymlinks(path)
	}
	found, err := filepath.Glob(debian + name)
	if err != nil || len(found) == 0 {
		return "", ErrNotInstalled
	}
	return slices.Max(found), nil
}
