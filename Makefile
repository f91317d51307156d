# Baton: every target works on a fresh machine with Python 3.11+ and nothing else.
# `make setup` makes .venv from the lock; the others make it where it is missing or older than the lock.

# The first Python from 3.11 on that can make an environment; PYTHON=/path/to/python chooses another. The system's come before
# the others in the PATH: distributions build theirs with profile-guided optimization, version managers mostly do not, and
# everything here takes a third more CPU then (docs/BENCHMARKS.md).
PYTHONS := python3.11 python3.12 python3.13 python3.14
SYSTEM_BIN ?= /usr/bin
PYTHON ?= $(shell for p in $(PYTHONS:%=$(SYSTEM_BIN)/%) $(PYTHONS) python3 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$$p" && break; done)
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup up down demo round-trip test wheel-compiled test-compiled check simulate-seeds quarter mutants chaos bench schemas readme lock clean

help:               ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {sub(/ +$$/, "", $$1); printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)     ## .venv with the locked dependencies; the command line is .venv/bin/baton

# One line a package as pip comes to it; its errors are not in the pipe.
PROGRESS = awk '/^Collecting / { printf "  %d: %s\n", ++n, $$2; fflush() } /^Installing collected/ { print "  installing them"; fflush() }'

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Baton needs Python 3.11 or newer with venv and pip (Debian, Ubuntu: apt install python3-venv)" \
		"in the PATH, or PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" --version) from requirements.lock"
	@"$(PYTHON)" -m venv .venv
	@rm -f .venv/.failed
	@{ $(BIN)/python -m pip install --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock \
		|| touch .venv/.failed; } | $(PROGRESS)
	@test ! -e .venv/.failed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

up: $(READY)        ## run Baton and keep it running until Ctrl-C; a broker too, unless BATON_BOOTSTRAP names one
	@$(BIN)/baton up

down: $(READY)      ## stop what runs and clean up
	@$(BIN)/baton down

demo: $(READY)      ## a small simulated company against clocks of seconds; ends by itself, exit 1 if it does not add up
	@$(BIN)/baton demo

round-trip: $(READY) ## one lead from HubSpot to Slack and back, won on the board, beside fakes of both; ends by itself; ARGS=--stay keeps it running
	@$(BIN)/python -m tests.kafka.round_trip $(ARGS)

# One more than two cores: some tests wait for brokers and clocks.
JOBS ?= 3
# The tests start interpreters by the hundred: they find the modules compiled, whatever the machine says.
test: $(READY)      ## JOBS=3 at a time, every test; those that need Kafka use BATON_BOOTSTRAP, else an embedded broker
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

wheel-compiled: $(READY) ## a wheel in dist/ with the codec as machine code, for this Python and platform; needs a C compiler
	@BATON_COMPILE=1 $(BIN)/python -m hatchling build -t wheel -d dist

test-compiled: $(READY) ## build that wheel, install it in an environment of its own, and run the tests that it matters to; JOBS, SEEDS
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python tools/compiled_tests.py --jobs $(JOBS) --seeds $(SEEDS)

check: $(READY)     ## format, lint, types, walls between the packages, dead code, dependencies, sizes and names
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/vulture
	@$(BIN)/deptry .
	@$(BIN)/python -m pytest -q tests/test_tidy.py tests/test_purity.py

SEEDS ?= 200
simulate-seeds: $(READY) ## SEEDS=200 random histories of the whole flow under faults, each audited
	@$(BIN)/python -m tests.simulation.seeds --seeds $(SEEDS)

LEADS ?= 20000
quarter: $(READY)   ## LEADS=20000 visitors in ninety simulated days: a report in examples/quarter.md, and whether it adds up
	@$(BIN)/python -m baton.simulation.quarter --leads $(LEADS) --out examples/quarter.md

MUTANT_SEEDS ?= 40
mutants: $(READY)   ## break one rule at a time and see who notices: unit tests, and MUTANT_SEEDS=40 histories with the audit; takes an hour
	@$(BIN)/python tools/mutants/run.py --seeds $(MUTANT_SEEDS) $(ARGS)

KILLS ?= 40
EVENTS ?= 20000
SEED ?= 1
BROKERS ?= 1
chaos: $(READY)     ## KILLS=40 EVENTS=20000 SEED=1 BROKERS=1 or 3: load while processes are killed, paused and parted by a plan, then the audit; takes minutes
	@$(BIN)/python -m baton.proof.chaos --kills $(KILLS) --events $(EVENTS) --seed $(SEED) --brokers $(BROKERS) $(ARGS)

bench: $(READY)     ## what Baton costs, against Faust, Kafka Streams and a bare loop, in one run of some ten minutes; ARGS="--quick --json FILE"
	@$(BIN)/python -m benchmarks $(ARGS)

schemas: $(READY)   ## write the schema files of records that are new or changed
	@$(BIN)/python tools/schemas.py

readme: $(READY)    ## write the tables in README and docs/, and the sample story
	@$(BIN)/python tools/readme.py
	@$(BIN)/python tools/operating.py
	@$(BIN)/python tools/lifecycle.py
	@$(BIN)/python tools/board_tables.py

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
lock: $(READY)      ## write requirements.lock, deploy/worker.lock and deploy/compile.lock anew from pyproject.toml
	@$(LOCK) pyproject.toml --extra local --extra disk --group dev --output-file requirements.lock
	@$(LOCK) pyproject.toml --extra disk --group build --constraints requirements.lock --output-file deploy/worker.lock
	@$(LOCK) --group compile --constraints requirements.lock --output-file deploy/compile.lock

clean: down         ## remove the environment too
	@rm -rf .venv
