package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stopDeadline is how long a shutdown may take, requests in flight or not.
const stopDeadline = 10 * time.Second

// process is one run of the binary.
type process struct {
	cmd  *exec.Cmd
	log  logBuffer
	done chan struct{} // closed at the end
	err  error         // of the end, to be read once done is closed
}

// launch runs a command, with a clock that may be off. Where the test forgets it, it is killed with the test.
func launch(t *testing.T, dir string, env []string, clockOff time.Duration, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	// A test binary that is killed, as by a timeout, takes its collectors with it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, startWithClockOff(p.cmd, clockOff))
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		if !p.exited() {
			_ = p.cmd.Process.Kill() // It may end by itself right now.
			<-p.done
		}
	})
	return p
}

func (p *process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// wait for the end, as long as patience goes.
func (p *process) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(patience):
		t.Fatalf("the process still runs; its log:\n%s", p.log.tail(5000))
		return nil
	}
}

// terminate sends SIGTERM and gives an error unless the process ends with code 0 in time.
func (p *process) terminate() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-time.After(stopDeadline):
		return fmt.Errorf("still running %s after SIGTERM", stopDeadline)
	}
}

// memory reads the resident memory of a process in MiB, now and at its peak.
func memory(t *testing.T, pid int) (now, peak int) {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.Atoi(fields[1]) // Other lines hold no number.
		switch fields[0] {
		case "VmRSS:":
			now = kib >> 10
		case "VmHWM:":
			peak = kib >> 10
		}
	}
	require.NotZero(t, now)
	return now, peak
}
