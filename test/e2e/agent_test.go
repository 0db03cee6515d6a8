package e2e

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	node    = "node-1"
	podName = "shop-7c5d8c4b9f-x2x8k"
)

// shopPod is one of a Deployment.
const shopPod = `
apiVersion: v1
kind: Pod
metadata:
  name: ` + podName + `
  namespace: market
  labels: {app.kubernetes.io/name: shop, pod-template-hash: 7c5d8c4b9f}
  ownerReferences:
    - {apiVersion: apps/v1, kind: ReplicaSet, name: shop-7c5d8c4b9f, uid: 5ad9c8a2-9d4e-4c0e-8f5d-3a0a1c1f0001, controller: true}
spec:
  nodeName: ` + node + `
  automountServiceAccountToken: false
  containers:
    - {name: shop, image: "registry.example/shop:1.4.2"}
`

// TestAnAgentOfANode has the agent of a DaemonSet send everything of its node to the gateway, and this to Jaeger, Loki and
// its store. It asks a real Kubernetes API, with the rights that deploy/kubernetes gives it. The kubelet alone is no real one.
func TestAnAgentOfANode(t *testing.T) {
	t.Parallel()
	k := startKubernetes(t)
	k.applyShipped("quantivista-agent", "agent/namespace.yaml", "agent/rbac.yaml")
	k.apply("market", "{apiVersion: v1, kind: Namespace, metadata: {name: market}}\n---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}")
	uid := k.runPod("market", podName, "127.0.0.1", shopPod)
	token, kubeconfig := k.serviceAccount("quantivista-agent", "quantivista-agent")
	for _, path := range []string{"/api/v1/secrets", "/api/v1/namespaces/market/configmaps", "/apis/apps/v1/replicasets"} {
		status, answer, err := k.try(token, http.MethodGet, path, "", nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusForbidden, status, "%s: the agent needs no such right: %s", path, answer)
	}

	j, l := startJaeger(t), startLoki(t)
	gateway := startCollector(t, "gateway.yaml", decidingSoon(), withJaeger(j), withEnv("LOKI_ENDPOINT="+l.endpoint(), "SAMPLING_PERCENTAGE=100"))
	pods, kubelet := t.TempDir(), startKubelet(t, uid)
	file := newPodLog(t, pods, "market_"+podName+"_"+uid, "shop")
	agent := startCollector(t, "agent.yaml", withReplaced("scrape_interval: 15s", "scrape_interval: 1s"), withReplaced("collection_interval: 15s", "collection_interval: 1s"),
		withReplaced("/var/log/pods", pods), withReplaced(":10250", ":"+kubelet.port),
		withOverlay(fmt.Sprintf("{processors: {k8sattributes: {auth_type: kubeConfig}}, receivers: {kubeletstats: {ca_file: %[1]q, cert_file: %[1]q, key_file: %[1]q}}}", kubelet.certificate)),
		withEnv("KUBECONFIG="+kubeconfig, "K8S_NODE_NAME="+node, "KUBELET_AUTH=tls", "KUBELET_INSECURE=true", fmt.Sprintf("GATEWAY_ENDPOINT=localhost:%d", gateway.otlpGRPC)))

	await(t, "the line with the pod's names", func() error {
		file.write("first of the pod") // What is there when the agent begins to look is not read.
		return l.has(`{k8s_namespace_name="market"} | k8s_pod_name="`+podName+`"`, "first of the pod")
	})
	agent.sendLog("", "by OTLP")
	await(t, "the line that OTLP brought", func() error {
		return l.has(`{k8s_namespace_name="market", service_name="shop"} | k8s_pod_uid="`+uid+`"`, "by OTLP")
	})
	agent.sendSpan("shop")
	await(t, "the span with the pod's names", func() error {
		status, body, err := tryRequest(http.MethodGet, at(gateway.api, "/api/v1/traces?service=shop"), "", nil)
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("%d %s: %w", status, body, err)
		}
		for _, attribute := range []string{podName, uid, "market", "k8s.deployment.name"} {
			if !strings.Contains(string(body), attribute) {
				return fmt.Errorf("no %s in %s", attribute, body)
			}
		}
		return nil
	})
	agent.send(gauges("shop", "orders", 0, 1, time.Now(), 3))
	for _, series := range []string{
		`orders{job="market/shop"}`,
		`target_info{job="market/shop", k8s_pod_name="` + podName + `", k8s_deployment_name="shop", k8s_node_name="` + node + `"}`,
		`k8s_node_network_io_bytes_total{job="kubelet", instance="` + node + `", direction="receive"} == 4711`,
		`k8s_node_network_errors_total{job="kubelet", direction="receive"} == 7`,
		`k8s_pod_memory_working_set_bytes{job="kubelet"} == 1048576`,
		`system_cpu_logical_count{job="host", instance="` + node + `"}`,
		`up{job="otelcol-quantivista-agent", instance="` + node + `"} == 1`,
	} {
		gateway.awaitSeries(series)
	}

	gateway.kill()
	file.write("while the gateway is away")
	agent.sendLog("", "queued on disk")
	agent.kill()
	file.write("while the agent is away")
	agent.start()
	file.write("after all")
	gateway.start()
	for _, line := range []string{"while the gateway is away", "queued on disk", "while the agent is away", "after all"} {
		await(t, line, func() error { return l.has(`{k8s_namespace_name="market"}`, line) })
	}
	assert.Empty(t, agent.log().lines("forbidden"), "its rights suffice")
	agent.terminate()
	gateway.terminate()
}

// podLog is the file of a container's output, as a container runtime writes it.
type podLog struct {
	t    *testing.T
	path string
}

func newPodLog(t *testing.T, pods, pod, container string) *podLog {
	t.Helper()
	folder := filepath.Join(pods, pod, container)
	require.NoError(t, os.MkdirAll(folder, 0o750))
	return &podLog{t: t, path: filepath.Join(folder, "0.log")}
}

func (l *podLog) write(line string) {
	l.t.Helper()
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(l.t, err)
	_, err = fmt.Fprintf(f, "%s stdout F %s\n", time.Now().UTC().Format(time.RFC3339Nano), line)
	require.NoError(l.t, err)
	require.NoError(l.t, f.Close())
}

// kubelet answers /stats/summary as a kubelet does. A real one needs a node.
type kubelet struct {
	port string
	// certificate is a PEM file with the one that it shows, and its key.
	certificate string
}

func startKubelet(t *testing.T, podUID string) kubelet {
	t.Helper()
	now := time.Now().UTC().Format(time.RFC3339)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stats/summary" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `{
			"node": {"nodeName": %[1]q, "startTime": %[2]q, "cpu": {"time": %[2]q, "usageNanoCores": 1000000, "usageCoreNanoSeconds": 2000000},
				"network": {"time": %[2]q, "name": "eth0", "rxBytes": 4711, "rxErrors": 7, "txBytes": 42, "txErrors": 0}},
			"pods": [{"podRef": {"name": %[3]q, "namespace": "market", "uid": %[4]q}, "startTime": %[2]q,
				"memory": {"time": %[2]q, "workingSetBytes": 1048576, "usageBytes": 2097152}, "containers": []}]}`,
			node, now, podName, podUID)
	}))
	t.Cleanup(server.Close)
	shown := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(shown.PrivateKey)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "kubelet.pem")
	require.NoError(t, os.WriteFile(file, append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), 0o600))
	return kubelet{port: server.URL[strings.LastIndex(server.URL, ":")+1:], certificate: file}
}
