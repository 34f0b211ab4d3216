# Everything a newcomer needs: `make run` and `make test`. Both set up first; only Python 3.11+ and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-benchmarks

# The tests start Python some eighty times: what it compiles is kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-spark run test test-slow test-all test-installed test-spark fuzz lint format docs benchmarks lock clean

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(READY) ## Make .venv from the lock file

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "studyflow needs Python 3.11 or newer; say which with: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

setup-spark: $(READY) ## Add what dbt build --target spark needs, but Java: docs/spark.md
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-spark.lock

run: $(READY) ## Load, build, check and export the sample data
	$(BIN)/studyflow run

test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder

test-slow: $(READY) ## Run the tests that take longer, which `make test` leaves out
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder -m slow

test-all: $(READY) ## Run every test, also those that take minutes each
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder -m ''

test-installed: $(READY) ## Try what a wheel installs: a workspace, and studyflow as a package of another dbt project
	$(BIN)/python -m pytest tests/test_installed.py -m ''

test-spark: setup-spark ## Compare Spark with DuckDB, also on two workers on this machine (takes some 15 minutes)
	$(BIN)/python -m pytest tests/test_spark.py tests/test_spark_load.py tests/test_spark_workspace.py -m ''

fuzz: $(READY) ## Load files that a fuzzer makes, others each time, for some minutes
	STUDYFLOW_FUZZ_EXAMPLES=5000 $(BIN)/python -m pytest tests/test_load_fuzz.py

lint: $(READY) ## Check formatting, lint and types of Python and SQL
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar models tests/dbt

format: $(READY) ## Format Python and SQL
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfluff fix --disable-progress-bar models tests/dbt

docs: $(READY) ## Make the docs site of all models, with lineage, as one page: docs/site/index.html
	@$(BIN)/studyflow status >/dev/null 2>&1 || $(BIN)/studyflow run >/dev/null
	$(BIN)/dbt docs generate --static --quiet
	mkdir -p docs/site && cp target/static_index.html docs/site/index.html
	@echo "docs/site/index.html: open it in a browser; it needs nothing else"

benchmarks: $(READY) $(PEERS)/.ready ## Measure studyflow beside other tools: docs/benchmarks.md (takes an hour and a half)
	$(BIN)/python benchmarks/run.py $(BENCHMARKS)

$(PEERS)/.ready: benchmarks/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --requirement benchmarks/requirements.txt
	@touch $@

lock: $(READY) ## Pin again what pyproject.toml asks for
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-strip-extras \
		--python-version 3.11 --group dev --extra receive --extra remote pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-strip-extras \
		--python-version 3.11 --extra receive pyproject.toml --constraint requirements.lock --output-file requirements-receive.lock
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-strip-extras \
		--python-version 3.11 --extra remote pyproject.toml --constraint requirements.lock --output-file requirements-remote.lock
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-strip-extras \
		--python-version 3.11 --extra spark pyproject.toml --constraint requirements.lock --output-file requirements-spark.lock

clean: ## Remove the environment and everything that was made
	rm -rf $(VENV) $(PEERS) target logs data/studyflow.duckdb data/exports data/reports docs/site data/reports
