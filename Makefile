# JAAL-Net from a fresh clone: `make reproduce` trains and reports, `make test` proves it. `make help` lists the rest.
# Without make (Windows): python jaalnet_core/install.py, activate .venv, then python -m jaalnet_core reproduce|test|lab.

PYTHON3 ?= python3
PROFILE ?= fast
VENV := .venv
PYTHON := $(VENV)/bin/python
JAALNET := $(PYTHON) -m jaalnet_core
INSTALLED := $(VENV)/installed.sha256

.DEFAULT_GOAL := help
.PHONY: help install reproduce test test-long test-browser site soak speed lint lab doctor lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED): requirements.lock pyproject.toml jaalnet_core/install.py
	@command -v $(PYTHON3) >/dev/null || { echo "make: no $(PYTHON3) here; install Python 3.12" >&2; exit 1; }
	@$(PYTHON3) -I jaalnet_core/install.py

install: $(INSTALLED) ## make .venv with the locked packages (uv where it can be had, else pip)

reproduce: $(INSTALLED) ## data, adversarial training, evaluation, report; PROFILE=full is the full run
	@$(JAALNET) reproduce --profile $(PROFILE)

test: $(INSTALLED) ## lint, every test and every lesson, coverage of at least 90 %; TEST_OPTIONS go to `jaalnet test`
	@$(JAALNET) test $(TEST_OPTIONS)

test-long: $(INSTALLED) ## the tests that take minutes
	@$(JAALNET) test --long $(TEST_OPTIONS)

test-browser: $(INSTALLED) ## JupyterLab driven in Chromium: every lesson and widget (needs chromium)
	@$(JAALNET) test --browser

site: $(INSTALLED) ## the course as pages in site/, with every output, for a browser without a network
	@$(PYTHON) docs/site/make_site.py

soak: $(INSTALLED) ## every fault of docs/reliability.md, many times (Linux, best as root; about an hour)
	@$(PYTHON) tests/faults/fault_table.py

speed: $(INSTALLED) ## every figure of docs/speed.md, measured on this machine (three hours or more, 9 GB)
	@$(JAALNET) benchmark --preset small --authors --rounds 7 --json reports/published/speed/training-small.json
	@OMP_NUM_THREADS=1 $(JAALNET) benchmark --preset small --authors --rounds 3 --json reports/published/speed/training-one-thread.json
	@$(JAALNET) benchmark --preset base --json reports/published/speed/training-base.json
	@$(JAALNET) benchmark --of step --preset base --json reports/published/speed/step-base.json
	@$(JAALNET) benchmark --of epoch --epochs 3 --json reports/published/speed/epoch.json
	@OMP_NUM_THREADS=1 $(JAALNET) benchmark --of scores --preset tiny --size 64 --pictures 400 --seeds 0 1 2 3 4 5 6 7 8 --json reports/published/speed/scores.json
	@$(JAALNET) benchmark --of changes --json reports/published/speed/changes.json
	@$(JAALNET) benchmark --of changes --preset tiny --rounds 9 --json reports/published/speed/changes-tiny.json
	@$(JAALNET) benchmark --of beside --preset tiny --size 64 --json reports/published/speed/beside.json
	@for what in step layers inference attention folder; do \
		$(JAALNET) benchmark --of $$what --json reports/published/speed/$$what.json || exit 1; done
	@$(JAALNET) report

lint: $(INSTALLED) ## ruff: rules and formatting
	@$(JAALNET) test --lint

lab: $(INSTALLED) ## JupyterLab on this machine, at the notebooks
	@$(JAALNET) lab

doctor: $(INSTALLED) ## check this machine, line by line
	@$(JAALNET) doctor

lock: ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --upgrade --quiet --output-file requirements.lock

clean: ## remove .venv, caches and builds; data, checkpoints and reports stay
	rm -rf $(VENV) .venv.lock build dist site *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
