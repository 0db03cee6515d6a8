package metricstore

import "context"

type atomicKey struct{}

// WithAtomic asks whoever writes the metrics that come with this context to store all of them or none. It holds as
// far as the context goes: a queue or a batch on the way ends it.
func WithAtomic(ctx context.Context) context.Context {
	return context.WithValue(ctx, atomicKey{}, true)
}

// IsAtomic says whether WithAtomic was called.
func IsAtomic(ctx context.Context) bool {
	atomic, _ := ctx.Value(atomicKey{}).(bool)
	return atomic
}
