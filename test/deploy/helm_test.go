package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// Values that cannot work are refused, by a message that names the value and says what would be right.
func TestTheChartRefuses(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]string{
		"gateway.replicas=2":                          "gateway.replicas: more than one needs postgres.enabled and remoteWrite.enabled",
		"gateway.enabled=false":                       "agent.gateway.endpoint: where this release has no gateway",
		"postgres.enabled=true":                       "/postgres/existingSecret",
		"remoteWrite.enabled=true":                    "/remoteWrite/writeEndpoint",
		"agnt.enabled=false":                          "additional properties 'agnt' not allowed",
		"gateway.persistence.sise=1Gi":                "additional properties 'sise' not allowed",
		"loki.endpoint=loki:3100":                     "/loki/endpoint",
		"gateway.retention.time=month":                "/gateway/retention/time",
		"agent.hostNetwork=true,agent.hostPorts=true": "agent.hostPorts: with agent.hostNetwork",
		"gateway.alertmanager.existingSecret=a,gateway.alertmanager.config.route.receiver=b": "gateway.alertmanager: set config or existingSecret",
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			_, errors, err := run(tool(t, "HELM"), "template", "qv", chart, "--kube-version="+kubernetesVersion, "--set="+set)
			require.Error(t, err)
			assert.Contains(t, errors, want)
		})
	}
}

// The chart that is packaged holds the files themselves and not links to them, and makes the same of them.
func TestThePackagedChart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	output(t, tool(t, "HELM"), "package", chart, "--destination="+dir)
	packages, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	require.NoError(t, err)
	require.Len(t, packages, 1)
	render := func(chart string) string {
		return output(t, tool(t, "HELM"), "template", "qv", chart, "--kube-version="+kubernetesVersion)
	}
	assert.Equal(t, render(chart), render(packages[0]))
	contents := output(t, "tar", "--list", "--file", packages[0])
	for _, not := range []string{"_test.go", "runbooks", "rules/tests"} {
		assert.NotContains(t, contents, not)
	}
}

// Every rule file is deployed, by the chart's glob and by kustomize's list.
func TestEveryRuleFileIsDeployed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "configs", "rules", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, v := range variants() {
		if !strings.HasSuffix(v.name, "single") && v.name != "helm default" {
			continue
		}
		deployed := map[string]string{}
		for _, object := range decode(t, v.render(t)).configMaps {
			if strings.Contains(object.Name, "-rules") {
				deployed = object.Data
			}
		}
		assert.Len(t, deployed, len(files), v.name)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.YAMLEq(t, string(text), deployed[filepath.Base(file)], "%s in %s", file, v.name)
		}
	}
}

// Where metrics go elsewhere, no pipeline writes to the volume any more.
func TestRemoteWriteTakesEveryPipeline(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		if !strings.HasSuffix(v.name, "replicas") && v.name != "helm everything" {
			continue
		}
		m := decode(t, v.render(t))
		m.external = v.external
		var exporters = map[string][]any{}
		for _, w := range m.workloads() {
			if !strings.HasSuffix(w.name, "-gateway") {
				continue
			}
			for _, text := range m.configurations(t, w, w.collector(t)) {
				var config struct {
					Service struct {
						Pipelines map[string]struct {
							Exporters []any `json:"exporters"`
						} `json:"pipelines"`
					} `json:"service"`
				}
				require.NoError(t, yaml.Unmarshal([]byte(text), &config))
				for name, pipeline := range config.Service.Pipelines {
					exporters[name] = pipeline.Exporters
				}
			}
		}
		remote := 0
		for name, list := range exporters {
			assert.NotContains(t, list, "metric_store", "%s: pipeline %s", v.name, name)
			for _, exporter := range list {
				if exporter == "prometheusremotewrite" {
					remote++
				}
			}
		}
		assert.GreaterOrEqual(t, remote, 2, v.name)
	}
}
