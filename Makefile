# Amends: each target sets itself up from nothing. `make help` lists them.
PYTHON ?= python3.11
# A test of processes starts the program a hundred times: where nothing is kept, each compiles all of it anew.
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench soak lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## the environment, from requirements.lock

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "absent: $(PYTHON) (on Debian: apt-get install python3.11)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "absent: the venv module (on Debian: apt-get install python3.11-venv)"; exit 1; }
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

demo: $(READY) ## 30 simulated days of a small firm, then served on loopback
	@$(BIN)/amends demo

test: $(READY) ## every test, on SQLite and on a real PostgreSQL that it brings along
	@$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder

check: $(READY) ## style, types, import contracts, migration drift, lock drift
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.support.drift
	@mkdir -p build && cp requirements.lock build/requirements.lock
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --extra dev pyproject.toml -o build/requirements.lock >/dev/null
	@diff -q <(grep -v '^ *#' requirements.lock) <(grep -v '^ *#' build/requirements.lock) >/dev/null \
		|| { echo "requirements.lock does not match pyproject.toml: run make lock"; exit 1; }
	@echo "lock: no drift"

bench: $(READY) ## ratios against peers (it installs them in build/peers) and the raw limit; ONLY=B1,B2 runs a part
	@$(BIN)/python -m tests.bench $(ONLY)

soak: $(READY) ## the long forms of stress, property and replay tests
	@AMENDS_SOAK=1 $(BIN)/pytest -q -m soak

lock: $(READY) ## compile requirements.lock anew
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --extra dev pyproject.toml -o requirements.lock

clean: ## remove the environment and what was built
	@rm -rf $(VENV) build

SHELL := /bin/bash
