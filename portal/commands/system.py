"""Commands for the installation itself: demo, init, doctor, test."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's workspace is made.")] = Path(
        "var/demo"
    ),
) -> None:
    """Take sample bundles through the whole pipeline and tell the story."""
    from portal.demo import run_demo

    run_demo(folder)


def init() -> None:
    """Make the workspace, its keys, its database and the log's first entry."""
    from portal.preparing import prepare

    prepare()


def join(
    policy: Annotated[
        Path,
        typer.Argument(
            help="The log's policy, as 'custody policy' prints it on the host that keeps the log.",
            show_default=False,
        ),
    ],
) -> None:
    """Make this machine a further host of an installation; the log is signed elsewhere."""
    from portal.preparing import join_installation

    join_installation(policy)


def doctor(json: Json = False) -> None:
    """Say what this machine and its storage really enforce, and what is missing."""
    from portal.health import examine, print_health
    from portal.show import as_json

    findings = examine()
    if json:
        as_json([finding.as_json() for finding in findings])
    else:
        print_health(findings)
    if any(finding.failed for finding in findings):
        raise typer.Exit(5)


def run_tests(
    arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to pytest.")] = None,
) -> None:
    """Run the test suite."""
    import subprocess

    root = Path(__file__).resolve().parents[2]
    # Two processes a core, because tests with servers wait; the tests of one server stay
    # together, so that it is started once, and begin in the order that tests/conftest.py gives.
    many = str(2 * (os.cpu_count() or 1))
    spread = ["-n", many, "--dist", "loadgroup", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", *spread, *(arguments or [])]
    raise typer.Exit(subprocess.run(command, cwd=root, check=False).returncode)
