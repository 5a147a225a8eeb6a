# One command for everything; `make help` lists them.
VENV := .venv
PLAYER := $(VENV)/bin/player
PYTHON := $(VENV)/bin/python
# Processes of one thread each; whoever has no test left takes from the others. All tests take one process more than two cores
# have, for those that listen to music wait for it. Beside sound servers, children at the lowest priority and a type checker a
# deadline may be missed: what fails is tried once more, and the report counts it as rerun.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(PYTHON) -m pytest --dist worksteal --reruns 1
WORKERS := 3

.DEFAULT_GOAL := help
.PHONY: help run check-music test check all-tests fast-tests lint style changed bench pictures mutants format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: check-music $(VENV)/.ready ## open the player (MUSIC=/path for your own folder; the demo library without any)
	@exec $(PLAYER) $(if $(MUSIC),--music "$(MUSIC)")

check-music:
	@music="$(MUSIC)"; case "$$music" in "~"*) music="$$HOME$${music#\~}" ;; esac; \
	[ -z "$$music" ] || [ -e "$$music" ] || { echo "$$music does not exist; name a folder with music: make run MUSIC=~/Music" >&2; exit 1; }

# One after the other: tests that listen and that time out must not share two cores with the type checker.
test: $(VENV)/.ready-dev ## set up, lint, check types and run the tests
	@$(MAKE) --no-print-directory lint all-tests

check: $(VENV)/.ready-dev ## the same without the slow tests, and the types of what changed alone: before each commit
	@$(MAKE) --no-print-directory -j 2 changed fast-tests

all-tests: $(VENV)/.ready-dev
	@$(PYTEST) -n $(WORKERS)

fast-tests: $(VENV)/.ready-dev
	@$(PYTEST) -n 2 -m "not slow"

lint: style ## formatting, lint, import rules and types
	@$(VENV)/bin/pyright

style: $(VENV)/.ready-dev
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/lint-imports --no-cache

changed: style
	@.ci/types

format: $(VENV)/.ready-dev ## format and mend what can be mended mechanically
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/.ready-dev ## run the benchmarks (not part of the tests)
	@$(PYTHON) -m bench

pictures: $(VENV)/.ready-dev ## draw the pictures of README and guide anew, from the real program on the demo library
	@$(PYTHON) -m bench.screenshots

mutants: $(VENV)/.ready-dev ## change the code that decides in small ways and list the changes that no test notices
	@$(PYTHON) -m pip install -q --group mutants
	@$(PYTHON) -m bench.mutants

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .ruff_cache .pytest_cache .hypothesis

# The stamps make a second run start at once; a change of the dependencies sets up again.
$(VENV)/.ready: pyproject.toml .ci/setup
	@.ci/setup

$(VENV)/.ready-dev: pyproject.toml .ci/setup
	@.ci/setup --dev
