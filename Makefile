# Two commands for everyone: `make demo` and `make test`. Each does all its own set-up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := overcoat.middleware overcoat.hooks overcoat.inspector overcoat.demo
SOURCES := middleware hooks inspector demo

.PHONY: help demo test coverage fuzz test-oldest check lint types bench format clean FORCE
.DEFAULT_GOAL := help
# A half-made .venv (no ensurepip, no network, Ctrl-C) is made anew by the next call.
.DELETE_ON_ERROR:

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Overcoat needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) ..."
	@$(BIN)/python -m pip install -qq --upgrade 'pip>=25.1'

# A strict editable install links the files it finds: a new module is unknown until the next install. So the install
# depends on the list of files (not on what is in them).
$(VENV)/files: FORCE | $(BIN)/python
	@find $(SOURCES) -type f ! -name '*.pyc' | sort | cmp -s - $@ || find $(SOURCES) -type f ! -name '*.pyc' | sort > $@

$(VENV)/demo: pyproject.toml $(VENV)/files
	@echo "Installing Overcoat and what the demo needs ..."
	@$(BIN)/python -m pip install -qq --editable '.[demo,logs]'
	@touch $@

$(VENV)/dev: pyproject.toml $(VENV)/files
	@echo "Installing Overcoat and what its tests need ..."
	@$(BIN)/python -m pip install -qq --editable '.[all]' --group dev
	@touch $@ $(VENV)/demo

demo: $(VENV)/demo  ## serve the demo on http://127.0.0.1:5001 (ARGS="--port 8000" for options)
	@$(BIN)/overcoat demo $(ARGS)

test: $(VENV)/dev  ## run the tests (ARGS="-k name" for pytest options)
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadgroup $(ARGS)

coverage: $(VENV)/dev  ## the tests once more, slower, and what they leave unseen
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadgroup --cov --cov-report=term:skip-covered $(ARGS)

# Over the other environment, which holds the newest packages that the extensions allow.
OLDEST := $(VENV)/oldest
test-oldest: $(VENV)/dev  ## hooks, other extensions and the log under the oldest packages that are supported
	@PYTHONPATH=tests/lib $(BIN)/python -m support.oldest > $(OLDEST).txt
	@$(BIN)/python -m pip install -qq --upgrade --target $(OLDEST) --no-deps -r $(OLDEST).txt
	@PYTHONPATH=$(CURDIR)/$(OLDEST) $(BIN)/python -c \
	  'from importlib.metadata import version; found = version("flask"); assert found.startswith("3.0."), found'
	PYTHONPATH=$(CURDIR)/$(OLDEST) $(BIN)/python -m pytest tests/hooks tests/compat \
	  $(patsubst %,tests/middleware/test_%.py,logs outputs json request_log context_filter capture) \
	  --numprocesses=auto --dist=loadgroup $(ARGS)

# As many cases as FUZZ_EXAMPLES says, other ones each time; a failure is kept in .hypothesis and tried first.
fuzz: $(VENV)/dev  ## hostile requests to every layer, for longer (FUZZ_EXAMPLES=2000000)
	FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),200000) $(BIN)/python -m pytest tests/security/test_fuzz.py --timeout=0 $(ARGS)

check: lint types test  ## what CI runs: ruff, mypy --strict, the tests

lint: $(VENV)/dev  ## ruff: format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev  ## mypy --strict over the four packages
	$(BIN)/mypy $(addprefix -p ,$(PACKAGES))

format: $(VENV)/dev  ## let ruff rewrite
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev  ## the benchmarks, as ratios from interleaved runs; writes the tables that the docs show
	$(BIN)/python -m benchmarks --write $(ARGS)

# build/__editable__* is the installed package itself while .venv stands.
clean:  ## remove what the tools left behind
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage dist build/bdist* build/lib *.egg-info
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
