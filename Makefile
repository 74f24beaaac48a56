# make demo   the main job on shipped sample mail, on a fresh machine with Python 3.11 or newer
# make test   every check and test; installs the Debian packages that the tests need, when it may
# make search the property tests with examples that no run had before, ROUNDS times
# make year   two daemons on one PostgreSQL through the whole simulated year of 2,000 vouchers (some minutes)
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: demo test search year lock example-config reference released-schema clean

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

demo: $(INSTALLED)
	@$(BIN)/voucherd demo

test: $(INSTALLED)
	@.ci/debian-packages dovecot=dovecot-imapd postgres=postgresql openssl=openssl systemd-analyze=systemd dbus-daemon=dbus \
	    chromium=chromium /usr/share/fonts/truetype/liberation=fonts-liberation /usr/share/fonts/truetype/wqy=fonts-wqy-microhei
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

ROUNDS ?= 5
search: $(INSTALLED)
	for round in $$(seq $(ROUNDS)); do VOUCHERD_HYPOTHESIS=search $(BIN)/pytest -m hypothesis || exit; done

year: $(INSTALLED)
	VOUCHERD_WHOLE_YEAR=1 $(BIN)/pytest -n0 --timeout=3600 --durations=5 tests/integration/test_a_year.py

# Everything with its hash, then the project itself; again only after one of these files changed.
$(INSTALLED): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "voucherd needs Python 3.11 or newer; name it: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/debian-packages ensurepip=python3-venv
	@[ -x $(BIN)/python ] && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "installing into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The locks, for every platform, without the name of any registry; LOCKFLAGS=--upgrade takes newer releases.
# requirements.lock is what a service needs, requirements-dev.lock the same releases with what the tests need.
COMPILE := uv pip compile pyproject.toml --no-config --universal --python-version 3.11 --extra postgresql --extra outlook \
    --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: pipx install uv" >&2; exit 1; }
	$(COMPILE) --group dev --output-file requirements-dev.lock $(LOCKFLAGS)
	$(COMPILE) --group install --constraints requirements-dev.lock --output-file requirements.lock

# config/*.example.toml, as the settings describe themselves.
example-config: $(INSTALLED)
	$(BIN)/python -m voucherd.settings.example config

# docs/configuration.md and docs/commands.md, as the program describes itself.
reference: $(INSTALLED)
	$(BIN)/python -m voucherd.settings.reference docs/configuration.md
	$(BIN)/python -m voucherd.cli.reference docs/commands.md

# A store of this release's schema, with data, for the tests of every later upgrade: the last commit before a tag.
released-schema: $(INSTALLED)
	PYTHONPATH=daemon:. $(BIN)/python -m tests.released_schemas

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache dist build
