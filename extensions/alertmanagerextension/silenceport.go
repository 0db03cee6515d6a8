package alertmanagerextension

import (
	"context"

	"github.com/quantivista/monitoring/internal/alertmanager"
)

// Silences implements alertmanager.Silencer.
func (e *amExtension) Silences(ctx context.Context) ([]alertmanager.Silence, error) {
	if !e.ready.Load() {
		return nil, alertmanager.ErrNotReady
	}
	return e.engine.ListSilences(ctx)
}

// Silence implements alertmanager.Silencer.
func (e *amExtension) Silence(ctx context.Context, id string) (alertmanager.Silence, error) {
	if !e.ready.Load() {
		return alertmanager.Silence{}, alertmanager.ErrNotReady
	}
	return e.engine.Silence(ctx, id)
}

// SetSilence implements alertmanager.Silencer.
func (e *amExtension) SetSilence(ctx context.Context, s alertmanager.Silence) (set alertmanager.Silence, err error) {
	err = e.changeSilences(ctx, func() (err error) {
		set, err = e.engine.SetSilence(ctx, s)
		return err
	})
	return set, err
}

// ExpireSilence implements alertmanager.Silencer.
func (e *amExtension) ExpireSilence(ctx context.Context, id string) error {
	return e.changeSilences(ctx, func() error { return e.engine.ExpireSilence(ctx, id) })
}

func (e *amExtension) changeSilences(ctx context.Context, do func() error) error {
	switch {
	case !e.ready.Load():
		return alertmanager.ErrNotReady
	case e.keeper == nil:
		return do()
	default:
		return e.keeper.changeSilences(ctx, do)
	}
}

// Decide implements alertmanager.Decider.
func (e *amExtension) Decide(ctx context.Context, labels map[string]string) (alertmanager.Decision, error) {
	if !e.ready.Load() {
		return alertmanager.Decision{}, alertmanager.ErrNotReady
	}
	return e.engine.Decide(ctx, labels)
}

// Test implements alertmanager.Tester.
func (e *amExtension) Test(ctx context.Context, receiver string) ([]alertmanager.Outcome, error) {
	if !e.ready.Load() {
		return nil, alertmanager.ErrNotReady
	}
	return e.engine.Test(ctx, receiver)
}
