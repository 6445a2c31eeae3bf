# setup · build · run · stop · client · test · lint · format · test-embedded · test-kubernetes · bench. `make help` tells.
SHELL := /bin/bash
.DEFAULT_GOAL := help

CONFIG ?= debug
RUN ?= .run
BUILD := .build/$(CONFIG)
# What runs the jobs: `embedded`, or `kubernetes`: the cluster of KUBECONFIG, else the testbed.
CLUSTER ?= embedded
ifeq ($(filter $(CLUSTER),embedded kubernetes),)
$(error CLUSTER is embedded or kubernetes, not $(CLUSTER))
endif
ifeq ($(CLUSTER),embedded)
PACKAGES := embedded
else ifeq ($(KUBECONFIG),)
PACKAGES := kubernetes
endif
CLUSTER_OPTIONS = --cluster $(CLUSTER) $(if $(filter kubernetes,$(CLUSTER)),$(if $(KUBECONFIG),--kubeconfig "$(abspath $(KUBECONFIG))"))

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

setup: ## Install what building and running need
	@Local/setup/install base $(PACKAGES)
	@Local/setup/venv >/dev/null

build: setup ## Build the services and the local platform
	@Local/setup/timed "build ($(CONFIG))" swift build --configuration $(CONFIG)

run: build ## Run the platform here (DETACH=1 returns once ready; CLUSTER=kubernetes, KUBECONFIG=…, PORT=…, RUN=…: see README)
	@Local/setup/start $(if $(DETACH),--detach) $(RUN) $(BUILD) $(CLUSTER_OPTIONS) $(if $(PORT),--port $(PORT))

stop: ## Stop the platform that runs here
	@Local/setup/stop $(RUN)

client: setup ## Link the published client as .run/bin/apolo
	@mkdir -p $(RUN)/bin && ln -sfn "$$(Local/setup/venv)/bin/apolo" $(RUN)/bin/apolo && echo 'export PATH="$(abspath $(RUN))/bin:$$PATH"'

test: ## Everything: build, Swift tests on real stores, conformance with the real client on the embedded cluster and on a genuine Kubernetes
	@Tests/run

test-embedded: build ## The conformance suite alone, on the embedded cluster
	@ORRERY_CONFORMANCE_CLUSTER=embedded Tests/Conformance/run $(BUILD)

test-kubernetes: build ## The conformance suite alone, on a genuine Kubernetes
	@Local/setup/install kubernetes
	@ORRERY_CONFORMANCE_CLUSTER=kubernetes Tests/Conformance/run $(BUILD)

lint: ## Format and layer checks
	@Local/setup/lint

format: ## Rewrite the sources in the house format
	@swift format --in-place --recursive Package.swift Services Shared Local Tests

bench: ## Side-by-side figures (release build)
	@Local/Bench/run

.PHONY: help setup build run stop client test test-embedded test-kubernetes lint format bench
