package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
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

// server is a running target.
type server struct {
	cmd    *exec.Cmd
	exited chan error
}

// start runs a target in dir and waits until it is ready. Its output goes to dir/log.
func start(ctx context.Context, t target, dir string, p ports) (*server, error) {
	args, env, err := t.command(dir, p)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// Not CommandContext: it would kill, and a killed server tells nothing.
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, exited: make(chan error, 1)}
	go func() { s.exited <- cmd.Wait() }()
	if err := s.ready(ctx, t.readyURL(p)); err != nil {
		output, readErr := os.ReadFile(log.Name())
		return nil, errors.Join(err, readErr, s.stop(), fmt.Errorf("its output:\n%s", output))
	}
	return s, nil
}

func (s *server) ready(ctx context.Context, url string) error {
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

// stop ends the process by its own ID, the hard way once the deadline is over.
func (s *server) stop() error {
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

// cpu gives the seconds that the process has spent, in user and kernel mode.
func (s *server) cpu() (float64, error) {
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

// peakMemory gives the largest resident set so far, in bytes.
func (s *server) peakMemory() (float64, error) {
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

// diskUsage gives the bytes of all files below a directory that are allocated: the TSDB reserves more than it uses.
func diskUsage(dir string) (float64, error) {
	total := int64(0)
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			total += stat.Blocks * 512
		}
		return nil
	})
	return float64(total), err
}

// freePorts gives ports that nobody listened on a moment ago.
func freePorts(ctx context.Context) (p ports, err error) {
	var listeners []net.Listener
	// All stay open until the last is found, so that they differ.
	defer func() {
		for _, l := range listeners {
			err = errors.Join(err, l.Close())
		}
	}()
	for _, port := range []*int{&p.otlp, &p.api, &p.health, &p.telemetry} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "localhost:0")
		if err != nil {
			return ports{}, err
		}
		listeners = append(listeners, l)
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}
