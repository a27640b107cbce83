# `make` alone lists what there is. Every target sets the checkout up first (deploy/bootstrap.sh): Python >= 3.11, git
# and make are all it needs, and everything it writes stays in this folder.

ARGS ?=
BIN := .venv/bin
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
export UV_PYTHON_DOWNLOADS := never
COMPILE := .tools/bin/uv --no-config pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo up test contract docs check format test-browser bench lock clean

help: ## List the targets
	@echo "Lucy. Targets (ARGS=... is passed on to demo, up, test, test-browser and bench):"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/  \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-16s%s\n' "$$name" "$$text"; done

setup: ## Make .venv from the locked requirements (the other targets do it by themselves)
	@exec sh deploy/bootstrap.sh

demo: setup ## Play the whole story on embedded servers and simulators; fails if one student ends wrong
	@exec $(BIN)/lucy demo $(ARGS)

up: setup ## Start the same and leave it running
	@exec $(BIN)/lucy up $(ARGS)

test: setup ## Run the tests (ARGS="-k teams -x")
	@mkdir -p .cache/pytest
	@PYTEST_DEBUG_TEMPROOT="$(CURDIR)/.cache/pytest" exec $(BIN)/python -m pytest -n 2 --ignore=tests/browser \
		-o tmp_path_retention_policy=failed $(ARGS)

contract: setup ## Hold connectors and simulators against each other, or against real services (tests/contract/README.md)
	@exec $(BIN)/python -m pytest -n0 tests/contract $(ARGS)

docs: setup ## Write docs/connectors from the code
	@exec $(BIN)/lucy docs connectors

check: setup ## Format, lint, types, import rules, compose file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: setup ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-browser: setup ## Show cards, letters and the local chat to a real browser (needs chromium and npm)
	@exec $(BIN)/python -m pytest tests/browser $(ARGS)

bench: setup ## Measure: turns, lanes, ingest
	@exec $(BIN)/python -m benchmarks $(ARGS)

lock: setup ## Resolve pyproject.toml into requirements/*.lock (ARGS=--upgrade for the newest of everything)
	$(COMPILE) $(ARGS) -o requirements/runtime.lock
	$(COMPILE) $(ARGS) --group sandbox --group dev -o requirements/dev.lock
	@exec sh deploy/bootstrap.sh

clean: ## Remove what runs and tests left behind (the environment stays)
	rm -rf build .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . \( -name .venv -o -name .tools -o -name .git -o -name .cache \) -prune -o -name __pycache__ -type d -exec rm -rf {} +
