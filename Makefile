# Checks and chores of a developer; people who use the software need ./custody alone.
.POSIX:
.PHONY: check test bench demo lock samples house setup

PYTHON = .venv/bin/python

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-logo
	$(PYTHON) -m deploy.checks.lock
	$(PYTHON) -m deploy.checks.readme
	$(PYTHON) -m deploy.checks.environment

setup:
	@sh deploy/setup.sh test

test:
	./custody test

bench: setup
	$(PYTHON) -m tests.bench

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
