"""The help names every command, in the order in which a person needs them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from portal.cli import COMMANDS, build
from tests.portal.conftest import Run


def test_help_lists_the_commands_in_order(run: Run) -> None:
    answer = run("--help", COLUMNS="80")
    assert answer.code == 0
    shown = re.findall(r"^│ ([a-z][a-z-]*) ", answer.out, re.MULTILINE)
    assert shown == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    answer = run(name, "-h")
    assert answer.code == 0
    assert f"custody {name}" in answer.out


def test_help_names_every_exit_code(run: Run) -> None:
    text = " ".join(run("-h").out.split())
    for code in ("0 well", "2 wrong", "3 not", "4 something", "5 the", "6 a", "70 a"):
        assert code in text


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from commands(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


@pytest.mark.parametrize(
    ("name", "command"),
    [each for each in commands(get_command(build())) if each[1].help.startswith(("List", "Show"))],
)
def test_every_listing_can_be_read_by_a_program(name: str, command: Any) -> None:
    assert "--json" in [option for each in command.params for option in each.opts], name
