package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// kubernetes is a real Kubernetes API, without nodes: test/peers/kubernetes.
type kubernetes struct {
	t       *testing.T
	url     string
	token   string // of the administrator
	client  *http.Client
	process *process
}

// object is what its path needs of one that is posted.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Namespace string }
}

// collections are the paths of the kinds that tests post; %s is the namespace.
var collections = map[string]string{
	"v1/Namespace":      "/api/v1/namespaces",
	"v1/ServiceAccount": "/api/v1/namespaces/%s/serviceaccounts",
	"v1/Pod":            "/api/v1/namespaces/%s/pods",
	"rbac.authorization.k8s.io/v1/ClusterRole":        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
	"rbac.authorization.k8s.io/v1/ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}

// startKubernetes starts an API and waits until it answers.
func startKubernetes(t *testing.T) *kubernetes {
	t.Helper()
	data, port := t.TempDir(), freePort(t)
	k := &kubernetes{
		t: t, url: fmt.Sprintf("https://127.0.0.1:%d", port),
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}, // It signs its certificate itself.
	}
	k.process = launch(t, data, os.Environ(), 0, requiredFile(t, "KUBERNETES", "a Kubernetes API"), "-data", data, "-port", fmt.Sprint(port))
	await(t, "the Kubernetes API", func() error {
		if k.process.exited() {
			t.Fatalf("it ended at its start: %v; its log:\n%s", k.process.err, k.process.log.tail(5000))
		}
		if k.token == "" {
			var err error
			if k.token, err = tokenOf(filepath.Join(data, "kubeconfig")); err != nil {
				return err
			}
		}
		status, answer, err := k.try(k.token, http.MethodGet, "/readyz", "", nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d: %s", status, answer)
		}
		return err
	})
	t.Cleanup(k.client.CloseIdleConnections)
	return k
}

// tokenOf reads the token of the only user in a kubeconfig.
func tokenOf(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var config struct {
		Users []struct{ User struct{ Token string } }
	}
	if err := yaml.Unmarshal(text, &config); err != nil || len(config.Users) != 1 {
		return "", fmt.Errorf("%d users: %w", len(config.Users), err)
	}
	return config.Users[0].User.Token, nil
}

// try asks as the owner of a token.
func (k *kubernetes) try(token, method, path, contentType string, body []byte) (status int, answer []byte, err error) {
	resp, answer, err := tryRequestFull(k.client, method, k.url+path, contentType, body, map[string]string{"Authorization": "Bearer " + token})
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, answer, nil
}

// do asks as the administrator, and wants success.
func (k *kubernetes) do(method, path, contentType string, body []byte) []byte {
	k.t.Helper()
	status, answer, err := k.try(k.token, method, path, contentType, body)
	require.NoError(k.t, err)
	require.Less(k.t, status, http.StatusMultipleChoices, "%s %s: %s", method, path, answer)
	return answer
}

// apply posts the objects of a YAML text, those that name no namespace into the given one, and gives the last.
func (k *kubernetes) apply(namespace, text string) (last []byte) {
	k.t.Helper()
	for _, document := range bytes.Split([]byte(text), []byte("\n---\n")) {
		var o object
		require.NoError(k.t, yaml.Unmarshal(document, &o))
		path, ok := collections[o.APIVersion+"/"+o.Kind]
		require.True(k.t, ok, "a path for %s/%s", o.APIVersion, o.Kind)
		if o.Metadata.Namespace != "" {
			namespace = o.Metadata.Namespace
		}
		if strings.Contains(path, "%s") {
			path = fmt.Sprintf(path, namespace)
		}
		last = k.do(http.MethodPost, path+"?fieldValidation=Strict", "application/yaml", document)
	}
	return last
}

// applyShipped posts files of deploy/kubernetes.
func (k *kubernetes) applyShipped(namespace string, files ...string) {
	k.t.Helper()
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "kubernetes", file))
		require.NoError(k.t, err)
		k.apply(namespace, string(text))
	}
}

// serviceAccount gives a token of one, and a kubeconfig with it.
func (k *kubernetes) serviceAccount(namespace, name string) (token, kubeconfig string) {
	k.t.Helper()
	var answer struct{ Status struct{ Token string } }
	require.NoError(k.t, json.Unmarshal(k.do(http.MethodPost, "/api/v1/namespaces/"+namespace+"/serviceaccounts/"+name+"/token",
		"application/yaml", []byte("{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, spec: {}}")), &answer))
	token = answer.Status.Token
	kubeconfig = filepath.Join(k.t.TempDir(), "kubeconfig")
	require.NoError(k.t, os.WriteFile(kubeconfig, fmt.Appendf(nil, `
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q, insecure-skip-tls-verify: true}}]
users: [{name: test, user: {token: %q}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
current-context: test
`, k.url, token), 0o600))
	return token, kubeconfig
}

// runPod posts a pod and says of it what its kubelet would. It gives the pod's UID.
func (k *kubernetes) runPod(namespace, name, address, text string) (uid string) {
	k.t.Helper()
	var pod struct{ Metadata struct{ UID string } }
	require.NoError(k.t, json.Unmarshal(k.apply(namespace, text), &pod))
	k.do(http.MethodPatch, "/api/v1/namespaces/"+namespace+"/pods/"+name+"/status", "application/merge-patch+json", fmt.Appendf(nil,
		`{"status": {"phase": "Running", "hostIP": "192.0.2.1", "hostIPs": [{"ip": "192.0.2.1"}], "podIP": %[1]q, "podIPs": [{"ip": %[1]q}], "startTime": "2026-01-01T00:00:00Z"}}`, address))
	return pod.Metadata.UID
}
