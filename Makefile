# Two commands: `make demo` and `make test`. Each does all set-up first.
PYTHON ?= python3
VENV ?= .venv
# On a machine that brings its own torch: make setup VENV_ARGS=--system-site-packages
VENV_ARGS ?=
DEMO_SCALE ?= nano
TEST_WORKERS ?= 2
# Real documents, of which two benchmarks make use: pool/*.jsonl.zst and quality_labels.jsonl.zst
BENCH_DATA ?= ../shared/data/text
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test check fix bench seal golden clean
.DELETE_ON_ERROR:

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -m venv $(VENV_ARGS) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,clip,wandb]'
	touch $@

demo: setup
	for entry in text/random text/quality_rules clip/random clip/basic_filter; do \
	  track=$${entry%/*} method=$${entry#*/} ids=build/demo/$$entry.npy; mkdir -p build/demo/$$track && \
	  $(BIN)/assay select $$method --track $$track --scale $(DEMO_SCALE) --out $$ids --name $$method && \
	  $(BIN)/assay validate $$ids --track $$track --scale $(DEMO_SCALE) && \
	  $(BIN)/assay score $$ids --track $$track --scale $(DEMO_SCALE) || exit $$?; \
	done
	for track in text clip; do $(BIN)/assay board --track $$track --scale $(DEMO_SCALE); done

test: setup
	tests/services.sh
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

fix: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	$(BIN)/python benchmarks/first_batch.py
	$(BIN)/python benchmarks/evaluation.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench,clip]'
	$(BIN)/python benchmarks/pairs_loader.py
	$(BIN)/python benchmarks/dedup.py
	$(BIN)/python benchmarks/text_signals.py
	$(BIN)/python benchmarks/signals_at_scale.py --documents 100000
	if [ -d $(BENCH_DATA) ]; then \
	  $(BIN)/python benchmarks/text_rules.py $(BENCH_DATA)/pool && \
	  $(BIN)/python benchmarks/quality_labels.py $(BENCH_DATA)/quality_labels.jsonl.zst \
	    --background $(BENCH_DATA)/pool/*.jsonl.zst --reference url~en.wikipedia.org --csv benchmarks/quality_labels.csv; \
	else echo 'text_rules.py and quality_labels.py need real documents: make bench BENCH_DATA=FOLDER' >&2; fi

# Writes pool roots, suite digests and tracks/SEALS.json; refuses to change a sealed version. Then the indexes' digests.
seal: setup
	$(BIN)/python -m assay.track.seal
	$(BIN)/python -m assay.audit.seal

# Re-records the 20-step traces; look at the difference before you commit it.
golden: setup
	ASSAY_RECORD_GOLDEN=1 $(BIN)/python -m pytest tests/train/test_golden.py
	git --no-pager diff --stat tests/golden

clean:
	rm -rf build $(VENV)
