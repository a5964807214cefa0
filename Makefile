# A fresh clone needs only Python 3.11 or later: `make demo` and `make test` set themselves up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NATIVE := native/CMakeLists.txt $(wildcard native/*.h native/*.cpp)
INSTALL := PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
# To bytecode on all cores, where pip would take one; some packages hold templates that are no Python.
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || :

.PHONY: help setup demo test lint sanitize clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/'

setup: $(VENV)/.ready  ## virtual environment in .venv with the pinned dependencies

$(VENV)/.python: Makefile
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "unrolled needs Python 3.11 or later; name one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.ready: $(VENV)/.python pyproject.toml constraints.txt $(NATIVE)
	@echo "installing unrolled and its pinned dependencies into $(VENV) (torch is large: some minutes on a slow line)"
	$(INSTALL) --editable '.[figures]'
	@$(COMPILE)
	@touch $@

# What the tests need holds what the demo needs: one installation does.
$(VENV)/.ready-test: $(VENV)/.python pyproject.toml constraints.txt $(NATIVE)
	@echo "installing unrolled, its pinned dependencies and those of its tests into $(VENV)"
	$(INSTALL) --editable '.[test]'
	@$(COMPILE)
	@touch $(VENV)/.ready $@

demo: setup  ## networks learn to narrate, watch and describe the embedded world, in three minutes
	@$(BIN)/unrolled demo

lint: $(VENV)/.ready-test  ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: lint  ## lint, types and the whole default test suite, on all cores
	$(BIN)/pytest --numprocesses auto --dist worksteal

# The sanitizer must be loaded before Python, and knows nothing of what Python leaves allocated.
sanitize: $(VENV)/.ready-test  ## the tests of the native kernels, with every access to memory checked
	cmake -S native -B build/sanitize -DSANITIZE=ON
	cmake --build build/sanitize
	LD_PRELOAD="$$(c++ -print-file-name=libasan.so) $$(c++ -print-file-name=libubsan.so)" \
	    ASAN_OPTIONS=detect_leaks=0 $(BIN)/pytest -s tests/kernels
	rm -f src/unrolled/kernels/unrolled.native.so $(VENV)/.ready

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache
	rm -f src/unrolled/kernels/*.so; cd native && git clean -fdXq .
