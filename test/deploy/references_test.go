package deploy

import (
	"cmp"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func (m *manifests) hasServiceAccount(namespace, name string) bool {
	return slices.ContainsFunc(m.serviceAccounts, func(a *corev1.ServiceAccount) bool {
		return a.Name == name && (a.Namespace == namespace || a.Namespace == "")
	})
}

// Names that manifests give exist: what a typo breaks is seen here and not in a cluster.
func checkReferences(t *testing.T, m *manifests, w workload, c corev1.Container) {
	pod := w.template.Spec
	assert.True(t, matches(t, w.selector, w), "%s selects its own pods", w.name)
	if pod.ServiceAccountName != "" {
		assert.True(t, m.hasServiceAccount(w.namespace, pod.ServiceAccountName), pod.ServiceAccountName)
	}
	if pod.PriorityClassName != "" {
		var names []string
		for _, class := range m.priorities {
			names = append(names, class.Name)
		}
		assert.Contains(t, names, pod.PriorityClassName)
	}
	var volumes []string
	for _, volume := range pod.Volumes {
		volumes = append(volumes, volume.Name)
		m.content(t, w, volume)
	}
	for _, set := range m.statefulSets {
		for _, claim := range set.Spec.VolumeClaimTemplates {
			volumes = append(volumes, claim.Name)
		}
	}
	for _, mount := range c.VolumeMounts {
		assert.Contains(t, volumes, mount.Name)
	}
	for _, v := range c.Env {
		if v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil {
			assert.Contains(t, m.external, v.ValueFrom.SecretKeyRef.Name)
		}
	}
	if endpoint := environment(c)["GATEWAY_ENDPOINT"]; endpoint != "" && len(m.statefulSets) > 0 {
		host, port, err := net.SplitHostPort(endpoint)
		require.NoError(t, err)
		assert.Equal(t, "4317", port)
		assert.True(t, slices.ContainsFunc(m.services, func(s *corev1.Service) bool {
			return host == s.Name+"."+cmp.Or(s.Namespace, namespace) || host == s.Name && s.Namespace == w.namespace
		}), "no service %s", host)
	}
}

func checkSelectors(t *testing.T, m *manifests) {
	selected := func(what, namespace string, selector *metav1.LabelSelector) {
		count := 0
		for _, w := range m.workloads() {
			if w.namespace == namespace && matches(t, selector, w) {
				count++
			}
		}
		assert.Equal(t, 1, count, "workloads that %s selects", what)
	}
	for _, service := range m.services {
		selected("service "+service.Name, service.Namespace, &metav1.LabelSelector{MatchLabels: service.Spec.Selector})
	}
	for _, policy := range m.policies {
		selected("network policy "+policy.Name, policy.Namespace, &policy.Spec.PodSelector)
	}
	for _, budget := range m.budgets {
		selected("budget "+budget.Name, budget.Namespace, budget.Spec.Selector)
	}
	for _, set := range m.statefulSets {
		assert.True(t, slices.ContainsFunc(m.services, func(s *corev1.Service) bool {
			return s.Name == set.Spec.ServiceName && s.Namespace == set.Namespace && s.Spec.ClusterIP == corev1.ClusterIPNone
		}), "the headless service of %s", set.Name)
		for _, spread := range set.Spec.Template.Spec.TopologySpreadConstraints {
			selected("the spread of "+set.Name, set.Namespace, spread.LabelSelector)
		}
	}
	for _, monitor := range m.monitors {
		count := 0
		for _, service := range m.services {
			hasPort := slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == monitor.Spec.Endpoints[0].Port })
			if service.Namespace == monitor.Namespace && hasPort && labelsMatch(t, &monitor.Spec.Selector, service.Labels) {
				count++
			}
		}
		assert.Equal(t, 1, count, "services that ServiceMonitor %s scrapes", monitor.Name)
	}
}

// Names of ConfigMaps of kustomize change with their content, so that pods are restarted; the chart has checksums.
func checkRestart(t *testing.T, _ *manifests, w workload, _ corev1.Container) {
	if w.template.Annotations["checksum/config"] != "" {
		return
	}
	for _, volume := range w.template.Spec.Volumes {
		if volume.ConfigMap != nil {
			name := volume.ConfigMap.Name
			assert.Len(t, name[strings.LastIndex(name, "-")+1:], 10, "the hash in %s", name)
		}
	}
}

func matches(t *testing.T, selector *metav1.LabelSelector, w workload) bool {
	t.Helper()
	return labelsMatch(t, selector, w.template.Labels)
}

func labelsMatch(t *testing.T, selector *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	require.NoError(t, err)
	return !parsed.Empty() && parsed.Matches(labels.Set(set))
}
