# `make demo` and `make test` do everything on a fresh Debian or Ubuntu with Python 3.11+, make and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUNS ?= runs
# at most so many processes test side by side, one thread and about 2 GB each; a file's tests share its fixtures
WORKERS ?= 4
# all but seal, whose language model says nothing without pretraining, and tiger, which learns little in a minute
DEMO_METHODS := lmindexer,rqvae,hc,rqkmeans,bm25,dual-encoder,hgn,gru4rec,bert4rec,fdsa,sasrec,item-knn,popularity,$\
                category,shuffled,random

.PHONY: demo test check clean

demo: $(VENV)/installed
	$(BIN)/benchmark run --methods $(DEMO_METHODS) --dataset demo --runs $(RUNS)

test: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses $(WORKERS) --dist loadfile

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/installed: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -r requirements.lock
	$(BIN)/pip install --quiet --no-deps -e .
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
