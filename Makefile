# Yundian: every common task. `make help` lists them; each fetches the pinned programs it needs into .tools/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

setup := infra/tools/setup.sh
sam := .tools/venv/bin/sam
testall := go run ./infra/tools/testall
# sam must neither report home nor look for credentials: it only checks and builds here.
export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= us-east-1

# Functions are static binaries without debug tables. lambda.norpc leaves out the RPC mode of the retired go1.x runtime,
# nethttpomithttp2 what no function speaks: Lambda, DynamoDB and payment providers answer HTTP/1.1.
# Spaces inside a GOFLAGS value need quotes, which the go command understands.
export LAMBDA_GOFLAGS := -trimpath -tags=lambda.norpc,nethttpomithttp2 '-ldflags=-s -w'
# The architecture that sam-build builds for: the tests run its artifacts, so by default that of the machine running them.
ARCH ?= x86_64

.PHONY: help run test test-unit test-tools test-store test-e2e test-browser test-template lint build sam-build deploy bench chaos sim mutants import verify generate setup

help: ## list every target
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: ## start the whole store on this machine: http://127.0.0.1:8080 (PORT= DATA= SEED=0 STORE= DYNAMODB_ENDPOINT=)
	@$(setup) engines
	@go run ./infra/local/cmd/yundian-local

test: ## run every test; the last line counts all
	@$(setup) all
	@$(testall)

test-unit: ## pure packages, functions and the local runner, race detector off: the inner loop
	@$(setup) engines
	@$(setup) stripe-mock
	@$(testall) unit

test-tools: ## the tests of simulator, storm, bench and import, which take minutes
	@$(setup) engines
	@$(testall) tools

test-store: ## the store's tests on Dynoxide and on DynamoDB Local
	@$(setup) engines
	@$(testall) store

test-e2e: ## journeys through the local runner on both engines, and from the artifacts of sam build
	@$(setup) engines
	@$(setup) sam
	@$(testall) e2e

test-browser: ## the journey in Chromium at phone size; screenshots land in .artifacts/
	@$(setup) engines
	@$(setup) chromium
	@$(testall) browser

test-template: ## project rules over infra/template.yaml, and the architecture test
	@$(testall) template

lint: ## sam validate --lint, project rules, gofmt, go vet
	@$(setup) sam
	@cd infra && ../$(sam) validate --lint
	@unformatted=$$(gofmt -l functions shared infra); [ -z "$$unformatted" ] || { echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; }
	@go vet ./...
	@go test ./infra/rules

build: ## compile everything, and each function as Lambda runs it, into .aws-sam/bootstrap/<function>
	@go build ./...
	@for fn in functions/*/; do fn=$$(basename $$fn); \
		CGO_ENABLED=0 GOOS=linux GOARCH=arm64 GOFLAGS="$$LAMBDA_GOFLAGS" go build -o .aws-sam/bootstrap/$$fn/bootstrap ./functions/$$fn; done

sam-build: ## build the template and functions as sam deploy takes them, for this machine, into .aws-sam/build (ARCH=arm64)
	@$(setup) sam
	@cd infra && GOFLAGS="$$LAMBDA_GOFLAGS" CGO_ENABLED=0 ../$(sam) build --parameter-overrides Architecture=$(ARCH)

deploy: ## build for arm64 and deploy to the AWS account that your credentials name (asks before it changes anything)
	@$(MAKE) sam-build ARCH=arm64
	@cd infra && ../$(sam) deploy --guided

bench: ## measure start-up, latency, throughput and lag, and print one table (ARGS=-json for machines, ARGS=-growth for a long history)
	@$(setup) engines
	@go run ./infra/bench $(ARGS)

chaos: ## a storm of faults and kills, then proof that no money is wrong; the last line is JSON (SEED= ORDERS=500 STORE=)
	@$(setup) engines
	@go run ./infra/chaos

sim: ## simulate the money: seeded worlds full of faults against 16 invariants; the last line is JSON (SEED= EVENTS=10000000 HISTORY= GUARD= GUARDS=list)
	@go run ./infra/sim

mutants: ## take away each guard of the money, one at a time: some test must notice (ARGS="-list" or "-match ledger")
	@$(setup) engines
	@go run ./infra/mutants $(ARGS)

import: ## import a Shopify product CSV of any size into the running store: make import FILE=products.csv (URL= TOKEN=)
	@URL="$(URL)" TOKEN="$(TOKEN)" go run ./infra/local/cmd/import "$(FILE)"

verify: ## recompute every figure of the running store and print what differs; exits with 1 if anything does (URL= TOKEN=)
	@URL="$(URL)" TOKEN="$(TOKEN)" go run ./infra/local/cmd/verify

generate: ## regenerate Go code from .templ pages
	@go tool templ generate

setup: ## fetch every pinned program now (the other targets do so when they need one)
	@$(setup) all
