package otlpreceiver

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// TestManySendAtOnce has senders share what requests are read with: each must come out whole.
func TestManySendAtOnce(t *testing.T) {
	r := start(t, NewFactory(), nil)
	const senders, requests = 8, 40
	var sending sync.WaitGroup
	for sender := range senders {
		sending.Go(func() {
			client := pmetricotlp.NewGRPCClient(dial(t, r.grpc))
			for i := range requests {
				req := pmetricotlp.NewExportRequestFromMetrics(numbered(sender, i))
				if i%2 == 0 {
					_, err := client.Export(t.Context(), req)
					assert.NoError(t, err)
					continue
				}
				assert.NoError(t, post("http://"+r.http+"/v1/metrics", req))
			}
		})
	}
	sending.Wait()

	var want [][]byte
	for sender := range senders {
		for i := range requests {
			body, err := pmetricotlp.NewExportRequestFromMetrics(numbered(sender, i)).MarshalProto()
			require.NoError(t, err)
			want = append(want, body)
		}
	}
	require.ElementsMatch(t, want, r.take())
}

// post sends a request, which must be taken.
func post(url string, req pmetricotlp.ExportRequest) error {
	body, err := req.MarshalProto()
	if err != nil {
		return err
	}
	resp, err := http.Post(url, protobufType, bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	return nil
}

// numbered has points that no other request has.
func numbered(sender, request int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for i := range 3 {
		m := metrics.AppendEmpty()
		m.SetName(fmt.Sprintf("metric_%d_%d", sender, i))
		for j := range 20 {
			p := m.SetEmptyGauge().DataPoints().AppendEmpty()
			p.SetIntValue(int64(request))
			p.Attributes().PutStr("sender", fmt.Sprint(sender))
			p.Attributes().PutStr("point", fmt.Sprint(request, i, j))
		}
	}
	return md
}

// TestShutdownWaitsForWhatIsBeingTaken shuts down while a pipeline takes its time.
func TestShutdownWaitsForWhatIsBeingTaken(t *testing.T) {
	for _, protocol := range []string{"gRPC", "HTTP"} {
		t.Run(protocol, func(t *testing.T) {
			factory := NewFactory()
			cfg := factory.CreateDefaultConfig().(*Config)
			grpcAddress, httpAddress := freeAddress(t), freeAddress(t)
			cfg.GRPC.GetOrInsertDefault().NetAddr.Endpoint = grpcAddress
			cfg.HTTP.GetOrInsertDefault().ServerConfig.NetAddr.Endpoint = httpAddress
			begun, release := make(chan struct{}), make(chan struct{})
			slow, err := consumer.NewMetrics(func(context.Context, pmetric.Metrics) error {
				close(begun)
				<-release
				return nil
			})
			require.NoError(t, err)
			r, err := factory.CreateMetrics(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, slow)
			require.NoError(t, err)
			require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))

			answered := make(chan error)
			client := pmetricotlp.NewGRPCClient(dial(t, grpcAddress))
			go func() {
				req := pmetricotlp.NewExportRequestFromMetrics(numbered(1, 1))
				if protocol == "gRPC" {
					_, err := client.Export(context.Background(), req)
					answered <- err
					return
				}
				answered <- post("http://"+httpAddress+"/v1/metrics", req)
			}()
			<-begun
			down := make(chan error)
			go func() { down <- r.Shutdown(context.Background()) }()
			select {
			case err := <-down:
				t.Fatal("shut down while a request was being taken:", err)
			default:
			}
			close(release)
			require.NoError(t, <-answered)
			require.NoError(t, <-down)
		})
	}
}

// TestServesWhatHasAPipeline has one signal only, and one protocol.
func TestServesWhatHasAPipeline(t *testing.T) {
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig().(*Config)
	address := freeAddress(t)
	cfg.HTTP.GetOrInsertDefault().ServerConfig.NetAddr.Endpoint = address
	cfg.HTTP.Get().LogsURLPath = "/in/logs"
	r, err := factory.CreateLogs(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, r.Shutdown(context.Background())) }()
	for path, code := range map[string]int{"/in/logs": 200, "/v1/logs": 404, "/v1/traces": 404, "/v1/metrics": 404, profilesURLPath: 404} {
		assert.Equal(t, code, send(t, "http://"+address+path, "POST", jsonType, "", []byte("{}")).code, path)
	}
}

// TestPortInUse leaves nothing behind: goleak looks, and the port of the other protocol is free again.
func TestPortInUse(t *testing.T) {
	for _, taken := range []string{"gRPC", "HTTP"} {
		t.Run(taken, func(t *testing.T) {
			l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			factory := NewFactory()
			cfg := factory.CreateDefaultConfig().(*Config)
			endpoints := map[string]string{"gRPC": freeAddress(t), "HTTP": freeAddress(t)}
			free := endpoints[map[string]string{"gRPC": "HTTP", "HTTP": "gRPC"}[taken]]
			endpoints[taken] = l.Addr().String()
			cfg.GRPC.GetOrInsertDefault().NetAddr.Endpoint = endpoints["gRPC"]
			cfg.HTTP.GetOrInsertDefault().ServerConfig.NetAddr.Endpoint = endpoints["HTTP"]
			r, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, consumertest.NewNop())
			require.NoError(t, err)
			require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "address already in use")
			require.NoError(t, r.Shutdown(context.Background()))
			again, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", free)
			require.NoError(t, err)
			require.NoError(t, again.Close())
		})
	}
}

// TestAConfigurationIsOneReceiver until it is shut down: a service that is started anew has a new one.
func TestAConfigurationIsOneReceiver(t *testing.T) {
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig()
	create := func(cfg component.Config) (component.Component, component.Component) {
		set := receivertest.NewNopSettings(factory.Type())
		logs, err := factory.CreateLogs(t.Context(), set, cfg, consumertest.NewNop())
		require.NoError(t, err)
		traces, err := factory.CreateTraces(t.Context(), set, cfg, consumertest.NewNop())
		require.NoError(t, err)
		return logs, traces
	}
	logs, traces := create(cfg)
	assert.Same(t, logs, traces)
	other, _ := create(factory.CreateDefaultConfig())
	assert.NotSame(t, logs, other)
	require.NoError(t, logs.Shutdown(context.Background()))
	require.NoError(t, traces.Shutdown(context.Background()))
	anew, _ := create(cfg)
	assert.NotSame(t, logs, anew)
}
