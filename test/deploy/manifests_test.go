package deploy

import (
	"regexp"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// manifests are what one variant makes, by kind.
type manifests struct {
	daemonSets      []*appsv1.DaemonSet
	deployments     []*appsv1.Deployment
	statefulSets    []*appsv1.StatefulSet
	configMaps      []*corev1.ConfigMap
	secrets         []*corev1.Secret
	services        []*corev1.Service
	serviceAccounts []*corev1.ServiceAccount
	namespaces      []*corev1.Namespace
	policies        []*networkingv1.NetworkPolicy
	budgets         []*policyv1.PodDisruptionBudget
	clusterRoles    []*rbacv1.ClusterRole
	bindings        []*rbacv1.ClusterRoleBinding
	priorities      []*schedulingv1.PriorityClass
	monitors        []*monitoringv1.ServiceMonitor

	// external are the names of Secrets and ConfigMaps that somebody else makes.
	external []string
}

var separator = regexp.MustCompile(`(?m)^---$`)

// decode YAML documents as an API server does that refuses unknown and doubled fields.
func decode(t *testing.T, documents string) *manifests {
	t.Helper()
	m := &manifests{}
	for _, document := range separator.Split(documents, -1) {
		text, err := yaml.YAMLToJSONStrict([]byte(document))
		require.NoError(t, err, document)
		if string(text) == "null" { // comments only
			continue
		}
		var meta metav1.TypeMeta
		require.NoError(t, json.UnmarshalCaseSensitivePreserveInts(text, &meta))
		into := m.add(meta)
		require.NotNil(t, into, "an unknown kind %s %s", meta.APIVersion, meta.Kind)
		strict, err := json.UnmarshalStrict(text, into)
		require.NoError(t, err, document)
		assert.Empty(t, strict, "%s %s", meta.Kind, document[:min(len(document), 300)])
	}
	return m
}

// add an empty object of a type.
func (m *manifests) add(meta metav1.TypeMeta) any {
	switch meta.APIVersion + " " + meta.Kind {
	case "apps/v1 DaemonSet":
		return appended(&m.daemonSets)
	case "apps/v1 Deployment":
		return appended(&m.deployments)
	case "apps/v1 StatefulSet":
		return appended(&m.statefulSets)
	case "v1 ConfigMap":
		return appended(&m.configMaps)
	case "v1 Secret":
		return appended(&m.secrets)
	case "v1 Service":
		return appended(&m.services)
	case "v1 ServiceAccount":
		return appended(&m.serviceAccounts)
	case "v1 Namespace":
		return appended(&m.namespaces)
	case "networking.k8s.io/v1 NetworkPolicy":
		return appended(&m.policies)
	case "policy/v1 PodDisruptionBudget":
		return appended(&m.budgets)
	case "rbac.authorization.k8s.io/v1 ClusterRole":
		return appended(&m.clusterRoles)
	case "rbac.authorization.k8s.io/v1 ClusterRoleBinding":
		return appended(&m.bindings)
	case "scheduling.k8s.io/v1 PriorityClass":
		return appended(&m.priorities)
	case "monitoring.coreos.com/v1 ServiceMonitor":
		return appended(&m.monitors)
	}
	return nil
}

func appended[T any](list *[]*T) *T {
	object := new(T)
	*list = append(*list, object)
	return object
}

// workload is what runs pods.
type workload struct {
	kind, name, namespace string
	selector              *metav1.LabelSelector
	template              corev1.PodTemplateSpec
	claims                []corev1.PersistentVolumeClaim
}

func (m *manifests) workloads() []workload {
	var all []workload
	for _, d := range m.daemonSets {
		all = append(all, workload{"DaemonSet", d.Name, d.Namespace, d.Spec.Selector, d.Spec.Template, nil})
	}
	for _, d := range m.deployments {
		all = append(all, workload{"Deployment", d.Name, d.Namespace, d.Spec.Selector, d.Spec.Template, nil})
	}
	for _, s := range m.statefulSets {
		all = append(all, workload{"StatefulSet", s.Name, s.Namespace, s.Spec.Selector, s.Spec.Template, s.Spec.VolumeClaimTemplates})
	}
	return all
}

// collector is the container that runs ours: under this name the agent leaves out its own log.
func (w workload) collector(t *testing.T) corev1.Container {
	t.Helper()
	pod := w.template.Spec
	for _, container := range append(pod.InitContainers, pod.Containers...) {
		if container.Name == "otelcol-quantivista" {
			return container
		}
	}
	t.Fatalf("%s %s has no container otelcol-quantivista", w.kind, w.name)
	return corev1.Container{}
}
