# Two commands do everything: `make demo` and `make test`. The environment is .venv.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
RUN := OMP_NUM_THREADS=1 $(BIN)/python

.PHONY: help demo test test-light check docs mutants bench bench-index bench-service bench-page attack bench-encode serve clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

# Nothing is compiled ahead: Python compiles what is used, at its first import, a seventh of it all.
.venv/light: pyproject.toml constraints.txt
	@echo 'installing indexer and service into .venv: some 0.6 GB, half a minute'
	$(PYTHON) -m venv .venv
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e .
	@touch $@

.venv/ready: .venv/light
	@echo 'installing what training and tests need into .venv: some 7 GB, a few minutes'
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

demo: .venv/light ## render a synthetic region, index it, serve it, and localize its panoramas over HTTP
	$(BIN)/python -m service.demo --port $(PORT)

test: .venv/ready ## run the tests (under ten minutes on two cores)
	$(RUN) -m pytest

test-light: ## place photos in an environment of its own that has no torch
	$(PYTHON) -m venv .venv-light
	PYTHONWARNINGS=ignore .venv-light/bin/python -m pip install --quiet -c constraints.txt -e . pytest pytest-xdist
	OMP_NUM_THREADS=1 .venv-light/bin/python -m pytest -n 0 tests/test_without_torch.py

check: .venv/ready ## lint, types, and who may import whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(RUN) -m pytest -n 0 tests/test_architecture.py

docs: .venv/ready ## build the documentation into site/, API reference included; open site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

mutants: .venv/ready ## change the core modules in small ways and list what their tests miss (an hour; MODULES=... for some)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[mutants]'
	OMP_NUM_THREADS=1 nice -n 15 $(BIN)/python -m benchmarks.mutants $(MODULES)

bench-index: .venv/ready ## measure building, and changing, an index of a million tiles
	$(BIN)/python -m benchmarks.bench_index
	$(BIN)/python -m benchmarks.bench_index --fast --tiles 16384
	$(BIN)/python -m benchmarks.bench_lifecycle

bench: .venv/ready ## measure indexing, search and service; results go to benchmarks/results/
	$(BIN)/python -m benchmarks.run_all

DEMO_PHOTO = $$(ls clnet-data/demo/region/panoramas/*.jpg | head -1)

bench-service: .venv/ready ## measure the service under load beside two yardsticks, and its memory over 20,000 requests
	$(RUN) -m benchmarks.bench_service --index clnet-data/demo/index --photo $(DEMO_PHOTO)
	$(RUN) -m benchmarks.soak_service --index clnet-data/demo/index --photo $(DEMO_PHOTO)

bench-page: .venv/ready ## measure a first visit to the page in Chromium
	$(RUN) -m benchmarks.bench_page --index clnet-data/demo/index --photos clnet-data/demo/region/panoramas

.venv-attack:
	$(PYTHON) -m venv .venv-attack
	.venv-attack/bin/python -m pip install --quiet 'schemathesis>=4.32'

attack: .venv/ready .venv-attack ## attack the service: hostile photos and clients, faults, thousands of requests from its OpenAPI
	$(RUN) -m benchmarks.attack_service --index clnet-data/demo/index --photo $(DEMO_PHOTO)
	$(RUN) -m benchmarks.attack_bodies --index clnet-data/demo/index --photo $(DEMO_PHOTO)
	$(RUN) -m benchmarks.attack_memory --index clnet-data/demo/index --photo $(DEMO_PHOTO)
	$(RUN) -m benchmarks.attack_schema --cases 460 --index clnet-data/demo/index --photo $(DEMO_PHOTO)

bench-encode: .venv/ready ## measure what a picture costs in each engine and precision
	$(RUN) -m benchmarks.bench_encode $(if $(CHECKPOINT),--checkpoint $(CHECKPOINT))

serve: .venv/light ## serve the index of the demo, or INDEX=...
	$(BIN)/python -m service --index $(or $(INDEX),clnet-data/demo/index) --port $(PORT)

clean: ## remove the environment, the demo, rendered worlds and caches; training runs stay
	rm -rf .venv .venv-light .venv-attack clnet-data runs/worlds build site .pytest_cache .mypy_cache .ruff_cache *.egg-info
