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

# Static and without this machine's paths. The linter takes the same flags, so that one build cache serves both.
BUILD_ENV   := CGO_ENABLED=0
BUILD_FLAGS := -trimpath -buildvcs=false -tags=$(TAGS)
LDFLAGS     := -s -w

# The generated main package is built, never tested; the end-to-end tests need the binary and run last.
UNIT_PACKAGES = $(shell go list ./... | grep -v -e /cmd/ -e /test/e2e)
TEST_FLAGS   ?= -timeout 30m

export OTELCOL_BINARY := $(CURDIR)/$(BINARY)
export PROMTOOL := $(PEERS)/promtool

# --- run and build ----------------------------------------------------------------------------------------------

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build and start everything on this machine (configs/all-in-one.yaml)
	mkdir -p "$${DATA_DIR:-data}"/{logs,rules,targets}
	exec $(BINARY) --config configs/all-in-one.yaml

.PHONY: build
build: ## Build bin/otelcol-quantivista
	$(BUILD_ENV) go build $(BUILD_FLAGS) -ldflags '$(LDFLAGS)' -o $(BINARY) ./cmd/otelcol-quantivista

.PHONY: validate
validate: build ## Check the shipped configurations with the built binary
	@for config in configs/*.yaml; do \
		echo "$(BINARY) validate --config $$config"; \
		$(BINARY) validate --config "$$config"; \
	done

.PHONY: clean
clean: ## Remove what was built; data/ stays
	rm -rf bin $(TOOLS)

# --- test -------------------------------------------------------------------------------------------------------

.PHONY: test
test: need-gcc build $(PEERS)/promtool ## Run every test, unit tests under the race detector
	go test -race $(TEST_FLAGS) $(UNIT_PACKAGES)
	$(MAKE) --no-print-directory e2e-only

.PHONY: e2e
e2e: build $(PEERS)/promtool e2e-only ## Run the tests of the built binary

# -count=1: Go's test cache does not see that the binary changed.
.PHONY: e2e-only
e2e-only:
	go test -count=1 $(TEST_FLAGS) ./test/e2e/...

.PHONY: bench
bench: build $(PEERS)/prometheus ## Measure the hot path, and the whole against a real Prometheus
	go test -run '^$$' -bench . -benchmem ./exporters/metricstoreexporter/
	go test -run '^$$' -bench RuleCycle -benchmem ./processors/alertruleprocessor/
	go run ./test/bench/compare -collector $(BINARY) -prometheus $(PEERS)/prometheus

.PHONY: need-gcc
need-gcc:
	@command -v "$$(go env CC)" >/dev/null || { echo "The race detector needs a C compiler: apt-get install gcc libc6-dev" >&2; exit 1; }

# --- check ------------------------------------------------------------------------------------------------------

.PHONY: lint
lint: $(TOOLS)/golangci-lint lint-format lint-modules lint-size ## Check format, modules, sizes, go vet and golangci-lint
	$(BUILD_ENV) go vet $(BUILD_FLAGS) ./...
	$(BUILD_ENV) GOFLAGS='-trimpath -buildvcs=false' $(TOOLS)/golangci-lint run --build-tags '$(TAGS)' ./...

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

.PHONY: peers
peers: $(PEERS)/prometheus $(PEERS)/promtool ## Build the real Prometheus and promtool that tests and benchmarks use

$(PEERS)/prometheus $(PEERS)/promtool: $(PEERS)/%: test/peers/prometheus/go.mod test/peers/prometheus/go.sum
	cd test/peers/prometheus && $(BUILD_ENV) go build -mod=readonly -trimpath -o $@ github.com/prometheus/prometheus/cmd/$*
