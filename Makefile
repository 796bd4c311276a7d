# The commands of the project; `make` alone lists them. All set-up is done by whatever needs it.
# All paths are relative: the folder of a clone may have spaces in its name.

PYTHON ?= python3
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# One step of set-up builds on the other, and pip and npm work in one folder each; what comes after it goes side by side.
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif

BIN := .venv/bin
VENV := .venv/slomix-root
DEVELOPMENT := .venv/slomix-development
TESTING := .venv/slomix-testing
PRODUCTION := .venv/slomix-production
ASSETS := static/vendor/.complete
JOINED := static/joined/slomix.js
# What each language reads, beside its texts.
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard src/slomix/translations/*/LC_MESSAGES/*.po))
TOOLS := node_modules/.complete
# A lock file names everything, so pip has nothing to look for; compiling goes faster on all cores at once afterwards.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile
COMPILE := $(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || :
CHECKED := src workers tests alembic bench
BIOME := $(BIN)/python -m slomix.dev.embedded.node node_modules/.bin/biome

# A virtual environment knows its own folder by name: one that came along with a moved or copied clone, or whose Python
# has gone, is made anew.
HERE := $(CURDIR)
THERE := $(shell $(BIN)/python -c 'print(open("$(VENV)").read().strip())' 2>/dev/null)
ifneq ($(HERE),$(THERE))
.PHONY: $(VENV)
endif

run test test-all test-fast rehearse rehearse-matrix bench dev dev-local: export SLOMIX_ENV := development
# A dozen processes start in a test run; each would compile all of Slomix again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:
	@echo 'make run       the whole system on http://127.0.0.1:7000 (PORT=… moves it), with a demo'
	@echo 'make test      everything that must be green'
	@echo 'make test-fast lint, types, rules and services: for every minute'
	@echo 'make test-all  everything, with long searches; for a release'
	@echo 'make mutations breaks the code on purpose, over and over: does a test notice?'
	@echo 'make rehearse  one evening in a minute, with a verdict on every promise'
	@echo 'make rehearse-matrix  two hundred evenings with everything that can go wrong; less than an hour'
	@echo 'make bench     how fast and how large, against what was promised'
	@echo 'make dev       as run, and the web process reloads changed code'
	@echo 'make prod      the Procfile, with the real settings of the environment and .env'
	@echo 'make install   only what prod does first, for systemd (docs/operations/install.md)'
	@echo 'make setup     only what the others do first'
	@echo 'make lint      format, lint, types and import contracts'
	@echo 'make audit     known holes in what is locked (asks a public database)'
	@echo 'make sbom      what Slomix is delivered with, as CycloneDX in sbom.json'
	@echo 'make release   checks, tags the version of pyproject.toml, and says what an operator has to do'
	@echo 'make lock      resolves the dependencies anew (needs uv and npm)'
	@echo 'make clean     removes what set-up made; data in var/ stay'

.PHONY: run
run: setup
	@exec $(BIN)/slomix up --with-parent

.PHONY: dev dev-local
dev dev-local: setup
	@SLOMIX_RELOAD=1 exec $(BIN)/slomix up --with-parent

.PHONY: rehearse
rehearse: setup
	@exec $(BIN)/slomix rehearse

# MATRIX='--cells "cut telegram" --rounds 3' plays a part of it, MATRIX=--short three evenings.
.PHONY: rehearse-matrix
rehearse-matrix: setup
	@exec $(BIN)/slomix rehearse --matrix $(MATRIX)

.PHONY: bench
bench: setup
	@exec $(BIN)/python -m bench

# SEARCH: few examples, each time the same, or many, each time others; or which tests.
# Three processes for two cores: whole systems and browsers wait for half of their time.
.PHONY: test test-all
test: SEARCH := -n 3
test-all: SEARCH = -n 3 --hypothesis-profile=thorough $(RECORDING)
# A version that is named leaves what it asks of the database to the tests of the next.
release: RECORDING := -p tests.recording
test test-all: $(TESTING) $(JOINED) $(CATALOGUES) $(TOOLS)
	@$(BIN)/python -m slomix.dev.embedded.browser
	@$(MAKE) --no-print-directory -j2 SIDE_BY_SIDE=1 SEARCH='$(SEARCH)' played lint

.PHONY: test-fast
test-fast: $(TESTING) $(JOINED) $(CATALOGUES) $(TOOLS)
	@$(MAKE) --no-print-directory -j2 SIDE_BY_SIDE=1 SEARCH='tests/rules tests/services' lint played

# MUTATIONS='--only "NAME"' tries a part of them; --check only looks whether they fit the code.
.PHONY: mutations
mutations: $(TESTING) $(JOINED) $(CATALOGUES)
	@exec $(BIN)/python -m tests.mutations $(MUTATIONS)

# pytest writes down how it reads the tests, so that the processes that run them need not do it again, each for itself.
.PHONY: collected
collected: $(TESTING)
	@said=$$($(BIN)/python -m pytest --collect-only -q $(SEARCH) -n 0 2>&1) || { echo "$$said"; exit 1; }

# Beside lint, which says in between what it finds; either fails the whole.
.PHONY: played
played: collected
	@exec $(BIN)/python -m pytest $(SEARCH)

LINTERS := lint-format lint-types lint-imports lint-templates lint-texts lint-scripts
.PHONY: lint $(LINTERS)
lint: $(LINTERS)
$(LINTERS): $(TESTING)
lint-format:
	@$(BIN)/ruff format --check $(wildcard $(CHECKED))
	@$(BIN)/ruff check $(wildcard $(CHECKED))
lint-types:
	@$(BIN)/mypy
lint-imports:
	@$(BIN)/lint-imports
lint-templates:
	@$(BIN)/djlint templates --lint --profile=jinja
lint-texts:
	@$(BIN)/python -m slomix.dev.catalogues check
lint-scripts: $(TOOLS)
	@$(BIOME) --version >/dev/null || { \
		echo 'lint: Biome, which looks at scripts and styles, does not run here; rm -r node_modules fetches it anew' >&2; exit 1; }
	@$(BIOME) check --error-on-warnings

.PHONY: setup
setup: $(DEVELOPMENT) $(JOINED) $(CATALOGUES)

# With SKIP_INSTALL=1 nothing is fetched: the environment that is there has to do.
.PHONY: prod
ifneq ($(filter 1 true yes on,$(firstword $(subst ',,$(subst ",,$(SKIP_INSTALL))))),)
prod:
else
prod: $(PRODUCTION) $(JOINED) $(CATALOGUES)
endif
	@if [ -x $(BIN)/slomix ]; then exec $(BIN)/slomix up --prod --with-parent; else exec slomix up --prod --with-parent; fi

.PHONY: install
install: $(PRODUCTION) $(JOINED) $(CATALOGUES)
	@echo 'Slomix is installed: .venv/bin/slomix'

# For who changes a dependency: needs uv and npm on the PATH.
.PHONY: lock
# Debian 12 on 64-bit ARM, where nobody should have to compile (docs/operations/containers.md).
ARM := $(foreach glibc,2014 _2_17 _2_28 _2_34,manylinux$(glibc)_aarch64)
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
lock:
	$(LOCK) --extra development --extra test pyproject.toml requirements/build.in -o requirements/test.txt
	$(LOCK) --extra development -c requirements/test.txt pyproject.toml requirements/build.in -o requirements/development.txt
	$(LOCK) -c requirements/test.txt pyproject.toml requirements/build.in -o requirements/production.txt
	rm -rf var/aarch64 && mkdir -p var/aarch64
	sed "s/ ; python_full_version < '3.11.3'//" requirements/production.txt >var/aarch64/lock.txt  # pip reads this by its own Python
	$(BIN)/python -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 --implementation cp --require-hashes \
		$(ARM:%=--platform %) -r var/aarch64/lock.txt -d var/aarch64
	cd var/aarch64 && sha256sum *.whl >../../requirements/aarch64.wheels
	npm install --package-lock-only
	cd requirements/chromium && npm install --package-lock-only --omit-lockfile-registry-resolved

# Whatever could not be looked up counts as a failure: no answer is no good news.
.PHONY: audit
audit: $(TESTING)
	@$(BIN)/pip-audit --requirement requirements/production.txt --require-hashes --no-deps --disable-pip --strict --progress-spinner off

# From an environment that holds production's packages and nothing else.
.PHONY: sbom
sbom: $(TESTING)
	@$(PYTHON) -m venv --clear var/sbom
	@var/sbom/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes \
		-r requirements/production.txt
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o sbom.json var/sbom/bin/python
	@echo 'Wrote sbom.json'

# The checks of `make test-all` come first: a version that is named is one that somebody installs.
.PHONY: release
release: test-all
	@$(BIN)/python -m slomix.dev.release

.PHONY: clean
clean:
	rm -rf .venv node_modules static/vendor static/joined .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Slomix needs Python 3.11 or newer, and $(PYTHON) is not that. Name another: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo 'Making the virtual environment'
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@pwd -P > $@

$(DEVELOPMENT): requirements/development.txt pyproject.toml $(VENV)
	@echo 'Installing the locked dependencies'
	@$(PIP) --require-hashes -r $<
	@$(PIP) --no-build-isolation -e .
	@$(COMPILE)
	@touch $@

$(TESTING): requirements/test.txt pyproject.toml $(VENV)
	@echo 'Installing the locked dependencies and the tools of the tests'
	@$(PIP) --require-hashes -r $<
	@$(PIP) --no-build-isolation -e .
	@$(COMPILE)
	@touch $@ $(DEVELOPMENT)

$(PRODUCTION): requirements/production.txt pyproject.toml $(VENV)
	@echo 'Installing the locked dependencies'
	@$(PIP) --require-hashes -r $<
	@$(PIP) --no-build-isolation -e .
	@$(COMPILE)
	@touch $@

# Whichever set-up ran brings the Python for it.
$(ASSETS): package.json package-lock.json .npmrc | $(if $(filter prod install,$(MAKECMDGOALS)),$(PRODUCTION),$(DEVELOPMENT))
	@echo 'Fetching the browser assets'
	@$(BIN)/python -m slomix.dev.embedded.assets
	@touch $@

# One style and one script for all pages.
$(JOINED): src/slomix/web/assets.py $(ASSETS) $(wildcard static/js/*.js static/css/*.css)
	@echo 'Joining scripts and styles'
	@$(BIN)/python -m slomix.web.assets

$(CATALOGUES): %.mo: %.po | $(JOINED)
	@$(BIN)/python -m slomix.dev.catalogues compile $<

# For lint only. Fetching the assets leaves nothing else in node_modules, so the tools come after them.
$(TOOLS): $(ASSETS)
	@echo 'Fetching the tools of lint'
	@$(BIN)/python -m slomix.dev.embedded.assets --tools
	@touch $@
