# `make demo` and `make test` do everything on a fresh Debian or Ubuntu with Python 3.11+, make and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# twice quiet: errors alone are printed
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --quiet
RUNS ?= runs
# at most so many processes test side by side, one thread and about 2 GB each; a file's tests share its fixtures
WORKERS ?= 4
# the long ones first, so that none is left alone at the end; not seal, whose language model says nothing without
# pretraining, tiger, which learns little in a minute, pefa-xs, alphabet
DEMO_METHODS := lmindexer,dual-encoder,bert4rec,fdsa,sasrec,rqvae,hc,rqkmeans,bm25,hgn,gru4rec,item-knn,popularity,$\
                category,shuffled,random

MEASURED_TABLES := id-quality,id-structure,id-use,recommendation,search,cost,cold-start,id-growth,paper

.PHONY: demo test check docs clean measured

demo: $(VENV)/installed
	$(BIN)/benchmark run --methods $(DEMO_METHODS) --dataset demo --runs $(RUNS)
	@echo "One page with all tables:  $(BIN)/benchmark report --runs $(RUNS) --format html --out out"
	@echo "Data of your own:          $(BIN)/benchmark run --methods rqvae,bm25 --dataset FOLDER  (docs/own-data.md)"
	@echo "A method of your own:      20 lines of Python  (docs/own-method.md)"

test: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# the measured report, in several sittings: results that the project keeps are resumed. DATA: a folder of data sets
MEASURED := reports/measured
measured: $(VENV)/installed
	mkdir -p $(RUNS)
	test ! -f $(MEASURED)/results.tar.xz || tar xf $(MEASURED)/results.tar.xz -C $(RUNS) --skip-old-files
	$(BIN)/benchmark run --config $(MEASURED)/campaign.toml --any-version --runs $(RUNS) $(if $(DATA),--data-root $(DATA))
	$(BIN)/benchmark archive --runs $(RUNS) --out $(MEASURED)/results.tar.xz
	$(BIN)/benchmark report --runs $(MEASURED)/results.tar.xz --tables $(MEASURED_TABLES) --format md,site --out $(MEASURED)/report
	$(BIN)/python $(MEASURED)/readme_tables.py

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(VENV)/installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@$(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV), which takes some minutes"
	@$(PIP) --upgrade pip
	@$(PIP) -r requirements.lock
	@$(PIP) --no-deps -e .
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
