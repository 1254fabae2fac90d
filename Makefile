# What people run here; `make help` lists it.
VENV := .venv
BIN := $(VENV)/bin
DEBIAN := dcmtk orthanc nftables iproute2 openssl util-linux python3-venv zmap masscan nmap chromium dnsmasq-base postgresql systemd
export CENSUS_ONLY_TESTBED := 1
export UV_PYTHON_DOWNLOADS := never
# Tests start hundreds of programs; each would compile all of its modules again if none kept what it compiled.
export PYTHONDONTWRITEBYTECODE :=

# Sweeps mostly wait: more of them than processors run at once, while one worker computes (tests/scheduling.py).
WORKERS := $(shell echo $$(($$(nproc) * 2)))

# Tests that need neither privilege nor servers, and simulate nothing for long.
FAST := tests/plan tests/space tests/wire tests/enrich tests/tools tests/optout/test_events.py tests/probe/test_flow.py \
	tests/probe/test_pacer.py tests/associate/test_conversation.py tests/associate/test_limits.py \
	--ignore tests/space/test_coverage.py --ignore tests/space/test_outside.py \
	--ignore tests/tools/test_packages.py

PYTEST := $(BIN)/pytest -n $(WORKERS) --no-loadscope-reorder --durations=10 -rs
T := tests

.PHONY: help setup demo test newest pythons fast check lint fix lock dist docs fuzz chaos bench coverage packages clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: packages $(VENV)/ready ## install into .venv, and missing Debian packages, for developers; no server is started

packages:
	@tools/packages $(DEBIAN)

# Only files whose SHA-256 is in a lock are installed, and wheels alone: no package's own code runs while it is installed.
CHECKED := --quiet --require-hashes --only-binary :all:
LOCKED := build run plots fleet notify develop

$(VENV)/ready: pyproject.toml $(LOCKED:%=locks/%.txt) locks/frames.txt tests/npm/package.json
	python3 -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check $(CHECKED) -r locks/build.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync $(CHECKED) $(LOCKED:%=locks/%.txt)
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install $(CHECKED) --no-deps --target $(VENV)/frames -r locks/frames.txt
	cp tests/npm/package.json $(VENV)/
	$(BIN)/python -m tests.notify.receivers
	PREFECT_HOME=$(VENV)/prefect DO_NOT_TRACK=1 $(BIN)/prefect server database upgrade -y >/dev/null
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm install --prefix $(VENV) --silent --no-audit --no-fund --ignore-scripts --no-package-lock
	touch $@

demo: setup ## sweep a closed, simulated Internet, and write its report
	rm -rf demo
	$(BIN)/census testbed run -- $(BIN)/census sweep data/testbed/demo-sweep.toml
	$(BIN)/census verify demo/lake
	$(BIN)/census report demo/lake -o demo/report
	@echo "lake: demo/lake   report: demo/report/report.html   SQL: $(BIN)/census sql demo/lake" >&2

test: setup ## run lint and every test, or with T=path the tests of a file or folder alone
ifeq ($(T),tests)
	@$(MAKE) --no-print-directory check
else
	tools/namespaces $(PYTEST) $(T)
endif

# What a new Prefect, DuckDB or Arrow may break; all other tests are of what is locked.
NEWEST := tests/analysis tests/console tests/flows tests/lake tests/publish tests/views

newest: setup ## test with the newest versions that pyproject.toml allows, in an environment of their own
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-newest
	VIRTUAL_ENV=.venv-newest $(BIN)/uv pip install --quiet --upgrade -e '.[dev]' --group build
	tools/namespaces .venv-newest/bin/pytest $(NEWEST)

# Those of the Pythons that pyproject.toml allows which run here; PYTHONS="PATH …" names others.
PYTHONS := $(foreach version,3.11 3.12 3.13,$(shell python$(version) -c "import sys; print(sys.executable)" 2>/dev/null))

pythons: setup ## test the wheel on each Python that PATH has, or that PYTHONS="PATH …" names
	@for python in $(PYTHONS); do \
		echo "== $$($$python --version)"; \
		WHEEL_PYTHON=$$python tools/namespaces $(BIN)/pytest -q tests/end_to_end/test_wheel.py || exit 1; \
	done

fast: setup ## run the pure tests: no namespaces, servers or browsers
	$(PYTEST) $(FAST)

check: lint
	tools/namespaces $(PYTEST)

lint: ## check format, rules, types, imports and spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

fix: ## mend format and what the rules can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup ## write locks/ anew from pyproject.toml; with LOCK=--upgrade in the newest versions that it allows
	$(BIN)/python -m tools.locks $(LOCK)

dist: setup ## build the wheel into dist/, with its bill of materials (CycloneDX) and the licences of what it installs
	tools/dist

docs: ## write what is generated: docs/tables.md, docs/views.md, docs/errors.md, tables of docs/fingerprints.md, the trials of rules
	$(BIN)/python -m tools.tables_page > docs/tables.md
	$(BIN)/python -m tools.views_page > docs/views.md
	$(BIN)/python -m tools.errors_page > docs/errors.md
	$(BIN)/python -m tools.trials_file
	$(BIN)/python -m tools.fingerprints_page

# Each target of fuzz/targets.py for this long; what breaks a promise is kept in fuzz/found.
FUZZ_SECONDS := 60

fuzz: setup ## feed random bytes to every decoder for FUZZ_SECONDS each
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install $(CHECKED) -r locks/fuzz.txt
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS)

# A sweep of which every kind of process is killed again and again, whose disk is full once, and whose writer has no memory
# once; then one into a bucket; then one of a million targets, all of whose processes are killed at once, against one that
# nothing disturbs. Then seal, enrich and report, killed at STEPS steps.
SEED := 1
KILLS := 30
STEPS := 100

chaos: setup ## kill and starve a sweep again and again
	$(BIN)/python -m tests.chaos.run --seed $(SEED) --kills $(KILLS)
	$(BIN)/python -m tests.chaos.run --seed $(SEED) --kills 6 --bucket
	$(BIN)/python -m tests.chaos.run --seed $(SEED) --kills 10 --large
	$(BIN)/python -m tests.chaos.steps --seed $(SEED) --kills $(STEPS)

# Each benchmark prints ratios of one run; docs/benchmarks.md says what they mean.
BENCHMARKS := permutation_quality walk send pace greetings unwanted wheel recall decode visits silent analysis lookups bytes layout writing flow site whole_sweep focus

bench: setup ## run the benchmarks
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

clean: ## remove .venv and the demo
	rm -rf demo dist $(VENV) .venv-newest

# Every target exactly once, over the whole Internet on two ports: minutes, and 512 MB a port and process.
coverage: setup ## prove every target once, over the whole Internet
	$(BIN)/python -m tests.space.coverage
