"""Files are replaced whole, also in a folder that several hosts write into."""

import os
import platform
import time
from pathlib import Path

import pytest

from storage.workspace import remove_leftovers, temporary_name, write_durably


def of_another_host(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What another host's process of the same number has begun to write."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(platform, "node", lambda: "another")
        begun = temporary_name(path)
    begun.write_bytes(b"half")
    return begun


def test_what_another_host_is_writing_is_neither_overwritten_nor_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "receipt.json"
    begun = of_another_host(path, monkeypatch)
    write_durably(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert begun.read_bytes() == b"half"
    a_day_ago = time.time() - 90_000
    os.utime(begun, (a_day_ago, a_day_ago))
    remove_leftovers(path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_dead_process_of_this_host_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    left = temporary_name(path)
    left = left.with_name(left.name.replace(str(os.getpid()), "4194305"))
    left.write_bytes(b"half")
    write_durably(path, b"whole")
    assert list(tmp_path.iterdir()) == [path]
