# The house's interface. `python3` (3.11 to 3.13) and `make` are all that a fresh machine needs.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
INPUT ?=
PYTEST_ARGS ?=

# A shop's data stays home: no tool phones anybody.
export DO_NOT_TRACK = 1
export DAGSTER_DISABLE_TELEMETRY = yes
export DBT_SEND_ANONYMOUS_USAGE_STATS = 0
export MLFLOW_DISABLE_TELEMETRY = true
export GX_ANALYTICS_ENABLED = false
export STREAMLIT_BROWSER_GATHER_USAGE_STATS = false

.PHONY: help install demo serve test test-fast lint format lock bench clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: .venv/.installed  ## Build .venv from the lock file (a second call does nothing)

.venv/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --requirements requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: install  ## See the shop trade, the warehouse refresh, the models train and the answers come back
	$(BIN)/python -m pipelines.house demo $(if $(INPUT),--input $(INPUT))

serve: install  ## Shop 8000, serving 8001, dashboards 8501, Dagster 3000; stops them together
	$(BIN)/python -m pipelines.house serve

test: install  ## Every test
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

test-fast: install  ## The working loop: without warehouse build, browser and PostgreSQL
	$(BIN)/python -m pytest -n 2 -m "not slow and not postgres and not browser" $(PYTEST_ARGS)

lint: install  ## ruff, mypy --strict, sqlfluff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint dbt/models dbt/tests

format: install  ## Format Python and SQL
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --quiet dbt/models dbt/tests

lock:  ## Resolve the dependencies anew
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group dev pyproject.toml --output-file requirements.lock --upgrade --quiet

bench: install  ## Benchmarks; JSON on standard output and in var/bench/
	$(BIN)/python -m benchmarks

clean:  ## Remove what runs have created (var/); .venv stays
	rm -rf var
