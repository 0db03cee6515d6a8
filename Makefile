# Every target that a contributor or CI needs; `make` alone lists them.
SHELL         := bash
.SHELLFLAGS   := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# --- what is built, and how -------------------------------------------------------------------------------------

BINARY := bin/otelcol-quantivista
TOOLS  := $(CURDIR)/.tools
PEERS  := $(TOOLS)

# Service discoveries of the prometheus receiver beside static, file and http, which are always in.
# docs/adr/0004 says why these; `make build SERVICE_DISCOVERIES=all` takes every one that Prometheus has.
SERVICE_DISCOVERIES ?= kubernetes dns consul nomad moby openstack aws
comma := ,
empty :=
TAGS  := $(if $(filter all,$(SERVICE_DISCOVERIES)),,remove_all_sd$(subst $(empty) $(empty),,$(SERVICE_DISCOVERIES:%=$(comma)enable_%_sd)))

# Where the time goes under load, for the compiler; `make pgo` records it. A plain `go build` or `go install` of the main
# package finds it by its name.
PROFILE := $(CURDIR)/cmd/otelcol-quantivista/default.pgo

# Static and without this machine's paths. The linter takes the same flags, the profile included, so that one build
# cache serves both.
BUILD_ENV   := CGO_ENABLED=0
BUILD_FLAGS := -trimpath -buildvcs=false -tags=$(TAGS) -pgo=$(PROFILE)
LINT_FLAGS  := -trimpath -buildvcs=false -pgo=$(PROFILE)
LDFLAGS     := -s -w

VERSION  := $(shell awk '$$1 == "version:" {print $$2; exit}' builder-config.yaml)
DEB_ARCH := $(shell go env GOARCH)
DEB_FILE := bin/quantivista_$(VERSION)_$(DEB_ARCH).deb

# The generated main package is built, never tested; the end-to-end tests need the binary and run last.
UNIT_PACKAGES = $(shell go list ./... | grep -v -e /cmd/ -e /test/e2e)
TEST_FLAGS   ?= -timeout 30m
# The tests that `make soak` runs longer than `make test` does: those that ask for rounds.
SOAK         ?= ^Test(KilledBetweenFireAndIncident|PostgresStopsUnderLoad|AnOutageWithRestarts|BadInputAtEveryOperation|Replicas|AKillChangesNothingThatAnybodyIsTold|TwoReplicasTellOnce|ReceiverDownForLong)$$

export OTELCOL_BINARY := $(CURDIR)/$(BINARY)
export PROMTOOL := $(PEERS)/promtool
export PROMETHEUS := $(PEERS)/prometheus
export AMTOOL := $(PEERS)/amtool
export JAEGER := $(PEERS)/jaeger
export LOKI := $(PEERS)/loki
export KUBERNETES := $(PEERS)/kubernetes
export HELM := $(TOOLS)/helm
export KUSTOMIZE := $(TOOLS)/kustomize
export DEB := $(CURDIR)/$(DEB_FILE)

# What the tests of the built binary need.
NODE_SDK  := test/e2e/node/node_modules
E2E_PEERS := $(addprefix $(PEERS)/,promtool prometheus amtool jaeger loki kubernetes) $(NODE_SDK)

# --- run and build ----------------------------------------------------------------------------------------------

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build and start everything on this machine (configs/all-in-one.yaml)
	mkdir -p "$${DATA_DIR:-data}"/{logs,rules,targets}
	exec $(BINARY) --config configs/all-in-one.yaml

.PHONY: stack
stack: build $(PEERS)/jaeger $(PEERS)/loki ## Start everything with a Jaeger, a Loki and a small shop that can be told to fail (deploy/stack)
	go run ./deploy/stack -collector $(BINARY) -jaeger $(PEERS)/jaeger -loki $(PEERS)/loki

.PHONY: build
build: ## Build bin/otelcol-quantivista
	$(BUILD_ENV) go build $(BUILD_FLAGS) -ldflags '$(LDFLAGS)' -o $(BINARY) ./cmd/otelcol-quantivista

