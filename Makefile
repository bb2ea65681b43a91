# The commands of this project. `make demo` and `make test` are the two to begin with; all of them are quick when repeated.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
TORCH := $(shell sed -n 's/^ *"\(torch==[0-9.]*\)".*/\1/p' pyproject.toml)

.PHONY: demo test test-slow check parity soak bench clean

demo: $(STAMPS)/package
	$(BIN)/pagemill run jobs/examples/demo.yaml

test: $(STAMPS)/test
	$(BIN)/python -m pytest -m "not slow and not vllm"

test-slow: $(STAMPS)/test
	$(BIN)/python -m pytest -m "slow and not vllm"

check: $(STAMPS)/check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/wheel.py

bench: $(STAMPS)/test
	$(BIN)/python -m pytest tests/bench -m "slow or not slow" -s

clean:
	rm -rf $(VENV) .venv-vllm build dist demo-out pagemill-out *.egg-info

# --- the environment: a stamp a step, renewed when what the step depends on changes -------------------------------------------

$(STAMPS)/venv:
	@command -v $(PYTHON) >/dev/null || { echo "Pagemill needs Python 3.11 to 3.13: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# torch first: on most machines its plain build brings CUDA's libraries, about 4 GB, that a CPU has no use for.
$(STAMPS)/torch: pyproject.toml $(STAMPS)/venv
	@$(BIN)/python -c "import importlib.metadata as m, sys; sys.exit(m.version('torch').split('+')[0] != '$(TORCH)'[7:])" 2>/dev/null \
	  || { echo "installing $(TORCH)+cpu: about 200 MB to fetch"; $(BIN)/pip install --quiet "$(TORCH)+cpu"; } 2>/dev/null \
	  || { echo "no CPU build in the configured package indexes; installing $(TORCH): up to 4 GB to fetch"; \
	       $(BIN)/pip install --quiet "$(TORCH)"; }
	@touch $@

$(STAMPS)/package: pyproject.toml $(STAMPS)/torch
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(STAMPS)/test: pyproject.toml $(STAMPS)/package
	$(BIN)/pip install --quiet --editable ".[test]"
	@touch $@

$(STAMPS)/check: pyproject.toml $(STAMPS)/test
	$(BIN)/pip install --quiet --editable ".[check]"
	@touch $@
