# Two commands matter: `make run` (the main job) and `make test` (lint, types, tests).
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
UNCOMPILED := /(tests|alembic|debugpy|fontTools|mypyc?|pip|pkg_resources|setuptools|sqlalchemy)/

.PHONY: run test lint suite peers figures notebooks docs clean

run: $(VENV)/.installed
	$(BIN)/gpsearch run examples/friedman.toml

test: $(VENV)/.installed
	@# side by side: the types are checked on one core
	$(MAKE) -j 2 lint suite

suite: $(VENV)/.installed
	@# a process for each core: more threads in each would wait for one another; the longest files
	@# first, not those of most tests, or a core waits at the end
	OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 \
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

peers: .peers/peers/.installed .peers/hebo/.installed

# what benchmarks/ compares with, in 12 GB of its own; three processor minutes and the download.
# HEBO needs an older NumPy than the others
.peers/%/.installed: benchmarks/environments/%.txt
	$(PYTHON) -m venv .peers/$*
	.peers/$*/bin/python -m pip install --no-deps --no-compile --progress-bar off -r $<
	touch $@

figures: $(VENV)/.installed
	$(BIN)/python plots/make_plots.py
	$(BIN)/python benchmarks/kept.py

notebooks: $(VENV)/.installed
	$(BIN)/python notebooks/execute.py

docs: $(VENV)/.installed
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d docs/_build/doctrees docs docs/_build/html
	@echo "The documentation is in docs/_build/html/index.html"

$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e ".[dev]"
	@# on all cores, which pip does not, but for what is hardly ever imported, a third of the time;
	@# some files of others are not for this version of Python
	$(BIN)/python -m compileall -qq -j 0 -x '$(UNCOMPILED)' $(VENV)/lib || true
	touch $@

clean:
	rm -rf docs/_build docs/_generated $(VENV) .mypy_cache .pytest_cache .ruff_cache
