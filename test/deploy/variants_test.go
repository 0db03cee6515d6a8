package deploy

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

const (
	// kubernetesVersion is what the chart is rendered for: the one whose types it is decoded by.
	kubernetesVersion = "1.37.0"
	namespace         = "monitoring"
)

var chart = filepath.Join(root, "deploy", "helm", "quantivista")

// variant is one way to deploy.
type variant struct {
	name   string
	render func(t *testing.T) string
	// external are the Secrets and ConfigMaps that its user makes.
	external []string
}

// variants are what is shipped, and what values and overlays make of it.
func variants() []variant {
	return []variant{
		kustomized("deploy/kubernetes/overlays/single"),
		kustomized("deploy/kubernetes/overlays/replicas", "quantivista-state"),
		kustomized("deploy/kubernetes/overlays/tracing"),
		kustomized("deploy/kubernetes/examples"),
		kustomized("test/deploy/testdata/operator"),
		templated("default", nil),
		templated("everything", []string{"--values=testdata/values/everything.yaml"}, "state", "mimir", "otlp", "extra"),
		templated("sampling", []string{"--set=sampling.enabled=true"}),
		templated("agents-only", []string{"--values=testdata/values/agents-only.yaml"}),
		templated("gateway-only", []string{"--values=testdata/values/gateway-only.yaml"}, "alertmanager"),
	}
}

func kustomized(folder string, external ...string) variant {
	return variant{name: folder, external: external, render: func(t *testing.T) string {
		t.Helper()
		return output(t, tool(t, "KUSTOMIZE"), "build", filepath.Join(root, folder))
	}}
}

func templated(name string, args []string, external ...string) variant {
	return variant{name: "helm " + name, external: external, render: func(t *testing.T) string {
		t.Helper()
		return output(t, tool(t, "HELM"), append([]string{"template", "qv", chart, "--namespace=" + namespace,
			"--kube-version=" + kubernetesVersion}, args...)...)
	}}
}

// TestManifests decodes what each variant makes, and checks what it means.
func TestManifests(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			m := decode(t, v.render(t))
			m.external = v.external
			for name, check := range map[string]func(*testing.T, *manifests){"roles": checkRoles, "selectors": checkSelectors} {
				t.Run(name, func(t *testing.T) { check(t, m) })
			}
			workloads := m.workloads()
			require.NotEmpty(t, workloads)
			for _, w := range workloads {
				t.Run(w.name, func(t *testing.T) { checkCollector(t, m, w) })
			}
		})
	}
}

// checkCollector checks a pod that runs the collector.
func checkCollector(t *testing.T, m *manifests, w workload) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, *manifests, workload, corev1.Container){
		"privileges": checkPrivileges, "resources": checkResources, "environment": checkEnvironment,
		"configurations": checkConfigurations, "references": checkReferences, "restart": checkRestart, "ports": checkPorts,
		"probes": checkProbes,
	} {
		t.Run(name, func(t *testing.T) { check(t, m, w, w.collector(t)) })
	}
}
