# make setup | demo | test | check | fuzz | chaos | bench | coverage | clean
VENV := .venv
BIN := $(VENV)/bin
DEBIAN := dcmtk orthanc nftables iproute2 openssl util-linux python3-venv zmap masscan nmap chromium dnsmasq-base postgresql
export CENSUS_ONLY_TESTBED := 1
export UV_PYTHON_DOWNLOADS := never
# Tests start hundreds of programs; each would compile all of its modules again if none kept what it compiled.
export PYTHONDONTWRITEBYTECODE :=

# Sweeps mostly wait: more of them than processors run at once.
WORKERS := $(shell echo $$(($$(nproc) * 2)))

.PHONY: setup demo test check lint fuzz chaos bench coverage packages clean

setup: packages $(VENV)/ready

packages:
	@tools/packages $(DEBIAN)

$(VENV)/ready: pyproject.toml constraints.txt tests/npm/package.json
	python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet -e '.[dev]' -c constraints.txt
	cp tests/npm/package.json $(VENV)/
	PREFECT_HOME=$(VENV)/prefect DO_NOT_TRACK=1 $(BIN)/prefect server database upgrade -y >/dev/null
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm install --prefix $(VENV) --silent --no-audit --no-fund --ignore-scripts --no-package-lock
	touch $@

demo: setup
	rm -rf demo
	$(BIN)/census testbed run -- $(BIN)/census sweep data/testbed/demo-sweep.toml
	$(BIN)/census verify demo/lake
	$(BIN)/census report demo/lake -o demo/report
	@echo "lake: demo/lake   report: demo/report/report.html   SQL: $(BIN)/census sql demo/lake" >&2

test: setup check

check: lint
	tools/namespaces $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Each target of fuzz/targets.py for this long; what breaks a promise is kept in fuzz/found.
FUZZ_SECONDS := 60

fuzz: setup
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet -e '.[dev,fuzz]' -c constraints.txt
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS)

# A sweep of which every kind of process is killed again and again, and whose disk is full once; then one into a bucket.
SEED := 1
KILLS := 30

chaos: setup
	$(BIN)/python -m tests.chaos.run --seed $(SEED) --kills $(KILLS)
	$(BIN)/python -m tests.chaos.run --seed $(SEED) --kills 6 --bucket

# Each benchmark prints ratios of one run; docs/benchmarks.md says what they mean.
BENCHMARKS := permutation_quality walk send pace greetings wheel recall decode visits silent analysis lookups bytes layout writing flow

bench: setup
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

clean:
	rm -rf demo $(VENV)

# Every target exactly once, over the whole Internet on two ports: minutes, and 512 MB a port and process.
coverage: setup
	$(BIN)/python -m tests.space.coverage
