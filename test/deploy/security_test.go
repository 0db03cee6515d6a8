package deploy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// Pod Security Standards' level "restricted", and a read-only root file system. The agent alone is root, without any
// capability, and mounts files of its node; it may write to its own folder there only.
func checkPrivileges(t *testing.T, _ *manifests, w workload, _ corev1.Container) {
	pod := w.template.Spec
	agent := w.kind == "DaemonSet"
	require.NotNil(t, pod.SecurityContext)
	assert.Equal(t, &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}, pod.SecurityContext.SeccompProfile)
	require.NotNil(t, pod.SecurityContext.RunAsUser)
	if agent {
		assert.Zero(t, *pod.SecurityContext.RunAsUser)
	} else {
		assert.NotZero(t, *pod.SecurityContext.RunAsUser)
		require.NotNil(t, pod.SecurityContext.RunAsNonRoot)
		assert.True(t, *pod.SecurityContext.RunAsNonRoot)
		require.NotNil(t, pod.SecurityContext.FSGroup, "volumes are written to")
	}
	assert.False(t, pod.HostPID || pod.HostIPC)
	require.NotNil(t, pod.AutomountServiceAccountToken)
	assert.Equal(t, agent, *pod.AutomountServiceAccountToken, "a token only where Kubernetes is asked")

	writable := map[string]bool{} // volumes
	for _, container := range append(pod.InitContainers, pod.Containers...) {
		security := container.SecurityContext
		require.NotNil(t, security)
		require.NotNil(t, security.AllowPrivilegeEscalation)
		assert.False(t, *security.AllowPrivilegeEscalation)
		require.NotNil(t, security.ReadOnlyRootFilesystem)
		assert.True(t, *security.ReadOnlyRootFilesystem)
		assert.Equal(t, &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}, security.Capabilities)
		assert.Nil(t, security.Privileged)
		for _, mount := range container.VolumeMounts {
			writable[mount.Name] = writable[mount.Name] || !mount.ReadOnly
		}
	}
	for _, volume := range pod.Volumes {
		if volume.HostPath != nil {
			assert.True(t, agent, "only the agent reads the node's files")
			assert.Equal(t, volume.Name == "data", writable[volume.Name], "volume %s", volume.Name)
		}
	}
}

func checkResources(t *testing.T, _ *manifests, w workload, c corev1.Container) {
	for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		assert.Contains(t, c.Resources.Requests, resource)
		assert.Contains(t, c.Resources.Limits, resource, "%s %s", w.kind, w.name)
	}
	// docs/performance.md: half of the memory, so that garbage is collected before memory_limiter refuses data.
	limit, err := memory(environment(c)["GOMEMLIMIT"])
	require.NoError(t, err)
	assert.Equal(t, c.Resources.Limits.Memory().Value()/2, limit, "GOMEMLIMIT")
}

// What is asked of Kubernetes' API is read, and named.
func checkRoles(t *testing.T, m *manifests) {
	for _, role := range m.clusterRoles {
		for _, rule := range role.Rules {
			assert.Subset(t, []string{"get", "list", "watch"}, rule.Verbs)
			assert.Subset(t, []string{"pods", "nodes/stats", "endpointslices"}, rule.Resources, role.Name)
		}
	}
	for _, binding := range m.bindings {
		for _, subject := range binding.Subjects {
			assert.True(t, m.hasServiceAccount(subject.Namespace, subject.Name), "%s binds %s", binding.Name, subject.Name)
		}
	}
	for _, account := range m.serviceAccounts {
		require.NotNil(t, account.AutomountServiceAccountToken)
		assert.False(t, *account.AutomountServiceAccountToken, account.Name)
	}
}
