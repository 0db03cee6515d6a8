package deploy

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long a collector may take to start on a machine that is busy.
const patience = 2 * time.Minute

func command(name string, args ...string) *exec.Cmd { return exec.Command(name, args...) }

// unit is the installed unit as systemd reads it, as far as the start of its process goes.
type unit struct {
	settings map[string][]string
	env      []string
}

func (i *installation) unit() unit {
	i.t.Helper()
	u := unit{settings: map[string][]string{}}
	for line := range strings.Lines(i.read(unitFile)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found && !strings.HasPrefix(name, "#") {
			u.settings[name] = append(u.settings[name], value)
		}
	}
	u.env = append(u.env, u.settings["Environment"]...)
	for _, file := range u.settings["EnvironmentFile"] {
		for line := range strings.Lines(i.read(strings.TrimPrefix(file, "-"))) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				u.env = append(u.env, line)
			}
		}
	}
	return u
}

// inRoot puts the package's paths below the directory that it is installed in.
func (i *installation) inRoot(text string) string {
	for _, path := range []string{"/etc/quantivista", "/var/lib/quantivista", "/usr/bin/"} {
		text = strings.ReplaceAll(text, path, i.root+path)
	}
	return text
}

// start what ExecStart says, in the directories and with the environment of the unit.
func (i *installation) start() *exec.Cmd {
	i.t.Helper()
	u := i.unit()
	require.Len(i.t, u.settings["ExecStart"], 1)
	for _, folder := range strings.Fields(u.settings["StateDirectory"][0]) {
		require.NoError(i.t, os.MkdirAll(filepath.Join(i.root, "var", "lib", folder), 0o750))
	}
	cmd := u.settings["ExecStart"][0]
	env := []string{"PATH=" + os.Getenv("PATH")}
	for _, pair := range u.env {
		name, value, found := strings.Cut(pair, "=")
		require.True(i.t, found, pair)
		env = append(env, name+"="+i.inRoot(value))
		cmd = strings.ReplaceAll(cmd, "$"+name, value)
	}
	args := strings.Fields(i.inRoot(cmd))
	process := command(args[0], args[1:]...)
	process.Dir, process.Env = i.inRoot(u.settings["WorkingDirectory"][0]), env
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	process.Stdout, process.Stderr = &log, &log
	i.t.Cleanup(func() {
		if i.t.Failed() {
			i.t.Logf("the log of %s:\n%s", args, log.String())
		}
	})
	require.NoError(i.t, process.Start())
	return process
}

// freePorts replaces the ports of a configuration that is installed, as an administrator may, and gives the one of health.
func (i *installation) freePorts(path string) (health int) {
	i.t.Helper()
	text := i.read(path)
	for _, port := range []string{"3500", "4317", "4318", "8090", "8091", "8888", strconv.Itoa(healthPort)} {
		listener, err := net.Listen("tcp", "localhost:0")
		require.NoError(i.t, err)
		i.t.Cleanup(func() { _ = listener.Close() }) // It is closed already, unless the test ended before.
		free := listener.Addr().(*net.TCPAddr).Port
		text = strings.ReplaceAll(text, ":"+port+"\n", ":"+strconv.Itoa(free)+"\n")
		text = strings.ReplaceAll(text, ":"+port+"]", ":"+strconv.Itoa(free)+"]")
		if port == "8888" {
			text = strings.Replace(text, "  telemetry:\n", "  telemetry:\n    metrics: {readers: [{pull: {exporter: {prometheus: {host: localhost, port: "+
				strconv.Itoa(free)+"}}}}]}\n", 1)
		}
		if port == strconv.Itoa(healthPort) {
			health = free
		}
		require.NoError(i.t, listener.Close())
	}
	i.write(path, text)
	return health
}

// Each configuration of the package starts by the unit, and ends in time when systemd says so.
func TestTheUnitStarts(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	i.dpkg("--install", tool(t, "DEB"))
	options := i.read("etc/default/quantivista")
	for _, config := range []string{"all-in-one", "gateway", "host"} {
		t.Run(config, func(t *testing.T) {
			i.write("etc/default/quantivista", strings.Replace(options, "all-in-one.yaml", config+".yaml", 2)+"JOURNALCTL=cat\n")
			health := i.freePorts("etc/quantivista/" + config + ".yaml")
			process := i.start()
			ended := make(chan error, 1)
			go func() { ended <- process.Wait() }()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			awaitHealth(ctx, t, health, ended)

			require.NoError(t, process.Process.Signal(syscall.SIGTERM))
			select {
			case err := <-ended:
				assert.NoError(t, err)
			case <-ctx.Done():
				require.NoError(t, process.Process.Kill())
				t.Fatal("it does not end")
			}
		})
	}
}

// awaitHealth waits until it is healthy, and stays so: the collector takes signals a moment later only.
func awaitHealth(ctx context.Context, t *testing.T, port int, ended <-chan error) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for healthy := 0; healthy < 10; {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-ctx.Done():
			t.Fatal("it does not get healthy")
		case <-tick.C:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost:"+strconv.Itoa(port), http.NoBody)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		healthy++
		if answer.StatusCode != http.StatusOK {
			healthy = 0
		}
	}
}
