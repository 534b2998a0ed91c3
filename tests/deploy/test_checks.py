"""The checks of ``make check`` accept this checkout and refuse what they are there for."""

import tomllib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement
from packaging.version import Version
from typer.main import get_command

from deploy.checks import environment, lock, readme

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "deploy/requirements.lock").read_text()
BOOTSTRAP = (ROOT / "deploy/bootstrap.lock").read_text()


def test_the_versions_that_must_not_drift():
    assert version("prefect") == "3.8.8"
    # Prefect's server does not start with FastAPI 0.155 and later.
    assert Version(version("fastapi")) < Version("0.153")


@pytest.mark.parametrize("room", ["portal", "flows", "tasks", "appraisal", "storage", "deploy"])
def test_each_room_is_the_one_in_this_checkout(room):
    assert Path(import_module(room).__file__).is_relative_to(ROOT / room)


def test_what_is_installed_is_what_is_locked():
    pins = [Requirement(each.splitlines()[0].rstrip("\\ ")) for each in lock.entries(LOCK).values()]
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    assert len(here) > 100
    assert [str(pin) for pin in here if version(pin.name) not in pin.specifier] == []


def test_the_lock_is_in_step():
    assert list(lock.faults(PROJECT, LOCK, BOOTSTRAP)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda text: text.replace("prefect==3.8.8", "prefect==3.8.9"), "prefect is pinned at"),
        (lambda text: text.replace("rich==", "poor=="), "rich is not pinned"),
        (lambda text: text + "loose==1.0\n", "loose has no hash"),
        (lambda text: "--index-url https://mirror.example/simple\n" + text, "names an address"),
        (lambda text: text.replace("\nuv==", "\nuv==9."), "does not hold the pin of uv"),
    ],
)
def test_a_lock_out_of_step_is_found(change, fault):
    assert any(fault in each for each in lock.faults(PROJECT, change(LOCK), BOOTSTRAP))


def test_the_example_lists_every_setting():
    assert environment.FILE.read_text() == environment.example()


@pytest.fixture
def tree():
    app, case = typer.Typer(), typer.Typer()

    @app.command()
    def verify(case: str, json: bool = False):
        """Verify."""

    @case.command("list")
    def list_cases():
        """List."""

    app.add_typer(case, name="case")
    return get_command(app)


GOOD = "```sh\n./custody verify 2026-0123 --json  # all of it\n$ ./custody case list\n```\n"


def test_a_true_readme_has_no_fault(tree):
    assert list(readme.faults(GOOD + "See `custody verify` and `./custody case`.", tree)) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD.replace("--json", "--xml"), "No such option"),
        (GOOD.replace("2026-0123 --json", ""), "misses case"),
        (GOOD.replace("case list", "case lost"), "there is no command 'lost'"),
        (GOOD + "`custody prove CASE`", "there is no command 'prove'"),
        (GOOD.replace("$ ./custody case list", ""), "'custody case list' is not shown"),
    ],
)
def test_a_false_readme_is_found(tree, text, fault):
    assert any(fault in each for each in readme.faults(text, tree))
