# `make demo`: raw text and video to training sets. `make test`: the whole suite. `make ui`: Dagster on loopback.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
TASKS  ?= examples/sms_spam examples/animation
PEERS  ?= .cache/peers
CLIPS  := bikes.mp4 cockatoo.mp4 elephants_dream.webm

SET_FORMAT := DATA is a folder of sets, SETS are further sets: folders with label.json and \
train.json, valid.json, test.json ({id: {data: {text}, label, weak_labels}}, -1 = abstain).

.PHONY: demo test ui lint lock bench-embed bench-quality bench-speed bench-synthetic bench-tennis bench-video bench-data clean

demo: $(VENV)/.installed
	@for task in $(TASKS); do \
		$(BIN)/epoxy run $$task || { \
			test $$? = 69 && echo "$$task is left out: its data is out of reach."; \
		} || failed="$$failed $$task"; echo; done; \
		test -z "$$failed" || { echo "Not finished:$$failed (why: see above)."; exit 1; }

test: $(VENV)/.installed-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/python -m pytest

ui: $(VENV)/.installed
	@$(BIN)/epoxy ui

bench-embed: $(VENV)/.installed
	$(BIN)/python -m benchmarks.embedding

# The label models of others on the same votes: `make bench-quality DATA=folder [SETS="set …"]`.
bench-quality: bench-data $(VENV)/.installed $(PEERS)/.installed
	$(BIN)/python -m benchmarks.quality --peers $(PEERS)/bin/python \
		$(if $(DATA),--data $(DATA)) $(SETS:%=--set %)

# Seconds, memory and growth, beside the peers': `make bench-speed ITEMS="10000 100000" [EMBED=100000]`.
bench-speed: $(VENV)/.installed $(PEERS)/.installed
	$(BIN)/python -m benchmarks.speed --peers $(PEERS)/bin/python \
		$(if $(ITEMS),--items $(ITEMS)) $(if $(STAGE),--stage $(STAGE)) $(if $(EMBED),--embed $(EMBED))

# The same label models on votes drawn from known parameters.
bench-synthetic: $(VENV)/.installed $(PEERS)/.installed
	$(BIN)/python -m benchmarks.synthetic --peers $(PEERS)/bin/python

# Label models on the votes of consecutive video frames: `make bench-tennis DATA=folder`.
bench-tennis: bench-data $(VENV)/.installed $(PEERS)/.installed
	$(BIN)/python -m benchmarks.tennis $(DATA) --peers $(PEERS)/bin/python

# Frames per second and memory, on clips that `make demo` fetches.
bench-video: $(VENV)/.installed
	$(BIN)/python -m benchmarks.video --every 15 --frames 16 $(CLIPS:%=examples/animation/data/%)
	$(BIN)/python -m benchmarks.video_memory examples/animation/data/bikes.mp4

bench-data:
	@test -n "$(strip $(DATA) $(SETS))" || { echo "Which data? $(SET_FORMAT)"; exit 1; }
	@for folder in $(DATA) $(SETS); do \
		test -d "$$folder" || { echo "No folder $$folder. $(SET_FORMAT)"; exit 1; }; done

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

$(PEERS)/.installed: benchmarks/peers/requirements.txt
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo "Installing the peers into $(PEERS) (minutes the first time) …"
	@$(PEERS)/bin/python -m pip install -qq --disable-pip-version-check -r $<
	@touch $@
