package alertruleprocessor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// An evaluation is a span, which tells what failed.
func TestAnEvaluationIsASpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "groups: [{name: ovens, rules: [{alert: Hot, expr: temperature > 30}, {record: twice, expr: temperature * on () vector(1)}]}]\n")
		recorder := tracetest.NewSpanRecorder()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
		defer func() { require.NoError(t, provider.Shutdown(context.Background())) }()
		b.set.TracerProvider = provider
		b.start()
		defer b.close()
		b.pass(time.Minute, 40, "temperature", "job", "oven")
		var found sdktrace.ReadOnlySpan
		for _, span := range recorder.Ended() {
			for _, a := range span.Attributes() {
				if a == attribute.String("rule.group", "ovens") {
					found = span
				}
			}
		}
		require.NotNil(t, found)
		assert.Equal(t, "evaluate rule group", found.Name())
		assert.Contains(t, found.Attributes(), attribute.Int("rule.count", 2))
		assert.Contains(t, found.Attributes(), attribute.Int("rule.failed", 0))
		assert.Equal(t, codes.Unset, found.Status().Code)
	})
}
