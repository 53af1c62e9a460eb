# What to type: `make run`, `make test`, `make demo`, `make build`. Each installs what it lacks.

SHELL := /bin/bash
.DEFAULT_GOAL := help
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$(HOME)/.cargo/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/src
export CARGO_TARGET_DIR ?= $(CURDIR)/target

RULES := ../shared/interop/rules
CAPTURE ?= ../shared/interop/captures/container_start.scap
SOURCES := $(shell find crates schema -name '*.rs' -o -name '*.c' -o -name '*.h' -o -name 'Cargo.toml' -o -name '*.json' 2>/dev/null) Cargo.lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 20

run: build ## watch this machine (root)
	@exec eyas run $(ARGS)

demo: build ## show alerts, without root
	@exec eyas demo $(ARGS)

build: .venv/core ## build the release core and leave .venv/bin/eyas
	@echo "ready: .venv/bin/eyas" >&2

check: .venv/packages ## formatting, lints, types, import order, freshness
	ruff format --check src tests docs
	ruff check src tests docs
	mypy
	lint-imports
	cargo fmt --all --check
	python schema/generate.py --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	python -m tests.architecture.sizes

test: build ## every test, Rust and Python
	cargo test --workspace --quiet
	pytest $(ARGS)

conform: build ## compare with the answers in ../shared/oracle
	@exec python -m eyas.conform $(ARGS)

bench: build ## the numbers of the README
	@eyas bench load -r $(RULES)
	@eyas bench read $(CAPTURE)
	@eyas bench replay $(CAPTURE) -r $(RULES)

goldens: build ## renew the golden requests of outputs and the golden alerts; read the difference
	@EYAS_RENEW=1 pytest tests/outputs/test_requests.py tests/test_alert.py
	@git diff --stat tests/goldens/requests tests/goldens/alerts

reference: build ## renew the reference pages in docs/
	@exec python docs/generate.py

format: .venv/packages ## format everything
	ruff format src tests docs
	ruff check --fix --quiet src tests docs
	cargo fmt --all

wheel: .venv/packages ## an abi3 wheel with the probe inside, in dist/
	maturin build --release --out dist

clean: ## remove what was built
	rm -rf target dist .venv .tools

.venv/packages: pyproject.toml uv.lock .ci/setup
	.ci/setup
	uv sync --frozen --quiet --all-extras
	@touch $@

.venv/core: .venv/packages $(SOURCES)
	maturin develop --release --uv --quiet
	@touch $@

.PHONY: help run demo build check test conform bench format goldens reference wheel clean
