# One word per job. `.ci/run` is `make test`; everything a target needs it installs by itself.
VENV := $(CURDIR)/.cache/venv
export LARDER_VENV := $(VENV)
export PATH := $(VENV)/bin:$(PATH)
# a build that is thrown away gains nothing from what makes the next one fast
ifeq ($(CI),true)
export CARGO_INCREMENTAL := 0
endif
# one set of features for every debug build, so that nothing is compiled twice
WHOLE := --workspace --all-features

.PHONY: run build lint test test-rust test-clients test-container smoke bench setup docs-differences differential

run:
	cargo run --bin larder -- serve $(ARGS)

build:
	cargo build --release --bin larder

setup:
	scripts/setup-tests

lint: setup
	cargo fmt --all --check
	typos
	cargo run --quiet -p xtask -- tidy
	cargo deny --all-features check bans licenses sources
	cargo clippy $(WHOLE) --all-targets -- -D warnings

test: lint test-rust test-clients test-container

# unit, property, store, blob, HTTP and fault tests; on SQLite and PostgreSQL, on files and S3
test-rust: setup
	scripts/with-services cargo nextest run $(WHOLE)
	# the HTTP tests once more, on PostgreSQL and S3
	LARDER_TEST_PAIR=cluster scripts/with-services cargo nextest run $(WHOLE) -E 'package(larder-web)'
	cargo test --doc --quiet $(WHOLE)

# pip, uv, twine, devpi-client and its oldest versions against the built binary; ARGS go to pytest,
# LARDER_ALL_CLIENTS=1 runs every client that scripts/clients has
test-clients: setup
	scripts/setup-clients
	cargo build $(WHOLE) --all-targets
	scripts/with-services python -m pytest compat $(ARGS)

# the page of differences from devpi-server, made of the table that the tests prove
docs-differences: setup
	cd compat && python -m oracle.document

# random operations on devpi-server and Larder: SEEDS=100..200, STEPS=40
SEEDS ?= 1..50
STEPS ?= 40
differential: setup
	cargo build $(WHOLE) --bins
	ORACLE_SEEDS=$(SEEDS) ORACLE_STEPS=$(STEPS) python -m pytest compat/oracle/test_differential.py $(ARGS)

# the image and its promises, on images made from Debian packages; skipped without Docker
test-container: setup
	cargo build $(WHOLE) --bins
	docker/test-container

# the cache against real PyPI, a handful of small projects
smoke: setup
	cargo build --bin larder
	python compat/smoke.py

# against nginx and real devpi-server in one run, ratios on stdout
bench:
	scripts/setup-tests bench
	cargo build --release --bin larder
	cargo build -p larder-testkit --bin fake-index
	python bench/bench.py $(ARGS)
