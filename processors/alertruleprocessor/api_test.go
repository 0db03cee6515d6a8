package alertruleprocessor

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	apiv1 "github.com/prometheus/prometheus/web/api/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/quantivista/monitoring/extensions/metricstoreextension"
	"github.com/quantivista/monitoring/extensions/monitoringapiextension"
	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadata"
)

// startExtension runs an extension until the end of the test.
func startExtension(t *testing.T, h component.Host, factory extension.Factory, cfg component.Config) component.Component {
	t.Helper()
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(context.Background(), h))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return ext
}

// startAPI gives a host with the real metric store and API, and the API's URL.
func startAPI(t *testing.T) (h *host, base string) {
	t.Helper()
	h = &host{extensions: map[component.ID]component.Component{}}
	storeFactory := metricstoreextension.NewFactory()
	storeConfig := storeFactory.CreateDefaultConfig().(*metricstoreextension.Config)
	storeConfig.Directory = t.TempDir()
	h.extensions[component.MustNewID("metric_store")] = startExtension(t, h, storeFactory, storeConfig)

	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())
	apiFactory := monitoringapiextension.NewFactory()
	apiConfig := apiFactory.CreateDefaultConfig().(*monitoringapiextension.Config)
	apiConfig.NetAddr.Endpoint = free.Addr().String()
	h.extensions[component.MustNewID("monitoring_api")] = startExtension(t, h, apiFactory, apiConfig)
	return h, "http://" + free.Addr().String() + "/prometheus/api/v1"
}

func get(t require.TestingT, url string, data any) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(body))
	require.NoError(t, json.Unmarshal(body, &struct{ Data any }{data}))
}

type groups struct {
	Groups []struct {
		Name, File string
		Rules      []struct {
			Name, Health, State, LastError string
			Alerts                         []apiv1.Alert
		}
	}
}

func TestTheAPIShowsRulesAndAlerts(t *testing.T) {
	h, base := startAPI(t)
	b := newBench(t, "groups: [{name: g, interval: 50ms, rules: [{alert: Up, expr: vector(1)}, {record: bad, expr: 'label_replace(vector(1), \"a\", \"\", \"\", \"(\")'}]}]")
	b.store.close(t)
	b.cfg.API = component.MustNewID("monitoring_api")
	p, err := newProcessor(b.cfg, b.set, b.next)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), h))

	var shown groups
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		shown = groups{}
		get(c, base+"/rules", &shown)
		require.Len(c, shown.Groups, 2)
		assert.Equal(c, "firing", shown.Groups[0].Rules[0].State)
		assert.Equal(c, "err", shown.Groups[0].Rules[1].Health)
	}, 20*time.Second, 20*time.Millisecond)
	assert.Equal(t, b.dir+"/rules.yaml", shown.Groups[0].File)
	assert.Contains(t, shown.Groups[0].Rules[1].LastError, "regular expression")
	assert.Equal(t, "MonitoringRuleEvaluationFailing", shown.Groups[1].Rules[0].Name)
	var alerts struct{ Alerts []apiv1.Alert }
	get(t, base+"/alerts", &alerts)
	assert.NotEmpty(t, alerts.Alerts)

	again, err := newProcessor(b.cfg, b.set, b.next)
	require.NoError(t, err)
	require.ErrorContains(t, again.Start(t.Context(), h), "more than one pipeline")
	other := processortest.NewNopSettings(metadata.Type)
	other.ID = component.MustNewIDWithName("alert_rule", "other")
	second, err := newProcessor(b.cfg, other, b.next)
	require.NoError(t, err)
	require.NoError(t, second.Start(t.Context(), h))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		get(c, base+"/rules", &shown)
		assert.Len(c, shown.Groups, 4, "the groups of both")
	}, 20*time.Second, 20*time.Millisecond)

	require.NoError(t, second.Shutdown(t.Context()))
	require.NoError(t, p.Shutdown(t.Context()))
	shown = groups{}
	get(t, base+"/rules", &shown)
	assert.Empty(t, shown.Groups)
}

func TestTheAPIMustBeThere(t *testing.T) {
	b := newBench(t, down)
	b.cfg.API = component.MustNewID("monitoring_api")
	p, err := newProcessor(b.cfg, b.set, b.next)
	require.NoError(t, err)
	h := &host{extensions: map[component.ID]component.Component{b.cfg.MetricStore: b.store}}
	require.ErrorContains(t, p.Start(t.Context(), h), `"api": extension "monitoring_api" is not running`)
	require.NoError(t, p.Shutdown(t.Context()))
	b.store.close(t)
}
