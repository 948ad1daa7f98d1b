# Everything runs from a clean clone: each target first makes the virtual environment it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint check test-slow test-faults test-gpu test-trl test-network bench bench-publishing bench-detection bench-alignment bench-pocket bench-training bench-large tables clean

demo: $(INSTALLED)      ## simulate people, build a release, load it back
	$(BIN)/papi demo

test: $(INSTALLED)      ## the fast tests; a process a core, so that more threads would only get in one another's way
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q

lint: $(INSTALLED)      ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test        ## what continuous integration runs

test-faults: $(INSTALLED)   ## the whole fault suite, about ten minutes; ends in the fault table
	$(BIN)/python -m pytest -n 2 -q -m faults

test-trl: $(INSTALLED)  ## against TRL, which it installs: the loss and gradient of DPO, real chat templates
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,alignment,api,trl]'
	$(BIN)/python -m pytest -q tests/alignment/test_trl.py tests/alignment/test_real_templates.py

test-slow test-gpu test-network: test-%: $(INSTALLED)
	$(BIN)/python -m pytest -q -m $* || test $$? -eq 5  # 5: there is no such test yet

bench: $(INSTALLED)     ## the full-size benchmark; prints a table and one JSON line
	$(BIN)/python benchmarks/full_size_build.py

bench-publishing: $(INSTALLED) ## push to a loopback Hub and load_dataset at full size
	$(BIN)/python benchmarks/publishing.py

bench-detection: $(INSTALLED) ## what the gates and the careless indices detect
	$(BIN)/python benchmarks/detection.py
	$(BIN)/python benchmarks/careless_auc.py

bench-pocket: $(INSTALLED) ## every method on the pocket respondent, 100 people, intervals
	$(BIN)/python benchmarks/pocket_ladder.py

bench-training: $(INSTALLED) ## every method with the trained ones, 40 people, three seeds (three quarters of an hour); seconds of fits, beside TRL's
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,alignment,api,trl]'
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/pocket_all.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/training_speed.py

bench-large: $(INSTALLED) ## fits and memory on Llama-3-8B's shape, random weights; for an accelerator
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,alignment,api,trl]'
	$(BIN)/python benchmarks/large_model.py
	$(BIN)/python benchmarks/large_model.py --quantize nf4

bench-alignment: $(INSTALLED) ## PAS on a tiny random Llama: seconds a subject, beside the published algorithm
	$(BIN)/python benchmarks/pas_speed.py

tables: $(INSTALLED)    ## make the derived tables again: simulated people, their item key, reference means
	$(BIN)/python scripts/calibrate_people.py
	$(BIN)/python scripts/make_simulated_key.py
	$(BIN)/python scripts/reference_means.py

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,alignment,api]'
	touch $(INSTALLED)

clean:
	rm -rf $(VENV) papi-demo papi-align-demo pocket-ladder large-model build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
