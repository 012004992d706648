# `make` alone explains every target. Nothing here needs more than Python 3.11,
# git, make and package indexes.

PYTHON ?= python3
BIN := .venv/bin
PYTEST_ARGS ?=
RUN_ARGS ?=
# What browsers load is built with Node.
WEB := web sdk/browser
NPM := sh scripts/node.sh npm --prefix

.DEFAULT_GOAL := help
.PHONY: help setup run demo dev test check looks bench soak gen lock clean postgres15 wapiti browser

help: ## Explain the targets
	@echo "LeadPulse"
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything and build the dashboard (does nothing when nothing changed)
	@PYTHON='$(PYTHON)' sh scripts/setup.sh
	@sh scripts/web.sh

run: setup ## Serve the whole product at port 4000 (RUN_ARGS="--port 4001")
	@$(BIN)/leadpulse serve $(RUN_ARGS)

demo: setup ## Serve it with believable journeys that keep coming
	@$(BIN)/leadpulse demo $(RUN_ARGS)

dev: setup ## Serve with reload: the dashboard by Vite at port 5173, the API at 4000
	@sh scripts/dev.sh $(RUN_ARGS)

check: setup ## Lint, formatting, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy
	@for part in $(WEB); do $(NPM) $$part run --silent check || exit 1; done

# Tests wait much of the time, so two processes share them.
test: check postgres15 browser ## check, then every test (PYTEST_ARGS="-k merge -x")
	@for part in $(WEB); do $(NPM) $$part run --silent --if-present test || exit 1; done
ifeq ($(strip $(PYTEST_ARGS)),)
	@$(BIN)/pytest -n 2 --dist loadgroup
else
	@$(BIN)/pytest $(PYTEST_ARGS)
endif

looks: setup browser ## Pictures of every page into looks/: wide and phone, light and dark
	@LEADPULSE_LOOKS=looks $(BIN)/pytest -n 2 tests/browser $(PYTEST_ARGS)

soak: setup postgres15 wapiti browser ## The long forms of what `make test` does in small
	@$(BIN)/pytest -m soak --timeout=0 $(PYTEST_ARGS)

bench: setup ## Measure throughput and latency on this machine
	@$(BIN)/python -m benchmarks

gen: setup ## Write what is generated: openapi.json and its client, permissions.md, schema.sql
	@$(BIN)/python -m leadpulse.http.openapi
	@$(BIN)/python -m leadpulse.http.permissions_page
	@$(BIN)/python -m leadpulse.postgres.schema
	@$(NPM) web run --silent gen

lock: ## Resolve pyproject.toml into requirements/*.lock (needs uv)
	@sh scripts/lock.sh

clean: ## Remove .venv, what was built, and caches; data directories stay
	rm -rf .venv .wapiti .node web/node_modules sdk/browser/node_modules
	rm -rf src/leadpulse/http/web src/leadpulse/http/sdk looks
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The oldest supported PostgreSQL, for the tests marked both_postgres. Installed
# only where that is a matter of course: by root, on Debian, when it is missing.
postgres15:
	@sh scripts/postgres15.sh

wapiti:
	@sh scripts/wapiti.sh

# A browser for tests/browser, on the same terms as PostgreSQL 15.
browser:
	@sh scripts/browser.sh install >/dev/null || true
