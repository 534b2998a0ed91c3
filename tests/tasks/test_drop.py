"""The drop folder: taken when complete, never before."""

import os
from pathlib import Path

import pytest

from storage.errors import HostError
from tasks.drop import DropScanner


def _complete(scanner: DropScanner) -> list[str]:
    return [each.path.name for each in scanner.scan() if each.complete]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    folder = tmp_path / "drop" / "pudong"
    folder.mkdir(parents=True)
    return folder


def _bundle(unit: Path, name: str = "b1") -> Path:
    folder = unit / name
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    return folder


def test_unchanged_over_two_scans_is_complete(unit: Path) -> None:
    _bundle(unit)
    scanner = DropScanner(unit.parent)
    assert _complete(scanner) == []
    assert _complete(scanner) == ["b1"]


def test_a_growing_bundle_waits(unit: Path) -> None:
    folder = _bundle(unit)
    scanner = DropScanner(unit.parent)
    for count in range(3):
        (folder / "a.txt").write_text("a" * (count + 2))
        os.utime(folder / "a.txt", ns=(count, count))
        assert _complete(scanner) == []
    assert _complete(scanner) == ["b1"]


def test_a_new_file_in_a_subfolder_waits(unit: Path) -> None:
    folder = _bundle(unit)
    (folder / "sub").mkdir()
    scanner = DropScanner(unit.parent)
    _complete(scanner)
    (folder / "sub" / "late").write_text("x")
    assert _complete(scanner) == []


def test_a_done_marker_completes_at_once(unit: Path) -> None:
    (_bundle(unit) / ".done").touch()
    assert _complete(DropScanner(unit.parent)) == ["b1"]


def test_a_part_name_waits_and_its_rename_completes(unit: Path) -> None:
    folder = _bundle(unit, "b1.part")
    scanner = DropScanner(unit.parent)
    assert [scanner.scan(), scanner.scan(), scanner.scan()] == [[], [], []]
    folder.rename(unit / "b1")
    assert _complete(scanner) == ["b1"]


def test_our_own_folders_hidden_names_and_links_are_left_alone(unit: Path) -> None:
    for name in ("receipts", "rejected", ".hidden"):
        (unit / name).mkdir()
    (unit / "link").symlink_to(unit)
    (unit.parent / "loose.zip").write_bytes(b"")
    scanner = DropScanner(unit.parent)
    assert scanner.scan() == scanner.scan() == []


def test_a_vanished_bundle_is_not_reported(unit: Path) -> None:
    folder = _bundle(unit)
    scanner = DropScanner(unit.parent)
    scanner.scan()
    (folder / "a.txt").unlink()
    folder.rmdir()
    assert scanner.scan() == []


def test_a_missing_drop_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        DropScanner(tmp_path / "none").scan()
    assert caught.value.remedy
