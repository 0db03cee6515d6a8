package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const unitFile = "usr/lib/systemd/system/quantivista.service"

// installation is a root directory that dpkg installs the package into, with a database and maintainer scripts that see it by
// DPKG_ROOT.
type installation struct {
	t    *testing.T
	root string
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	i := &installation{t: t, root: t.TempDir()}
	for _, folder := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"} {
		require.NoError(t, os.MkdirAll(filepath.Join(i.root, folder), 0o755))
	}
	for _, file := range []string{"var/lib/dpkg/status", "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"} {
		i.write(file, "")
	}
	return i
}

// path of a file of the package, below the root.
func (i *installation) path(file string) string { return filepath.Join(i.root, file) }

func (i *installation) write(path, text string) {
	i.t.Helper()
	require.NoError(i.t, os.WriteFile(filepath.Join(i.root, path), []byte(text), 0o600))
}

func (i *installation) read(path string) string {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join(i.root, path))
	require.NoError(i.t, err)
	return string(text)
}

func (i *installation) dpkg(args ...string) {
	i.t.Helper()
	cmd := command("dpkg", append([]string{"--root=" + i.root, "--force-script-chrootless", "--force-depends",
		"--force-confold", "--log=/dev/null"}, args...)...)
	if os.Geteuid() != 0 {
		// In a user namespace, whoever runs the tests is root.
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
	}
	out, err := cmd.CombinedOutput()
	require.NoError(i.t, err, "dpkg %v: %s", args, out)
}

// A package is installed, upgraded with an edited file, removed and purged.
func TestTheDebianPackage(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	i.dpkg("--install", tool(t, "DEB"))
	assert.Regexp(t, `(?m)^quantivista:.*:/var/lib/quantivista:/usr/sbin/nologin$`, i.read("etc/passwd"))
	enabled := i.path("etc/systemd/system/multi-user.target.wants/quantivista.service")
	_, err := os.Lstat(enabled)
	assert.NoError(t, err, "the unit is enabled")

	const edited = "OTELCOL_OPTIONS=--config=/etc/quantivista/host.yaml\n"
	i.write("etc/default/quantivista", edited)
	i.dpkg("--install", tool(t, "DEB"))
	assert.Equal(t, edited, i.read("etc/default/quantivista"), "an upgrade keeps what was edited")
	assert.Equal(t, 1, strings.Count("\n"+i.read("etc/passwd"), "\nquantivista:"))

	data := i.path("var/lib/quantivista")
	require.NoError(t, os.MkdirAll(data, 0o750))
	i.dpkg("--remove", "quantivista")
	assert.NoFileExists(t, i.path("usr/bin/otelcol-quantivista"))
	assert.Equal(t, edited, i.read("etc/default/quantivista"))
	i.dpkg("--purge", "quantivista")
	assert.NoFileExists(t, i.path("etc/default/quantivista"))
	_, err = os.Lstat(enabled)
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.DirExists(t, data, "data is nobody's but the administrator's to remove")
}

// Everything in /etc is a configuration file, which dpkg lets administrators edit; nothing else is.
func TestConffiles(t *testing.T) {
	t.Parallel()
	deb := tool(t, "DEB")
	conffiles := strings.Fields(output(t, "dpkg-deb", "--info", deb, "conffiles"))
	var inEtc []string
	for line := range strings.Lines(output(t, "dpkg-deb", "--contents", deb)) {
		fields := strings.Fields(line)
		path := strings.TrimPrefix(fields[5], ".")
		if strings.HasPrefix(path, "/etc/") && !strings.HasSuffix(path, "/") {
			inEtc = append(inEtc, path)
		}
		assert.Equal(t, "root/root", fields[1], path)
		assert.NotContains(t, fields[0][1:], "rwxrwx", path)
		if path == "/etc/default/quantivista" {
			assert.Equal(t, "-rw-------", fields[0], "it may hold a password")
		}
	}
	assert.ElementsMatch(t, inEtc, conffiles)
	rules, err := filepath.Glob(filepath.Join(root, "configs", "rules", "*.yaml"))
	require.NoError(t, err)
	for _, file := range rules {
		assert.Contains(t, conffiles, "/etc/quantivista/rules/"+filepath.Base(file))
	}
}

// systemd knows every line of the unit, and finds it well confined: 10 is a process that may do anything.
func TestTheUnitIsConfined(t *testing.T) {
	t.Parallel()
	// systemd looks whether what the unit starts is there.
	text := strings.Replace(read(t, "deploy/debian/quantivista.service"), "/usr/bin/otelcol-quantivista", tool(t, "OTELCOL_BINARY"), 1)
	unit := filepath.Join(t.TempDir(), "quantivista.service")
	require.NoError(t, os.WriteFile(unit, []byte(text), 0o600))
	_, errors, err := run("systemd-analyze", "verify", "--man=no", unit)
	require.NoError(t, err, errors)
	for line := range strings.Lines(errors) {
		assert.NotContains(t, line, "quantivista.service", "systemd-analyze verify")
	}
	out, errors, err := run("systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", unit)
	assert.NoError(t, err, out+errors)
}
