// Command kubernetes is a real Kubernetes API for tests: kube-apiserver on an etcd of its own, in one process, without
// nodes, controllers or kubelets. What is posted is validated, defaulted, authorised and kept as in a cluster.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// etcdPatience is how long etcd may take to start.
const etcdPatience = time.Minute

func main() {
	data := flag.String("data", "", "the folder of everything that is kept; the kubeconfig of its administrator is written there")
	port := flag.Int("port", 6443, "the port of the API, on 127.0.0.1")
	flag.Parse()
	if err := run(*data, *port); err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes:", err)
		os.Exit(1)
	}
}

func run(data string, port int) error {
	store, err := startEtcd(data)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer store.Close()
	key, err := newKey(data)
	if err != nil {
		return fmt.Errorf("the key of service accounts: %w", err)
	}
	tokens, err := newAdministrator(data, port)
	if err != nil {
		return fmt.Errorf("the administrator: %w", err)
	}
	server := app.NewAPIServerCommand()
	server.SetArgs([]string{
		"--etcd-servers=" + socket(data).String(),
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port), "--cert-dir=" + filepath.Join(data, "certificates"),
		"--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=RBAC", "--token-auth-file=" + tokens,
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + key, "--service-account-signing-key-file=" + key,
		"--profiling=false",
	})
	if code := cli.Run(server); code != 0 {
		return fmt.Errorf("kube-apiserver ended with %d", code)
	}
	return nil
}

// socket is where etcd listens.
func socket(data string) *url.URL {
	return &url.URL{Scheme: "unix", Path: filepath.Join(data, "etcd.sock")}
}

func startEtcd(data string) (*embed.Etcd, error) {
	cfg := embed.NewConfig()
	cfg.Dir = filepath.Join(data, "etcd")
	cfg.LogLevel = "error"
	cfg.UnsafeNoFsync = true
	client := *socket(data)
	peer := url.URL{Scheme: "unix", Path: filepath.Join(data, "peer.sock")}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	store, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, err
	}
	select {
	case <-store.Server.ReadyNotify():
		return store, nil
	case err := <-store.Err():
		return nil, err
	case <-time.After(etcdPatience):
		store.Close()
		return nil, fmt.Errorf("not ready within %s", etcdPatience)
	}
}

// newKey makes the key that tokens of service accounts are signed with.
func newKey(data string) (path string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", err
	}
	path = filepath.Join(data, "service-accounts.pem")
	return path, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

// newAdministrator makes the one client that may do everything, and gives the file of its token.
func newAdministrator(data string, port int) (tokens string, err error) {
	token := rand.Text()
	tokens = filepath.Join(data, "tokens.csv")
	if err := os.WriteFile(tokens, []byte(token+",administrator,administrator,system:masters\n"), 0o600); err != nil {
		return "", err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: fmt.Sprintf("https://127.0.0.1:%d", port), InsecureSkipTLSVerify: true}
	config.AuthInfos["administrator"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "administrator"}
	config.CurrentContext = "test"
	return tokens, clientcmd.WriteToFile(*config, filepath.Join(data, "kubeconfig"))
}
