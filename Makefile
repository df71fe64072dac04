# Needs Python 3.11 or newer with pip and venv, and make. Everything else comes from the locked requirements.

VENV := .venv
BIN := $(VENV)/bin
UV := uv

# An environment is as good as new while the locks, pyproject.toml and this folder are the ones it was made for.
stamp = $(VENV)/.$(1)-$(shell (pwd; cat $(2) pyproject.toml) | cksum | tr -d ' ')
RUNTIME := $(call stamp,runtime,requirements.txt)
DEVELOPMENT := $(call stamp,development,requirements.txt requirements-dev.txt)
AUDIT := $(call stamp,audit,requirements.txt requirements-dev.txt requirements-audit.txt)
BENCH := $(call stamp,bench,requirements.txt requirements-dev.txt requirements-bench.txt)
INSTALL := $(BIN)/python -m pip install
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help serve test lint types check bench fuzz soak audit sbom format lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

serve: $(RUNTIME) ## run the service with its own Postgres (settings: CHOKEPOINT_… variables)
	@exec $(BIN)/chokepoint serve --with-parent

test: $(DEVELOPMENT) ## run the tests (ARGS="-k settings" for some of them)
	$(BIN)/python -m pytest $(ARGS)

lint: $(DEVELOPMENT) ## check style and format
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check

types: $(DEVELOPMENT) ## check types
	$(BIN)/python -m mypy

check: lint types test ## all of the above

bench: $(BENCH) ## measure against a limit and other designs into docs/speed.md (needs wrk; BENCH_ROUNDS, BENCH_SECONDS)
	$(BIN)/python -m tests.bench.table
	$(BIN)/python -m tests.bench.bench_scenario
	$(BIN)/python -m tests.bench.bench_import

fuzz: $(DEVELOPMENT) ## ask everything the contract has, 50,000 times and more; goes on where it was stopped (FUZZ_CASES, FUZZ_SEED)
	$(BIN)/python -m tests.fuzz

soak: $(DEVELOPMENT) ## an hour of checked load, memory watched (SOAK_SECONDS, SOAK_WRITE_EVERY)
	$(BIN)/python -m tests.soak

audit: $(AUDIT) ## look for known weaknesses in the requirements (asks PyPI)
	@$(BIN)/python .ci/audit.py requirements.txt build/audit.json

sbom: $(AUDIT) ## list what the program is made of, as CycloneDX in build/sbom.json
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --mc-type application \
	  --spec-version 1.6 --output-reproducible --validate --output-file build/sbom.json

format: $(DEVELOPMENT) ## put the code into the format lint asks for
	$(BIN)/python -m ruff check --fix
	$(BIN)/python -m ruff format

lock: ## pin the requirements anew; needs uv (ARGS="--upgrade" for newer versions)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	$(LOCK) requirements.in --output-file requirements.txt
	$(LOCK) requirements-dev.in --output-file requirements-dev.txt
	$(LOCK) requirements-bench.in --output-file requirements-bench.txt
	$(LOCK) requirements-audit.in --output-file requirements-audit.txt

$(RUNTIME): | $(BIN)/python
	$(INSTALL) --require-hashes --requirement requirements.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.runtime-* && touch $@

$(DEVELOPMENT): | $(BIN)/python
	$(INSTALL) --require-hashes --requirement requirements-dev.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.runtime-* $(VENV)/.development-* && touch $@ $(RUNTIME)

$(BENCH): $(DEVELOPMENT)
	$(INSTALL) --require-hashes --requirement requirements-bench.txt
	@rm -f $(VENV)/.bench-* && touch $@

$(AUDIT): $(DEVELOPMENT)
	$(INSTALL) --require-hashes --requirement requirements-audit.txt
	@rm -f $(VENV)/.audit-* && touch $@

$(BIN)/python:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$python --version)"; exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "No Python 3.11 or newer with pip and venv was found; install one (Debian: apt install python3-venv)" \
	  "or name it: make PYTHON=/path/to/python3" >&2; exit 1
