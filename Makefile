# `make` alone explains every target. Nothing here needs more than Python 3.11,
# git, make and a package index.

PYTHON ?= python3
BIN := .venv/bin
PYTEST_ARGS ?=
RUN_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check bench soak gen lock clean postgres15 wapiti

help: ## Explain the targets
	@echo "LeadPulse"
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything into .venv (does nothing when nothing changed)
	@PYTHON='$(PYTHON)' sh scripts/setup.sh

run: setup ## Serve the whole product at port 4000 (RUN_ARGS="--port 4001")
	@$(BIN)/leadpulse serve $(RUN_ARGS)

demo: setup ## Serve it with believable journeys that keep coming
	@$(BIN)/leadpulse demo $(RUN_ARGS)

check: setup ## Lint, formatting, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy

test: check postgres15 ## check, then every test (PYTEST_ARGS="-k merge -x")
	@$(BIN)/pytest $(PYTEST_ARGS)

soak: setup postgres15 wapiti ## The long forms of what `make test` does in small
	@$(BIN)/pytest -m soak --timeout=0 $(PYTEST_ARGS)

bench: setup ## Measure throughput and latency on this machine
	@$(BIN)/python -m benchmarks

gen: setup ## Write what is generated: openapi.json, permissions.md, schema.sql
	@$(BIN)/python -m leadpulse.http.openapi
	@$(BIN)/python -m leadpulse.http.permissions_page
	@$(BIN)/python -m leadpulse.postgres.schema

lock: ## Resolve pyproject.toml into requirements/*.lock (needs uv)
	@sh scripts/lock.sh

clean: ## Remove .venv and caches; data directories stay
	rm -rf .venv .wapiti .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The oldest supported PostgreSQL, for the tests marked both_postgres. Installed
# only where that is a matter of course: by root, on Debian, when it is missing.
postgres15:
	@sh scripts/postgres15.sh

wapiti:
	@sh scripts/wapiti.sh
