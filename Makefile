# A thin front door: each target is a tox environment. `make help` lists them all.
PYTHON ?= python3
TOX := .venv/bin/tox

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench clean

help: $(TOX) ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10
	@echo; $(TOX) list --no-desc >/dev/null; $(TOX) list

demo: $(TOX) ## a change's whole life under traffic, on an embedded PostgreSQL 18
	@$(TOX) -q run -e demo

test: $(TOX) ## the tests, on the PostgreSQL servers found on this machine
	@$(TOX) -q run -e test

check: $(TOX) ## format, lint, types, imports: what has to be clean before a commit
	@$(TOX) -q run -e check

format: $(TOX) ## put the code into shape
	@$(TOX) -q run -e format

bench: $(TOX) ## the benchmarks, small
	@$(TOX) -q run -e bench

clean: ## forget everything that was installed or built
	rm -rf .venv .tox dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(TOX):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check "tox>=4.24"
