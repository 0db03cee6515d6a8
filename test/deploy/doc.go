// Package deploy tests what deploys the collector: the manifests of deploy/kubernetes, the Helm chart, the Dockerfile and the
// Debian package. No cluster and no container engine is needed. `make deploy-test` sets what the tests need: HELM, KUSTOMIZE,
// OTELCOL_BINARY and DEB.
//
// It is a module of its own, since Kubernetes' types and the tools that it pins need other versions than the collector does.
package deploy