.PHONY: validate
validate: build ## Check the shipped configurations with the built binary
	@for config in $(filter-out configs/alertmanager.yaml,$(wildcard configs/*.yaml)); do \
		echo "$(BINARY) validate --config $$config"; \
		$(BINARY) validate --config "$$config"; \
	done

.PHONY: deb
deb: build $(TOOLS)/nfpm ## Build the Debian package into bin/
	rm -f bin/*.deb
	VERSION=$(VERSION) GOARCH=$(DEB_ARCH) $(TOOLS)/nfpm package --config deploy/debian/nfpm.yaml --packager deb --target $(DEB_FILE)

.PHONY: clean
clean: ## Remove what was built; data/ stays
	rm -rf bin $(TOOLS)

# --- test -------------------------------------------------------------------------------------------------------

.PHONY: test
test: need-gcc build $(E2E_PEERS) ## Run every test, unit tests under the race detector
	go test -race $(TEST_FLAGS) $(UNIT_PACKAGES)
	$(MAKE) --no-print-directory e2e-only

.PHONY: e2e
e2e: build $(E2E_PEERS) e2e-only ## Run the tests of the built binary, with real peers

# -count=1: Go's test cache does not see that the binary changed. -parallel: they wait more than they work.
.PHONY: e2e-only
e2e-only:
	go test -count=1 -parallel 4 $(TEST_FLAGS) ./test/e2e/...

# -count=1: Go's test cache does not see that manifests or the package changed.
.PHONY: deploy-test
deploy-test: deb $(TOOLS)/helm $(TOOLS)/kustomize $(PEERS)/kubernetes ## Test the Kubernetes manifests, the Helm chart, the Dockerfile and the Debian package
	$(HELM) lint --strict --kube-version 1.37.0 deploy/helm/quantivista
	cd test/deploy && go test -count=1 $(TEST_FLAGS) ./...

.PHONY: soak
soak: build ## Repeat the tests of faults on the built binary, hundreds of times (an hour at most)
	E2E_SOAK=1 go test -count=1 -timeout 60m -parallel 4 -v -run '$(SOAK)' ./test/e2e/

.PHONY: bench
bench: build $(PEERS)/prometheus $(PEERS)/alertmanager $(PEERS)/loki $(PEERS)/otelcol-stock ## Measure the hot paths, the whole beside a real Prometheus and a stock collector, and the API on a large database (half an hour)
	go test -run '^$$' -bench . -benchmem ./exporters/metricstoreexporter/ ./receivers/otlpreceiver/internal/decode/
	go test -run '^$$' -bench RuleCycle -benchmem ./processors/alertruleprocessor/
	go test -run '^$$' -bench Intake ./internal/sqlstore/
	go run ./test/bench/compare -collector $(BINARY) -prometheus $(PEERS)/prometheus -alertmanager $(PEERS)/alertmanager -loki $(PEERS)/loki -stock $(PEERS)/otelcol-stock
	go run ./test/bench/state -collector $(BINARY)

.PHONY: bench-fleet
bench-fleet: build $(PEERS)/otelcol-stock ## Measure logs and spans through agent and gateway beside a stock collector only (six minutes)
	go run ./test/bench/compare -only fleet -collector $(BINARY) -stock $(PEERS)/otelcol-stock

# So many samples that the load takes as much time as the queries after it.
.PHONY: pgo
pgo: build ## Record the profile that the compiler optimises the binary by
	go run ./test/bench/compare -collector $(BINARY) -samples 120 -repeats 20 -cpuprofile $(PROFILE)

.PHONY: need-gcc
need-gcc:
	@command -v "$$(go env CC)" >/dev/null || { echo "The race detector needs a C compiler: apt-get install gcc libc6-dev" >&2; exit 1; }

# --- check ------------------------------------------------------------------------------------------------------

.PHONY: lint
lint: $(TOOLS)/golangci-lint lint-format lint-modules lint-size ## Check format, modules, sizes, go vet and golangci-lint
	$(BUILD_ENV) go vet $(BUILD_FLAGS) ./...
	$(BUILD_ENV) GOFLAGS='$(LINT_FLAGS)' $(TOOLS)/golangci-lint run --build-tags '$(TAGS)' ./...
	cd test/deploy && $(BUILD_ENV) $(TOOLS)/golangci-lint run ./...

.PHONY: lint-format
lint-format:
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	[ -z "$$unformatted" ] || { printf 'Not formatted; run make fmt:\n%s\n' "$$unformatted" >&2; exit 1; }

# A replace directive would break `go install …/cmd/otelcol-quantivista@latest`.
.PHONY: lint-modules
lint-modules:
	@! grep -n '^replace\|^[[:space:]]*replace ' go.mod || { echo "go.mod must have no replace directive" >&2; exit 1; }
	go mod tidy -diff
	cd tools && go mod tidy -diff
	cd test/deploy && go mod tidy -diff

.PHONY: lint-size
lint-size:
	@long=$$(git ls-files -co --exclude-standard '*.go' | xargs grep -L '^// Code generated .* DO NOT EDIT' \
		| xargs wc -l | awk '$$2 != "total" && $$1 > 500 {print "  " $$2 ": " $$1 " lines"}'); \
	[ -z "$$long" ] || { printf 'Files over 500 lines; split them by thought:\n%s\n' "$$long" >&2; exit 1; }

.PHONY: fmt
fmt: ## Format the Go code
	git ls-files -co --exclude-standard '*.go' | xargs gofmt -w

.PHONY: vuln
vuln: $(TOOLS)/govulncheck ## Look for known vulnerabilities, where the database can be reached
	@errors=$$(mktemp); trap 'rm -f "$$errors"' EXIT; \
	$(BUILD_ENV) $(TOOLS)/govulncheck -tags '$(TAGS)' ./... 2>"$$errors" || { \
		status=$$?; cat "$$errors" >&2; \
		! grep -q 'vuln\.go\.dev' "$$errors" || echo "The vulnerability database cannot be reached: nothing was checked." >&2; \
		exit $$status; }

# --- generate ---------------------------------------------------------------------------------------------------

# The builder writes a module of its own around main; the package belongs to ours.
.PHONY: generate
generate: $(TOOLS)/builder $(TOOLS)/mdatagen $(TOOLS)/oapi-codegen ## Write all generated code anew
	$(TOOLS)/builder --config builder-config.yaml --skip-compilation --skip-get-modules
	rm -f cmd/otelcol-quantivista/go.mod cmd/otelcol-quantivista/go.sum
	gofmt -w cmd/otelcol-quantivista
	PATH="$(TOOLS):$$PATH" go generate ./...

# --- tools and peers --------------------------------------------------------------------------------------------

.PHONY: tools
tools: $(addprefix $(TOOLS)/,builder mdatagen oapi-codegen golangci-lint govulncheck) ## Build the pinned tools into .tools/

$(addprefix $(TOOLS)/,builder mdatagen oapi-codegen golangci-lint govulncheck): $(TOOLS)/%: tools/go.mod tools/go.sum
	cd tools && $(BUILD_ENV) go build -o $@ "$$(go list tool | grep '/$*$$')"

# The tools that package and deploy have a module of their own, with their tests: they need other versions than the above.
$(addprefix $(TOOLS)/,helm kustomize nfpm): $(TOOLS)/%: test/deploy/go.mod test/deploy/go.sum
	cd test/deploy && $(BUILD_ENV) go build -trimpath -ldflags '$(LDFLAGS)' -o $@ "$$(go list tool | grep '/$*\(/v[0-9]*\)*$$')"

.PHONY: peers
peers: $(E2E_PEERS) $(PEERS)/alertmanager $(PEERS)/otelcol-stock ## Build the real Prometheus, Alertmanager, Jaeger, Loki, Kubernetes API and stock collector that tests and benchmarks use

$(PEERS)/prometheus $(PEERS)/promtool: $(PEERS)/%: test/peers/prometheus/go.mod test/peers/prometheus/go.sum
	cd test/peers/prometheus && $(BUILD_ENV) go build -mod=readonly -trimpath -o $@ github.com/prometheus/prometheus/cmd/$*

$(PEERS)/alertmanager $(PEERS)/amtool: $(PEERS)/%: test/peers/alertmanager/go.mod test/peers/alertmanager/go.sum
	cd test/peers/alertmanager && $(BUILD_ENV) go build -mod=readonly -trimpath -o $@ github.com/prometheus/alertmanager/cmd/$*

$(PEERS)/jaeger: test/peers/jaeger/go.mod test/peers/jaeger/go.sum
	cd test/peers/jaeger && $(BUILD_ENV) go build -mod=readonly -trimpath -o $@ github.com/jaegertracing/jaeger/cmd/jaeger

$(PEERS)/loki: test/peers/loki/go.mod test/peers/loki/go.sum
	cd test/peers/loki && $(BUILD_ENV) go build -mod=readonly -trimpath -o $@ github.com/grafana/loki/v3/cmd/loki

$(PEERS)/kubernetes: test/peers/kubernetes/go.mod test/peers/kubernetes/go.sum test/peers/kubernetes/main.go
	cd test/peers/kubernetes && $(BUILD_ENV) go build -mod=readonly -trimpath -o $@ .

# Of the Collector's and contrib's parts alone; the builder pins their versions by the manifest, and links as BUILD_ENV and
# LDFLAGS do for ours.
$(PEERS)/otelcol-stock: test/peers/collector/builder-config.yaml $(TOOLS)/builder
	$(TOOLS)/builder --config $< --ldflags '$(LDFLAGS)'
	mv $(TOOLS)/collector/otelcol-stock $@

# OpenTelemetry's SDK of another language.
$(NODE_SDK): test/e2e/node/package-lock.json
	@command -v npm >/dev/null || { echo "The end-to-end tests send by an SDK for Node.js: apt-get install nodejs npm" >&2; exit 1; }
	cd test/e2e/node && npm ci --ignore-scripts --no-audit --no-fund
	touch $@
