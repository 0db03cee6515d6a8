// Package server runs the servers that benchmarks put under load, and takes what they cost. Linux only: it reads /proc.
package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	startDeadline = time.Minute
	stopDeadline  = 30 * time.Second
	// ticksPerSecond is the unit of the CPU times in /proc, USER_HZ: 100 on every Linux that Go runs on.
	ticksPerSecond = 100
)

// Command starts a server.
type Command struct {
	// Dir is empty, and of this server alone.
	Dir string
	// Args begin with the binary; Env is added to the environment.
	Args, Env []string
	// ReadyURL answers 200 once the server is ready.
	ReadyURL string
}

// Server is one that runs.
type Server struct {
	cmd    *exec.Cmd
	exited chan error
}

// Start runs a server and waits until it is ready. Its output goes to the file log in its directory.
func Start(ctx context.Context, c Command) (*Server, error) {
	log, err := os.Create(filepath.Join(c.Dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// Not CommandContext: it would kill, and a killed server tells nothing.
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, append(os.Environ(), c.Env...), log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &Server{cmd: cmd, exited: make(chan error, 1)}
	go func() { s.exited <- cmd.Wait() }()
	if err := s.ready(ctx, c.ReadyURL); err != nil {
		output, readErr := os.ReadFile(log.Name())
		return nil, errors.Join(err, readErr, s.Stop(), fmt.Errorf("its output:\n%s", output))
	}
	return s, nil
}

func (s *Server) ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case err := <-s.exited:
			s.exited <- err
			return fmt.Errorf("exited before it was ready: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", ctx.Err())
		}
	}
}

// Stop ends the process by its own ID, the hard way once the deadline is over.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	deadline := time.NewTimer(stopDeadline)
	defer deadline.Stop()
	select {
	case err := <-s.exited:
		return err
	case <-deadline.C:
		return errors.Join(errors.New("did not stop in time"), s.cmd.Process.Kill())
	}
}

// CPU gives the seconds that the process has spent, in user and kernel mode.
func (s *Server) CPU() (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The command's name, in brackets, may hold spaces. utime and stime are fields 14 and 15 of proc_pid_stat(5).
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("unexpected /proc/PID/stat: %s", stat)
	}
	user, userErr := strconv.ParseFloat(fields[11], 64)
	system, systemErr := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticksPerSecond, errors.Join(userErr, systemErr)
}

// PeakMemory gives the largest resident set so far, in bytes.
func (s *Server) PeakMemory() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kib * 1024, err
		}
	}
	return 0, errors.New("no VmHWM in /proc/PID/status")
}
