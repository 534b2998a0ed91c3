"""The bench of the commands' memory: no command is forgotten without a word."""

from pathlib import Path

from portal.cli import COMMANDS
from tests.bench.commands import OTHERWISE, commands, not_measured


def test_every_command_is_measured_or_named_with_a_reason() -> None:
    run = commands(Path("scratch"), Path("bundle"))
    left = not_measured(words[0] for words in run.values())
    assert "no reason is given" not in left.values(), left
    assert {name for names in OTHERWISE for name in names.split()} <= set(COMMANDS)
