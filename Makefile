# The study's commands. Each sets up what it needs in .venv by itself; all that must be there
# already is Python 3.11 or newer with venv, git and make.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PROFILE ?= quick
NOTEBOOKS ?= all
DEVICE ?= auto
CORES ?= 2
SNAKEMAKE ?=

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ASKED = --profile "$(PROFILE)" --notebooks "$(NOTEBOOKS)"
# Where a terminal's or a log's progress lines go: the notebooks run in processes of their own.
WATCHED = GANCORE_PROGRESS="$${GANCORE_PROGRESS-$$(test -e /proc/$$$$/fd/2 && echo /proc/$$$$/fd/2)}"
RUN = PATH="$(CURDIR)/$(BIN):$$PATH"
PYTEST = $(RUN) GANCORE_PROGRESS= python -m pytest -q --numprocesses "$(CORES)" --dist worksteal --durations 10

.PHONY: help study figures style test test-fast bench clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

study: $(READY) ## train and execute the notebooks: PROFILE=smoke|quick|paper NOTEBOOKS="01 02" DEVICE=auto CORES=2
	@$(RUN) python -m gancore check $(ASKED) --device "$(DEVICE)"
	@$(RUN) $(WATCHED) snakemake --quiet host rules progress reason --cores $(CORES) --rerun-triggers mtime input $(SNAKEMAKE) \
		--config profile="$(PROFILE)" notebooks="$(NOTEBOOKS)" device="$(DEVICE)" shares=$(CORES)
	@$(RUN) python -m gancore report --output build/$(PROFILE)

figures: $(READY) ## regenerate figures/ and the committed notebooks from data/results/, training nothing: CORES=2
	@$(RUN) GANCORE_PROGRESS= python -m gancore figures --notebooks "$(NOTEBOOKS)" --cores "$(CORES)"

test: style ## code style and all tests, replay of the stored results and rendering of the notebooks among them: CORES=2
	$(PYTEST)

test-fast: style ## the same without the tests marked slow, for work in progress: no notebook is executed
	$(PYTEST) -m "not slow"

style: $(READY)
	$(RUN) ruff check gancore tests notebooks
	$(RUN) ruff format --check gancore tests

bench: $(READY) ## time a run-step beside the textbook loop, what penalties and remedies add, and line-scans
	$(RUN) python tests/bench.py --out build/bench.json
	$(RUN) python tests/bench_steps.py --out build/bench.json
	$(RUN) python tests/bench_scan.py --out build/bench.json

clean: ## remove what the commands built, not the environment
	rm -rf build

environment.yml: pyproject.toml tests/environment.py
	$(BIN)/python tests/environment.py > $@

# uv resolves and installs in seconds; pip, which every Python has, fetches it. Compiled once, the packages
# load in half the time in every process from then on, also where Python is told to write no bytecode.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed, this is " + sys.version)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --requirements requirements.lock
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@
