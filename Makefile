# The two commands a newcomer needs are `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test setup run lint docs bench lock clean

demo: setup
	@$(BIN)/python -m sandbox demo

# All of them side by side, a file stays with one worker; what ARGS names runs in one process.
WORKERS ?= 4
test: $(VENV)/.dev
	@$(BIN)/python -m pytest $(or $(ARGS),-n $(WORKERS) --dist loadfile --no-loadscope-reorder)

setup: $(VENV)/.runtime

run: setup
	@set -a; [ ! -f .env ] || . ./.env; set +a; $(BIN)/python app.py migrate && $(BIN)/python app.py serve

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Tables and diagrams in the documents that repeat the code.
docs: $(VENV)/.dev
	@$(BIN)/python -m tests.architecture.generated

bench: $(VENV)/.dev
	@$(BIN)/python -m bench $(ARGS)

# Pins carry hashes and no index address, so any index that serves the same files will do.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header requirements/dev.in -o requirements-dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header requirements/runtime.in -c requirements-dev.txt -o requirements.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rethread needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt $(VENV)/bin/python
	@echo "Installing what Rethread needs into $(VENV) (about half a minute, once) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing what the tests need into $(VENV) (about a minute, once) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
