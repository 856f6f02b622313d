# `make demo` and `make test` are all a fresh clone needs. Node is not needed: the build brings it where it is missing.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
UI := $(shell find web/ui/src -type f) $(addprefix web/ui/,package.json package-lock.json build.mjs guests.mjs .npmrc)
JOBS ?= auto
COUNT ?= 20000
LIVES ?= 200
SEED ?= 0
CSS := web/ui/src/*.css
CSS_FORMAT := $(BIN)/css-beautify --indent-size=2 --end-with-newline --disable-newline-between-rules --space-around-combinator

.PHONY: messages setup interop demo test fuzz lint format mutants bench finding-bench audit-bench model-bench backtest-bench assets requirements chromium clean help

help:
	@echo "make demo    everything on this machine, with sample patients   (PORT=8000)"
	@echo "make test    lint, types, every test"
	@echo "make fuzz    the tests with random examples, with other examples each time"
	@echo "make lint    ruff, mypy, import-linter, codespell; whether templates and styles are formatted"
	@echo "make format  format the templates and styles"
	@echo "make mutants  small faults put into what everything rests on: do the unit tests notice? (MODULE=core.state SAMPLE=50; ten minutes)"
	@echo "make bench   the benchmarks"
	@echo "make finding-bench  searches among a million steps beside a thousand (a quarter of an hour)"
	@echo "make audit-bench  ten thousand alterations found, a thousand cases run again (half an hour)"
	@echo "make model-bench  twenty thousand random models in gate and engine (COUNT=20000 SEED=0; half an hour)"
	@echo "make backtest-bench  two hundred cases lived again for each kind of change to a process (LIVES=200 SEED=0; some minutes)"
	@echo "make assets  the browser's scripts and styles again, after a change in web/ui"
	@echo "make messages  the catalogues of other languages, brought up to date with the pages"
	@echo "make requirements  requirements.txt again, after a change in pyproject.toml"
	@echo "make clean   everything this file makes"

setup: $(VENV)/.installed

demo: setup
	$(BIN)/usher demo --port $(PORT)

test: setup interop chromium lint
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup -m "not bench" --hypothesis-profile=ci

# Other examples at each run, where `make test` has the same ones until a test changes.
fuzz: setup
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not bench" $$(grep -rlE "hypothesis" tests --include="test_*.py")

interop: $(VENV)/.interop

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/djlint --check --quiet web/usher_web
	@for sheet in $(CSS); do $(CSS_FORMAT) $$sheet | diff -u $$sheet - || { echo "Run: make format" >&2; exit 1; }; done

format: setup
	$(BIN)/djlint --reformat --quiet web/usher_web
	@for sheet in $(CSS); do $(CSS_FORMAT) --replace $$sheet; done

mutants: setup
	PYTHONPATH=tests $(BIN)/python -m mutants $(if $(MODULE),--module $(MODULE)) $(if $(SAMPLE),--sample $(SAMPLE))

bench: setup
	$(BIN)/usher bench

finding-bench: setup
	$(BIN)/python -m pytest -q -s -m bench tests/bench/test_case_search.py

audit-bench: setup
	$(BIN)/python tests/bench/audit_bench.py

model-bench: setup
	$(BIN)/python tests/bench/model_bench.py --count $(COUNT) --seed $(SEED)

backtest-bench: setup
	BACKTEST_CASES=$(LIVES) BACKTEST_SEED=$(SEED) $(BIN)/python -m pytest -q tests/properties/test_backtest_truth.py

assets: setup

# Then translate what is empty in web/usher_web/translations/*/LC_MESSAGES/usher.po.
TEXTS := web/usher_web/translations
messages: setup
	$(BIN)/pybabel -q extract --mapping web/babel.cfg --no-location --no-wrap --omit-header -o $(TEXTS)/usher.pot web/usher_web
	$(BIN)/pybabel -q update --domain usher --no-wrap --no-fuzzy-matching --ignore-obsolete -i $(TEXTS)/usher.pot -d $(TEXTS)

requirements: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --extra demo --extra test --custom-compile-command "make requirements" pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --extra interop --constraint requirements.txt --custom-compile-command "make requirements" pyproject.toml \
	  -o requirements-interop.txt

# The two steps of an installation, each done again only when what it is made from has changed.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Usher needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.required: $(VENV)/.python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.required pyproject.toml hatch_build.py $(UI)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# What reads our exports in tests/interop.
$(VENV)/.interop: $(VENV)/.required requirements-interop.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-interop.txt
	@touch $@

# The browser for the tests: Debian's Chromium without a window (a third less work than the one with) where we may install
# it, else the system's, else Playwright's own.
chromium: $(VENV)/.installed
	@if [ -n "$$CHROMIUM" ] || command -v chromium-headless-shell >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell; then :; \
	elif command -v chromium || command -v chromium-browser || command -v google-chrome; then :; \
	else $(BIN)/playwright install chromium; fi

clean:
	rm -rf $(VENV) build dist web/ui/node_modules web/usher_web/static/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
