package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// stopWithin is how long a program may take to end before it is killed.
	stopWithin = 15 * time.Second
	// readyWithin is how long it may take to answer.
	readyWithin = time.Minute
)

// child is a program that runs until the stack ends.
type child struct {
	name, log string
	// ready is a URL that answers 200 once the program does its work.
	ready string
	env   []string
	args  []string
}

// start gives a function that waits for the program's end, which is an error unless ctx has ended.
func (c child) start(ctx context.Context) (end func() error, err error) {
	log, err := os.Create(c.log)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...) //nolint:gosec // The user's flags name the programs.
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopWithin
	// Ctrl-C goes to the whole foreground; each program ends when we say so.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.name, err), log.Close())
	}
	return func() error {
		defer log.Close()
		err := cmd.Wait()
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = errors.New("exit status 0")
		}
		return fmt.Errorf("%s ended, see %s: %w", c.name, c.log, err)
	}, nil
}

// await the program's work.
func (c child) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer at %s, see %s: %w", c.name, c.ready, c.log, context.Cause(ctx))
		case <-ticker.C:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.ready, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
}
