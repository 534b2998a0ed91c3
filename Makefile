# Checks and chores of a developer; people who use the software need ./custody alone.
# 'make -k check' goes on after the first check that fails.
.POSIX:
.PHONY: check lint format types imports locked commands settings required requirements \
	setup test bench fuzz hostile demo lock samples house

PYTHON = .venv/bin/python

check: lint format types imports locked commands settings required

setup:
	@sh deploy/setup.sh test

lint: setup
	.venv/bin/ruff check .

format: setup
	.venv/bin/ruff format --check .

types: setup
	$(PYTHON) -m mypy

imports: setup
	.venv/bin/lint-imports --no-logo

locked: setup
	$(PYTHON) -m deploy.checks.lock

commands: setup
	$(PYTHON) -m deploy.checks.readme

settings: setup
	$(PYTHON) -m deploy.checks.environment

required: setup
	$(PYTHON) -m deploy.checks.requirements

# Write docs/requirements.md from the tests that carry requirements.
requirements: setup
	$(PYTHON) -m deploy.checks.requirements write

test:
	./custody test

bench: setup
	$(PYTHON) -m tests.bench

# Fuzz every parser of ours, the time shared over all of them: make fuzz SECONDS=3600
SECONDS = 60
fuzz: setup
	$(PYTHON) -m tests.fuzz --seconds $(SECONDS)

# Take every hostile bundle in and print what became of each.
hostile: setup
	$(PYTHON) -m tests.faults hostile

demo:
	./custody demo

# Resolve every dependency anew, with hashes, for Python 3.11 and later on any machine.
lock: setup
	.venv/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header -q -o deploy/requirements.lock
	sed -n '/^uv==/,/# via/p' deploy/requirements.lock | sed '/# via/d' >deploy/bootstrap.lock

samples: setup
	$(PYTHON) -m deploy.sample.make_samples

house: setup
	$(PYTHON) -m deploy.house
