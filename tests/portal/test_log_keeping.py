"""``custody keep-log``: what earlier publishers left of the log is removed as it starts."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.custody import Custody
from storage.directory import DirectoryLogStore
from storage.errors import HostError
from storage.tiles import Tile
from tests.portal.conftest import Run
from tests.storage.logs import make_events


def _left(house: Custody) -> Path:
    """Fill two tiles, and put a partial one back that a killed publisher did not remove."""
    for start in (0, 300):
        house.record(make_events(start, start + 300))
    path = house.workspace.objects / "log" / Tile(0, 0, 9).path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(288))
    return path


def test_what_was_left_is_removed_and_told(empty: Custody, run: Run) -> None:
    path = _left(empty)
    answer = run("keep-log", "--once")
    assert answer.code == 0
    assert "1 outgrown partial tiles were removed" in " ".join(answer.out.split())
    assert not path.exists()
    assert "outgrown" not in run("keep-log", "--once").out


def test_a_store_that_refuses_is_told_and_the_log_is_kept(
    empty: Custody, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(store: DirectoryLogStore, paths: Sequence[str]) -> int:
        raise HostError("the server does not remove log/tile/0/000.p/9: AccessDenied")

    path = _left(empty)
    monkeypatch.setattr(DirectoryLogStore, "drop_partials", refuse)
    answer = run("keep-log", "--once")
    assert answer.code == 0
    assert "AccessDenied" in answer.out + answer.err
    assert path.exists()
