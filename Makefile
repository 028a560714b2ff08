# Everything one can do here. `make help` lists it; each target installs what it needs into this folder first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export SOLCX_BINARY_PATH := $(CURDIR)/tools/solc
export APE_DATA_FOLDER := $(CURDIR)/.tools/ape
PY := .venv/bin/python
PYTEST := $(PY) -m pytest

.PHONY: help setup build demo test check coverage gas fmt lint types rooms slither verify vectors clean

help: ## What one can do here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## Install everything pinned and locked into this folder
	@tools/setup.sh all
	@mkdir -p $(APE_DATA_FOLDER)

build: setup ## Compile the contracts
	@forge build --skip test

demo: build ## One agreement from locked funds to checked payout, and the ways it can go wrong (KEEP=1, WITHOUT=keeper-1)
	@$(PY) -m scripts.demo $(if $(KEEP),--keep) $(if $(WITHOUT),--without $(WITHOUT))

test: build ## Every test but the long lanes; under 10 minutes
	@FOUNDRY_PROFILE=quick forge test
	@$(PYTEST) -n 2 --dist loadfile -m "not slow"

coverage: setup ## Which lines and branches of contracts/ the Solidity tests run; fails on any that none does
	@$(PY) -m scripts.coverage

gas: build ## Measure gas, compare with the committed snapshot, write reports/gas.json
	@$(PY) -m scripts.gas

fmt: setup ## Format Solidity and Python, rewrite generated pages
	@forge fmt contracts interfaces tests/forge
	@ruff check --fix --quiet . ; ruff format .
	@$(PY) -m scripts.reference
	@$(PY) -m scripts.contracts_page

lint: setup ## Formatting, lint, types, import rules, trees, drift of generated files
	@forge fmt --check contracts interfaces tests/forge
	@solhint --disc --noPoster --max-warnings 0 'contracts/**/*.sol' 'interfaces/**/*.sol'
	@ruff format --check .
	@ruff check .
	@mypy
	@lint-imports
	@$(PY) -m scripts.trees
	@$(MAKE) --no-print-directory drift

drift: build ## Generated files equal what their sources generate
	@$(PY) -m scripts.abi --check
	@$(PY) -m scripts.vectors --check
	@$(PY) -m scripts.reference --check
	@$(PY) -m scripts.contracts_page --check
	@$(PY) -m scripts.addresses --check
	@$(PY) -m scripts.clear_signing --check

slither: build ## Static analysis: no high, no medium finding without a written reason
	@tools/setup.sh slither
	@$(PY) -m scripts.slither

check: lint coverage gas slither ## What CI runs: lint, coverage, gas, static analysis, `make test`, the deployed bytecode's tests, long lanes
	@$(MAKE) --no-print-directory test
	@forge test
	@$(PYTEST) -n 2 --dist loadfile -m slow

clean: ## Remove what was built (not what was installed)
	rm -rf build .build reports/*.json .pytest_cache .mypy_cache .ruff_cache .hypothesis
