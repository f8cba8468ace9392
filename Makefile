# Every target is a line or two; what they run is the same for a newcomer, for you and for CI.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
BIN   := $(CURDIR)/bin
GO    ?= go
export PATH := $(PATH):$(BIN)

.PHONY: help demo test units stories check e2e build dev tools bench replay-record golden docs assume clean

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: build $(BIN)/temporal ## a fleet moves into groups on the simulator, against the odds; DEMO=kind shows another kind
	$(GO) run ./deploy/demo $(DEMO)

test: tools build ## every test: with the race detector; every death of the conformance suite; end to end; the demo; the checks
	$(MAKE) -j2 --output-sync=line units stories
	$(MAKE) check

# Those that compute give way to those that mostly wait, which run beside them.
units:
	nice $(GO) test -race -short -timeout 20m $$($(GO) list ./... | grep -vE '/(e2e|chaos)$$|/cloud/kinds(/|$$)')
	nice $(GO) test -race -short -timeout 20m -run 'TestConformance|TestTables' ./cloud/kinds/...
	nice $(GO) test -timeout 20m ./cloud/kinds/...

stories: e2e demo

e2e: $(BIN)/temporal ## the real binaries, a real Temporal server, the real temporal CLI, and kill -9
	$(GO) test -timeout 20m ./starter/e2e
	$(GO) test -timeout 20m -v ./deploy/chaos | grep -vE "^=== "

check: $(BIN)/staticcheck $(BIN)/workflowcheck ## format, vet, staticcheck, workflowcheck, import law
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(BIN)/staticcheck ./...
	$(BIN)/workflowcheck -config .workflowcheck.yaml ./workflows/...
	$(GO) test ./deploy/law
	$(GO) mod tidy -diff

build: ## bin/fleetjoin, bin/fleetjoin-worker, bin/cloudsim
	$(GO) build -o $(BIN)/fleetjoin ./starter
	$(GO) build -o $(BIN)/fleetjoin-worker ./worker
	$(GO) build -o $(BIN)/cloudsim ./cloud/sim/cmd/cloudsim

dev: build $(BIN)/temporal ## a Temporal server, the simulator and a worker, in the foreground
	$(BIN)/fleetjoin dev

bench: $(BIN)/temporal ## what is claimed, measured side by side
	$(GO) run ./deploy/bench

replay-record: $(BIN)/temporal ## record the histories that later versions must replay
	$(GO) run ./deploy/replay -out workflows/testdata/histories

assume: ## which of the simulator's assumptions hold; against an account: see deploy/docs/world.md
	$(GO) run ./cloud/assume/cmd/assume

golden: ## renew the golden files
	$(GO) test ./starter/cli ./starter/report ./deploy/docs -update

docs: ## renew the generated docs
	$(GO) run ./deploy/docs/gen

clean: ## remove what was built
	rm -rf $(BIN)

# Tools, each at the version that the project was tested with.
tools: $(BIN)/temporal $(BIN)/staticcheck $(BIN)/workflowcheck ## install the tools into bin/

# The temporal CLI of the PATH is as good as our own; building one takes minutes.
$(BIN)/temporal:
	@mkdir -p $(BIN)
	@if command -v temporal >/dev/null; then ln -sf "$$(command -v temporal)" $@; else \
	  echo "building the temporal CLI, which takes some minutes"; GOBIN=$(BIN) $(GO) install github.com/temporalio/cli/cmd/temporal@v1.5.1; fi

$(BIN)/staticcheck:
	GOBIN=$(BIN) $(GO) install honnef.co/go/tools/cmd/staticcheck@v0.8.2

$(BIN)/workflowcheck:
	GOBIN=$(BIN) $(GO) install go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0
