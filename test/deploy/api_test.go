package deploy

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// apiPatience is how long the API may take to start on a busy machine.
const apiPatience = 3 * time.Minute

// cluster is a real Kubernetes API without nodes: test/peers/kubernetes.
type cluster struct {
	client dynamic.Interface
	mapper meta.RESTMapper
}

// startCluster starts the API for the time of a test.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	data := t.TempDir()
	log, err := os.Create(filepath.Join(data, "log"))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), tool(t, "KUBERNETES"), "-data", data, fmt.Sprint("-port=", port))
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Wait() // It is killed by then: the test's context has ended.
		_ = log.Close()
	})
	c := &cluster{}
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(data, "kubeconfig"))
		require.NoError(collect, err)
		config.QPS = -1 // as fast as it goes
		known, err := discovery.NewDiscoveryClientForConfig(config)
		require.NoError(collect, err)
		ready, err := known.RESTClient().Get().AbsPath("/readyz").DoRaw(t.Context())
		require.NoError(collect, err, "%s", ready)
		groups, err := restmapper.GetAPIGroupResources(known)
		require.NoError(collect, err)
		c.mapper = restmapper.NewDiscoveryRESTMapper(groups)
		c.client, err = dynamic.NewForConfig(config)
		require.NoError(collect, err)
	}, apiPatience, 100*time.Millisecond, "the log is in %s", log.Name())
	return c
}

// create an object, strictly. One that is there already is as valid.
func (c *cluster) create(ctx context.Context, object *unstructured.Unstructured, dryRun ...string) error {
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = c.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		if object.GetNamespace() == "" {
			object.SetNamespace(namespace)
		}
		resource = c.client.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	_, err = resource.Create(ctx, object, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict, DryRun: dryRun})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// objects of YAML documents. Those of a kind that a cluster has by an operator only are left out.
func objects(t *testing.T, documents string) (all []*unstructured.Unstructured) {
	t.Helper()
	for _, document := range separator.Split(documents, -1) {
		object := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal([]byte(document), &object.Object))
		if len(object.Object) > 0 && object.GroupVersionKind().Group != "monitoring.coreos.com" {
			all = append(all, object)
		}
	}
	return all
}

// TestKubernetesTakesTheManifests has a real API server validate, default and admit what each variant makes, and the pods
// that its workloads would make, by the Pod Security level of their namespaces.
func TestKubernetesTakesTheManifests(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	create := func(object *unstructured.Unstructured, dryRun ...string) {
		assert.NoError(t, c.create(t.Context(), object, dryRun...), "%s %s", object.GetKind(), object.GetName())
	}
	for _, v := range variants() {
		text := v.render(t)
		all := objects(t, text)
		require.NotEmpty(t, all, v.name)
		create(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace}}})
		kept := map[string]bool{"Namespace": true, "ServiceAccount": true, "PriorityClass": true} // what pods ask for
		for _, first := range []bool{true, false} {
			for _, object := range all {
				if object.GetKind() == "Namespace" == first && kept[object.GetKind()] {
					create(object)
				}
			}
		}
		for _, object := range all {
			if !kept[object.GetKind()] {
				create(object, metav1.DryRunAll)
			}
		}
		for _, w := range decode(t, text).workloads() {
			pod := podOf(t, w)
			create(accountOf(pod)) // The default one is a controller's to make.
			create(pod, metav1.DryRunAll)
		}
	}

	root := podOf(t, workload{kind: "Pod", name: "root", namespace: "quantivista"})
	require.NoError(t, unstructured.SetNestedSlice(root.Object, []any{map[string]any{"name": "root", "image": "root"}}, "spec", "containers"))
	require.NoError(t, unstructured.SetNestedField(root.Object, "quantivista-gateway", "spec", "serviceAccountName"))
	require.ErrorContains(t, c.create(t.Context(), root, metav1.DryRunAll), `violates PodSecurity "restricted`, "the levels are in force")
}

// accountOf is the service account of a pod, by its name only.
func accountOf(pod *unstructured.Unstructured) *unstructured.Unstructured {
	name, _, _ := unstructured.NestedString(pod.Object, "spec", "serviceAccountName")
	if name == "" {
		name = "default"
	}
	account := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount"}}
	account.SetName(name)
	account.SetNamespace(pod.GetNamespace())
	return account
}

// podOf is a pod that a workload makes.
func podOf(t *testing.T, w workload) *unstructured.Unstructured {
	t.Helper()
	for _, claim := range w.claims {
		w.template.Spec.Volumes = append(w.template.Spec.Volumes, corev1.Volume{Name: claim.Name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-" + w.name + "-0"},
		}})
	}
	spec, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&w.template)
	require.NoError(t, err)
	pod := &unstructured.Unstructured{Object: spec}
	pod.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Pod"})
	pod.SetName(w.name + "-0")
	pod.SetNamespace(w.namespace)
	return pod
}
