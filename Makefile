STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
BUF         = github.com/bufbuild/buf/cmd/buf@v1.57.0

TESTFLAGS =
FUZZTIME  = 10s
SOAKCALLS = 10000000
SOAKTIME  = 1h
SOAKSEED  = $(shell date +%s)
CHAOSTIME = 1h

export LC_ALL = C

help: ## Print this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

build: ## Build bin/dialyard
	CGO_ENABLED=0 go build -trimpath -o bin/dialyard ./cmd/dialyard

run: build ## Build and serve on 127.0.0.1, with the built-in plans
	bin/dialyard serve

test: ## Run all tests
	go test -shuffle=on -timeout 20m $(TESTFLAGS) ./... ./testdata/bench ./testdata/chaos

race: ## Run all tests with the race detector
	go test -race -shuffle=on -timeout 40m $(TESTFLAGS) ./...

check: ## Check form, vet, staticcheck, go.mod and generated files
	gofmt -l . | { ! grep .; }
	go vet ./... ./testdata/bench ./testdata/chaos
	go vet -tags faults ./dialplans ./worker
	go run $(STATICCHECK) ./... ./testdata/bench ./testdata/chaos
	go mod tidy -diff
	@mkdir -p bin
	git ls-files -co --exclude-standard proto dialplans | xargs cksum > bin/generated.before
	$(MAKE) generate
	git ls-files -co --exclude-standard proto dialplans | xargs cksum | diff bin/generated.before -

generate: ## Make the generated files again
	cd proto && go run $(BUF) generate
	go generate ./...

bench: ## Measure CPU per call, rate, latency and memory
	go run ./testdata/bench

fuzz: ## Fuzz every target for FUZZTIME (10s) each
	grep -rE --include='*_test.go' '^func Fuzz' . | sed -E 's|/[^/]*:func (Fuzz[A-Za-z0-9_]*).*| \1|' | \
		xargs -n 2 sh -c 'go test -run "^$$1\$$" -fuzz "^$$1\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$0" || exit 255'

soak: ## Simulate SOAKCALLS (ten million) calls from SOAKSEED on, for SOAKTIME (1h) at most
	go test ./dispatcher -run 'TestSimulation$$' -timeout 2h -v -sim.calls $(SOAKCALLS) -sim.time $(SOAKTIME) -sim.seed $(SOAKSEED)

chaos: ## Trouble a server under load for CHAOSTIME (1h) and judge how it fares
	go run ./testdata/chaos -duration $(CHAOSTIME)

clean: ## Remove what was built and cached test results; data/ stays
	rm -rf bin
	go clean -testcache

.PHONY: help build run test race check generate bench fuzz soak chaos clean
