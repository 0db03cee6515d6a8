package otlpreceiver

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/receiver/xreceiver"
)

// running is a receiver of all signals, and what came out of it.
type running struct {
	pipelines
	telemetry  *componenttest.Telemetry
	grpc, http string
	components []component.Component
}

// start runs a receiver of a factory on free ports.
func start(t *testing.T, factory receiver.Factory, configure func(*Config)) *running {
	t.Helper()
	r := &running{telemetry: componenttest.NewTelemetry(), grpc: freeAddress(t), http: freeAddress(t)}
	cfg := factory.CreateDefaultConfig().(*Config)
	cfg.GRPC.GetOrInsertDefault().NetAddr.Endpoint = r.grpc
	cfg.HTTP.GetOrInsertDefault().ServerConfig.NetAddr.Endpoint = r.http
	if configure != nil {
		configure(cfg)
	}
	set := receivertest.NewNopSettings(factory.Type())
	set.ID = component.NewID(factory.Type()) // not one of chance, which is counted by
	set.TelemetrySettings = r.telemetry.NewTelemetrySettings()

	traces, err := factory.CreateTraces(t.Context(), set, cfg, &r.pipelines)
	require.NoError(t, err)
	metrics, err := factory.CreateMetrics(t.Context(), set, cfg, &r.pipelines)
	require.NoError(t, err)
	logs, err := factory.CreateLogs(t.Context(), set, cfg, &r.pipelines)
	require.NoError(t, err)
	profiles, err := factory.(xreceiver.Factory).CreateProfiles(t.Context(), set, cfg, &r.pipelines)
	require.NoError(t, err)
	r.components = []component.Component{traces, metrics, logs, profiles}
	for _, c := range r.components {
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	}
	t.Cleanup(func() { r.shutdown(t) })
	return r
}

func (r *running) shutdown(t *testing.T) {
	for _, c := range r.components {
		require.NoError(t, c.Shutdown(context.Background()))
	}
	require.NoError(t, r.telemetry.Shutdown(context.Background()))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// pipelines take what comes, or refuse it.
type pipelines struct {
	mu     sync.Mutex
	refuse error
	taken  [][]byte // as protobuf
}

func (*pipelines) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *pipelines) refuseWith(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = err
}

// take returns what has come, and forgets it.
func (p *pipelines) take() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.taken
	p.taken = nil
	return taken
}

func (p *pipelines) add(encoded []byte, err error) error {
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, encoded)
	return p.refuse
}

func (p *pipelines) ConsumeTraces(_ context.Context, td ptrace.Traces) error {
	return p.add((&ptrace.ProtoMarshaler{}).MarshalTraces(td))
}

func (p *pipelines) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	return p.add((&pmetric.ProtoMarshaler{}).MarshalMetrics(md))
}

func (p *pipelines) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	return p.add((&plog.ProtoMarshaler{}).MarshalLogs(ld))
}

func (p *pipelines) ConsumeProfiles(_ context.Context, pd pprofile.Profiles) error {
	return p.add((&pprofile.ProtoMarshaler{}).MarshalProfiles(pd))
}
