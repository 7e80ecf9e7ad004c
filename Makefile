# Cohort. `make up` and `make test` bring everything they need; `make help` lists the rest.
# PYTHON=/path/to/python3.13 chooses the Python, SEED/MINUTES the chaos run.
.DEFAULT_GOAL := help
.PHONY: help up test test-slow test-all test-browser test-browser-if-found rehearsal coverage check check-newest format chaos soak bench bench-quick lock pin-images dist hooks docs clean env-run env-dev env-browser env-voice
MAKEFLAGS += --no-print-directory

PYTHON ?=
BIN := .venv/bin
SEED ?=
MINUTES ?= 3
ARGS ?=
TAG ?=
# Container images like to set it. Without compiled modules a worker needs ten seconds of processor time to start, not four.
unexport PYTHONDONTWRITEBYTECODE
# Processes that run tests, more than cores: a test of real processes mostly waits. What they share takes 450 MiB; the peak
# of a run is 2 GiB. JOBS=3 takes less, and longer.
JOBS ?= 4
# Percent of lines and branches of tasks/ and workers/sessions/ that `make coverage` asks for.
FLOOR := 92
FAST := -n $(JOBS) --dist loadgroup -m 'not chaos and not soak and not bench and not rehearsal and not browser'

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /|/' | while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

up: env-run ## start everything here, in the foreground (Ctrl-C ends it)
	@tools/up.sh "$(PYTHON)" $(ARGS)

test: env-dev ## the tests but for chaos, soak and bench; ARGS='-k name' goes to pytest
	@$(BIN)/python -m pytest $(FAST) $(ARGS)

test-slow: env-dev ## the tests that take minutes: chaos (CHAOS_SECONDS, 180), soak, bench
	@CHAOS_SECONDS=$${CHAOS_SECONDS:-180} $(BIN)/python -m pytest -n 2 --dist loadgroup -m 'chaos or soak or bench' $(ARGS)

test-browser: ## the pages in a real browser, over `cohort up`; needs Chromium (CHROMIUM=/path/to/it)
	@tools/find-chromium.sh >/dev/null
	@$(MAKE) env-browser
	@$(BIN)/python -m pytest -n 0 -m browser $(ARGS)

test-browser-if-found:
	@if tools/find-chromium.sh >/dev/null 2>&1; then $(MAKE) test-browser; else echo 'make test-browser is left out: this machine has no Chromium'; fi

test-all: test test-slow rehearsal test-browser-if-found ## all of them

coverage: env-dev ## `make test` with coverage, over subprocesses too; what no message may be lost in has a floor
	@$(BIN)/coverage erase; $(BIN)/coverage run -m pytest $(FAST) $(ARGS); status=$$?; $(BIN)/coverage combine --quiet; \
	$(BIN)/coverage report --skip-covered --skip-empty; \
	$(BIN)/coverage report --skip-covered --include='tasks/*,workers/sessions/*' --fail-under=$(FLOOR) || status=$$?; exit $$status

check: env-dev ## lint, format, types, import rules, dependencies, generated files
	@tools/check.sh

check-newest: env-dev ## the runtime's tests against the newest fast-agent, in .venv-newest; ARGS chooses tests
	@if [ -x .tools/uv/bin/uv ]; then uv=.tools/uv/bin/uv; else uv=uv; fi; $(BIN)/python tools/newest.py $$uv $(BIN)/python $(ARGS)

format: env-dev ## let ruff format and sort
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

chaos: env-dev ## kill everything for MINUTES (default 3), check that nothing is lost; SEED repeats a run
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

rehearsal: env-dev ## three machines (network namespaces, needs root): one is cut off, one is killed, workers come and go
	@$(BIN)/python -m pytest -n 0 -m rehearsal $(ARGS)

soak: env-dev ## 10,000 sessions on one worker, whose memory must not grow (some ten minutes)
	@$(BIN)/python -m tests.soak $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: env-dev ## all measurements, written to bench/results/; an hour on a quiet machine
	@$(BIN)/python -m bench $(ARGS)

bench-quick: env-dev ## every measurement once and small: shows that it runs
	@$(BIN)/python -m bench --quick $(ARGS)

lock: env-dev ## resolve pyproject.toml into requirements*.txt
	@if [ -x .tools/uv/bin/uv ]; then uv=.tools/uv/bin/uv; else uv=uv; fi; $(BIN)/python tools/lock.py $$uv $(BIN)/python

pin-images: env-dev ## pin the base images to what their tags mean now (needs docker with buildx)
	@$(BIN)/python tools/images.py --write

dist: env-dev ## build the wheel and the source archive into dist/; TAG=vX.Y.Z must be the version
	@if [ -x .tools/uv/bin/uv ]; then uv=.tools/uv/bin/uv; else uv=uv; fi; $(BIN)/python tools/dist.py $$uv $(BIN)/python "$(TAG)"

hooks: env-dev ## run the checks before each commit (prek)
	@$(BIN)/prek install

docs: env-dev ## write the generated parts of docs/ again
	@$(BIN)/python tools/settings_table.py --write

clean: ## remove the environment, tools and caches; .cohort (your data) stays
	rm -rf .venv .tools .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage* dist build

env-run:
	@tools/bootstrap.sh run "$(PYTHON)"

env-dev:
	@tools/bootstrap.sh dev "$(PYTHON)"

env-browser: env-dev
	@tools/bootstrap.sh browser "$(PYTHON)"

env-voice: env-run ## bring what converts voice messages for models that take MP3 and WAV only
	@tools/bootstrap.sh voice "$(PYTHON)"
