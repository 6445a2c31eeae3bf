# setup · build · run · stop · client · test · lint · format · test-kubernetes · bench. `make help` tells.
SHELL := /bin/bash
.DEFAULT_GOAL := help

CONFIG ?= debug
RUN ?= .run
BUILD := .build/$(CONFIG)
# A kubeconfig given is used; without one `make run` brings up the testbed.
KUBECONFIG_OPTION = $(if $(KUBECONFIG),--kubeconfig "$(KUBECONFIG)")

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

setup: ## Install what building and running need
	@Local/setup/install base $(if $(KUBECONFIG),,kubernetes)
	@Local/setup/venv >/dev/null

build: setup ## Build the services and the local platform
	@Local/setup/timed "build ($(CONFIG))" swift build --configuration $(CONFIG)

run: build ## Run the platform here (DETACH=1 returns once ready, KUBECONFIG=… uses a cluster of yours, RUN=… another folder)
	@Local/setup/start $(if $(DETACH),--detach) $(RUN) $(BUILD) $(KUBECONFIG_OPTION)

stop: ## Stop the platform that runs here
	@Local/setup/stop $(RUN)

client: setup ## Link the published client as .run/bin/apolo
	@mkdir -p $(RUN)/bin && ln -sf "$$(Local/setup/venv)/bin/apolo" $(RUN)/bin/apolo && echo 'export PATH="$(abspath $(RUN))/bin:$$PATH"'

test: ## Everything: build, Swift tests on real stores, conformance with the real client on a genuine Kubernetes
	@Tests/run

test-kubernetes: build ## The conformance suite alone
	@Tests/Conformance/run $(BUILD)

lint: ## Format and layer checks
	@Local/setup/lint

format: ## Rewrite the sources in the house format
	@swift format --in-place --recursive Package.swift Services Shared Local Tests

bench: ## Side-by-side figures (release build)
	@Local/Bench/run

.PHONY: help setup build run stop client test test-kubernetes lint format bench
