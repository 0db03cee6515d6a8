package deploy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// listening are the ports that a configuration opens to others.
var listening = regexp.MustCompile(`(?:\$\{env:LISTEN_HOST:-localhost\}:|host: 0\.0\.0\.0\s+port: )(\d+)`)

const healthPort = 13133

// What listens is a port of the container, and of a service and a network policy; nothing else is.
func checkPorts(t *testing.T, m *manifests, w workload, c corev1.Container) {
	var want []int32
	for _, text := range m.configurations(t, w, c) {
		for _, found := range listening.FindAllStringSubmatch(comment.ReplaceAllString(text, ""), -1) {
			port, err := strconv.ParseInt(found[1], 10, 32)
			require.NoError(t, err)
			want = append(want, int32(port))
		}
	}
	var got []int32
	for _, port := range c.Ports {
		got = append(got, port.ContainerPort)
		if port.ContainerPort == healthPort {
			continue // the kubelet's alone
		}
		assert.True(t, m.serves(t, w, port.Name), "a service of port %s", port.Name)
		if len(m.policies) > 0 {
			assert.True(t, m.admits(t, w, port.Name), "a network policy admits %s", port.Name)
		}
	}
	assert.ElementsMatch(t, want, got, "ports of %s", w.name)
	for _, port := range c.Ports {
		assert.Equal(t, port.HostPort != 0, port.HostPort == port.ContainerPort)
	}
}

func (m *manifests) serves(t *testing.T, w workload, port string) bool {
	t.Helper()
	return slices.ContainsFunc(m.services, func(s *corev1.Service) bool {
		for name, value := range s.Spec.Selector {
			if w.template.Labels[name] != value {
				return false
			}
		}
		return s.Namespace == w.namespace && slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool {
			return p.TargetPort == intstr.FromString(port)
		})
	})
}

func (m *manifests) admits(t *testing.T, w workload, port string) bool {
	t.Helper()
	for _, policy := range m.policies {
		if policy.Namespace != w.namespace || !matches(t, &policy.Spec.PodSelector, w) {
			continue
		}
		for _, rule := range policy.Spec.Ingress {
			for _, admitted := range rule.Ports {
				if *admitted.Port == intstr.FromString(port) {
					return true
				}
			}
		}
	}
	return false
}

// Probes ask health_check, and a start may take as long as the replay of a large log does.
func checkProbes(t *testing.T, m *manifests, w workload, c corev1.Container) {
	probes := map[string]*corev1.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe}
	if m.serves(t, w, "otlp-grpc") {
		probes["readiness"] = c.ReadinessProbe
	}
	for name, probe := range probes {
		require.NotNil(t, probe, name)
		require.NotNil(t, probe.HTTPGet, name)
		assert.Equal(t, "/", probe.HTTPGet.Path)
		assert.True(t, slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
			return intstr.FromString(p.Name) == probe.HTTPGet.Port && p.ContainerPort == healthPort
		}), "%s asks health_check", name)
	}
	if strings.HasSuffix(w.name, "-gateway") {
		assert.GreaterOrEqual(t, c.StartupProbe.PeriodSeconds*c.StartupProbe.FailureThreshold, int32(600))
	}
}
