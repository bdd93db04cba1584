# `make demo`: raw text to a training set. `make test`: the whole suite. `make ui`: Dagster on loopback.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
TASK   ?= examples/sms_spam

.PHONY: demo test ui lint lock bench-embed clean

demo: $(VENV)/.installed
	@$(BIN)/epoxy run $(TASK)

test: $(VENV)/.installed-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/python -m pytest

ui: $(VENV)/.installed
	@$(BIN)/epoxy ui

bench-embed: $(VENV)/.installed
	$(BIN)/python -m benchmarks.embedding

# Pins what resolves today, the platform's own builds (CUDA, CPU) left to pip.
lock: $(VENV)/.installed-test
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+.*//' | grep -v '^nvidia-\|^cuda-\|^triton' > constraints.txt

clean:
	rm -rf $(VENV) .epoxy

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer, please: make PYTHON=python3.11 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (minutes the first time) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e . 
	@$(BIN)/python -c 'import pipelines.cli'
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[test,dg]' 
	@$(BIN)/python -c 'import pytest, mypy, hypothesis'
	@touch $@
