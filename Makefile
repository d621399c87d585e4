# `make demo` and `make test` are all that a fresh machine needs: Python 3.11 or newer, and a package index.
# Every target makes what it needs first; a second run finds it made.

PYTHON  ?= python3
PROFILE ?= 4xa100

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP   := $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test lint tools chart vllm golden bench fuzz reliability lock venv clean

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: venv ## rehearse `deploy up` on the local cluster: PROFILE=8xh100 for another; first it builds, once: about 18 minutes on two cores
	@$(BIN)/deploy up --profile $(PROFILE) --sandbox --yes

test: lint chart vllm ## everything, with the real Pulumi engine, API server, Helm and vLLM
	@$(BIN)/python -m pytest

lint: venv ## style, types and import rules
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@PYTHONPATH=cli $(BIN)/lint-imports --no-logo > $(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }

tools: venv ## build all pinned programs, the tests' too, once: about 21 minutes on two cores
	@$(BIN)/deploy tools --build --for-tests > $(VENV)/tools.log || { cat $(VENV)/tools.log; exit 1; }

chart: tools ## lint and test the Helm chart
	@"$$($(BIN)/deploy tools --path helm)" lint --strict --quiet charts/vllm
	@"$$($(BIN)/deploy tools --path helm-unittest)" --strict charts/vllm

vllm: venv ## install vLLM's CPU build for the tests, once: 2 to 4 minutes, 6 GB
	@$(BIN)/python -m tests.vllm.installation

golden: tools ## write the checked-in examples and the chart's snapshots anew
	@BREAKEVEN_WRITE_GOLDEN=1 $(BIN)/python -m pytest --quiet -k golden
	@"$$($(BIN)/deploy tools --path helm-unittest)" --strict --update-snapshot charts/vllm

bench: tools ## measure what the README claims
	@$(BIN)/python -m bench.accuracy_memory
	@$(BIN)/python -m bench.startup
	@$(BIN)/python -m bench.recommend
	@$(BIN)/python -m bench.up
	@$(BIN)/python -m bench.fleet
	@$(BIN)/python -m bench.accuracy_throughput
	@$(BIN)/python -m bench.arrivals
	@$(BIN)/python -m bench.candidates

fuzz: venv ## read 100,000 broken files of every kind that is read, and more by atheris on Linux x86-64
	@$(BIN)/python -m bench.fuzz
	@$(PIP) --upgrade --target $(VENV)/atheris --only-binary :all: --require-hashes -r bench/atheris.txt
	@if [ -d $(VENV)/atheris/atheris ]; then PYTHONPATH=$(VENV)/atheris $(BIN)/python -m bench.fuzz_by_coverage; \
		else echo "atheris has no wheel for this machine" >&2; fi

reliability: tools ## provoke every fault of docs/reliability.md, and write down what happened
	@$(BIN)/python -m tests.reliability

lock: ## resolve requirements.lock and vLLM's requirements anew; needs uv
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --extra dev --extra go pyproject.toml -o requirements.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --override tests/vllm/overrides.txt tests/vllm/requirements.in \
		-o tests/vllm/requirements.txt

venv: $(STAMP) ## the virtual environment in .venv, exactly as requirements.lock says

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Breakeven needs Python 3.11 or newer; PYTHON=… names one")'
	@echo "making $(VENV) …" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

clean: ## remove what was made here; the programs stay in the user's cache
	@rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
