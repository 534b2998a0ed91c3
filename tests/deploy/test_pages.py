"""Every command that the pages for administrators name is there, with the options they give it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from portal.cli import build

ROOT = Path(__file__).parents[2]
PAGES = ("docs/deployment.md", "docs/runbook.md")


def commands(page: str) -> Iterator[list[str]]:
    """Yield the words of each command, from blocks and from running text."""
    text = (ROOT / page).read_text()
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    for line in "\n".join(blocks).splitlines():
        match = re.match(r"\s*(?:for .* do )?(?:zl|custody) (.+)", line.partition("   #")[0])
        if match:
            yield shlex.split(re.split(r" > | && |;", match[1])[0])
    for words in re.findall(
        r"`(?:zl|custody) ([a-z][^`]*)`", re.sub(r"```.*?```", "", text, flags=re.S)
    ):
        yield words.replace("\n", " ").split()


@cache
def app() -> Any:
    """Return the command line with all of its commands, built once."""
    return get_command(build())


CASES = [(page, words) for page in PAGES for words in commands(page)]


@pytest.mark.parametrize(("page", "words"), CASES, ids=lambda x: x if isinstance(x, str) else "")
def test_a_command_is_there_with_its_options(page: str, words: list[str]) -> None:
    found = app()
    rest = list(words)
    while rest and hasattr(found, "commands") and rest[0] in found.commands:
        found = found.commands[rest.pop(0)]
    assert found.name != "custody", f"{page}: custody {' '.join(words)}"
    known = {option for each in found.params for option in each.opts} | {"--help"}
    assert {word for word in rest if word.startswith("--")} <= known, f"{page}: {words}"


def test_something_is_looked_at() -> None:
    assert len(CASES) > 40


def test_settings_are_named_as_they_are() -> None:
    from storage.settings import Settings

    known = {f"CUSTODY_{name.upper()}" for name in Settings.model_fields}
    for page in PAGES:
        named = set(re.findall(r"\bCUSTODY_[A-Z0-9_]+", (ROOT / page).read_text()))
        assert named - known <= {"CUSTODY_PW"}, page


def test_settings_of_prefect_are_those_of_the_locked_version() -> None:
    script = (
        "from prefect.settings import Settings\n"
        "from prefect.settings.legacy import _get_settings_fields\n"
        "print(*_get_settings_fields(Settings))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    text = (ROOT / "docs/deployment.md").read_text()
    named = set(re.findall(r"^(PREFECT_[A-Z_]+)=", text, re.MULTILINE))
    assert len(named) > 8
    assert named - set(done.stdout.split()) <= {"PREFECT_REDIS_MESSAGING_URL", "PREFECT_AUTH"}


def test_units_that_the_page_names_are_there() -> None:
    units = {path.name for path in (ROOT / "deploy/systemd").iterdir()}
    kinds = {name.partition(".")[0].rstrip("@") for name in units} | {"zhenglian"}
    for page in PAGES:
        text = (ROOT / page).read_text()
        found = re.findall(r"systemctl [a-z -]*?((?:zhenglian[a-z.@$-]* ?)+)", text)
        for name in " ".join(found).split():
            assert re.split(r"[.@]", name)[0] in kinds, name


def test_commands_run_as_the_service_does(tmp_path: Path) -> None:
    """``zl`` reads the settings of the service; here as whoever runs the tests."""
    settings = tmp_path / "zhenglian.env"
    settings.write_text(f'CUSTODY_HOME={tmp_path}/none\nCUSTODY_RECEIVER_UNIT="a unit; its name"\n')
    (tmp_path / "zl").symlink_to(ROOT / "deploy/as-service")
    env = {"PATH": "/usr/bin:/bin", "ZHENGLIAN_ENV": str(settings), "ZHENGLIAN_USER": "root"}
    done = subprocess.run([tmp_path / "zl", "status"], env=env, capture_output=True, text=True)
    assert (done.returncode, f"no workspace at {tmp_path}/none" in done.stderr) == (5, True)
