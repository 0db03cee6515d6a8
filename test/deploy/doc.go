// Package deploy tests what deploys the collector: the manifests of deploy/kubernetes, the Helm chart, the Dockerfile and the
// Debian package. No cluster and no container engine is needed, but a real Kubernetes API, which is built for the tests.
// `make deploy-test` sets what they need: HELM, KUSTOMIZE, KUBERNETES, OTELCOL_BINARY and DEB.
//
// It is a module of its own, since Kubernetes' types and the tools that it pins need other versions than the collector does.
package deploy
