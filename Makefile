# Everything a fresh machine needs is Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ORACLE := .venv-oracle
THREADS ?= 1

.PHONY: demo test check docs prove oracle bench clean

# torch comes first and alone, by its exact pin, so that nothing after it pulls another build.
$(VENV)/base: constraints.txt pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/dev: $(VENV)/base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	$(BIN)/python -c "import torch; assert torch.__version__.startswith('2.13.0'), torch.__version__"
	touch $@

demo: $(VENV)/base   ## train on the built-in set and show where the pictures are
	$(BIN)/sparring train --out runs/demo --until 100s
	$(BIN)/sparring sample runs/demo --n 64 --seed 0 --out runs/demo-new.png

# The exported page is tried in Debian's Chromium: installed where it is absent and we may; elsewhere those tests are skipped.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null; \
	  else false; fi; } || echo "no chromium and chromedriver, and no way to install them: the tests of pages are skipped"

test: $(VENV)/dev chromium   ## all tests but the slow proofs
	OMP_NUM_THREADS=$(THREADS) $(BIN)/python -m pytest -n 2 -m "not prove and not oracle"

check: $(VENV)/dev   ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/docs: $(VENV)/base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	touch $@

docs: $(VENV)/docs   ## build the documentation in site/, without a network; python -m http.server -d site serves it
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

prove: $(VENV)/dev   ## the slow proofs at full size: thousands of kills, every fault
	OMP_NUM_THREADS=$(THREADS) $(BIN)/python -m pytest -n 2 -m prove --timeout=3600

# Other people's metrics, in an environment of their own: some of them need a torchvision, which ours must do without.
$(ORACLE)/ready: constraints.txt constraints-oracle.txt pyproject.toml
	test -d $(ORACLE) || $(PYTHON) -m venv $(ORACLE)
	$(ORACLE)/bin/python -m pip install --quiet --disable-pip-version-check -r constraints.txt
	$(ORACLE)/bin/python -m pip install --quiet --disable-pip-version-check -r constraints-oracle.txt -e ".[dev]"
	$(ORACLE)/bin/python -c "import torch; assert torch.__version__.startswith('2.13.0'), torch.__version__"
	touch $@

oracle: $(ORACLE)/ready   ## agreement with other packages' metrics and networks
	OMP_NUM_THREADS=$(THREADS) $(ORACLE)/bin/python -m pytest -m oracle tests/oracle

bench: $(VENV)/dev   ## list the measurements; each is a script of its own
	@ls bench/*.py

clean:
	rm -rf $(VENV) $(ORACLE) runs site build dist .pytest_cache .mypy_cache .ruff_cache
