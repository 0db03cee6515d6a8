package main

import (
	"context"
	_ "embed"
	"path/filepath"
)

//go:embed profile.yaml
var profileConfig []byte

// record runs our binary alone and leaves a CPU profile of its load and its queries in a file.
func record(ctx context.Context, o options) error {
	profile, err := filepath.Abs(o.cpuProfile)
	if err != nil {
		return err
	}
	_, err = measure(ctx, profiled(collectorTarget(o.collector), profile), o)
	return err
}

// profiled adds to a collector that it profiles itself from its start to its end.
func profiled(t target, profile string) target {
	t = t.with("profile.yaml", profileConfig)
	command := t.command
	t.command = func(dir string, p ports) (args, env []string, err error) {
		args, env, err = command(dir, p)
		return args, append(env, "BENCH_PROFILE="+profile), err
	}
	return t
}
