"""The drop folder: taken when complete, never before, and never forgotten."""

import os
from pathlib import Path

import pytest

from storage.errors import HostError
from tasks.drop import DropScanner, Waiting
from tasks.dropped import is_container_name, is_part_of_set, look_at
from tasks.unit_board import BOARDS

SETTLE = 10.0


class Drop:
    """A scanner whose clock the test moves."""

    def __init__(self, root: Path, settle: float = 0.0) -> None:
        self.now = 0.0
        self.scanner = DropScanner(root, settle, lambda: self.now)

    def scan(self, seconds: float = 1.0) -> list[Waiting]:
        self.now += seconds
        return self.scanner.scan()

    def complete(self, seconds: float = 1.0) -> list[str]:
        return [each.path.name for each in self.scan(seconds) if each.complete]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    folder = tmp_path / "drop" / "pudong"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def drop(unit: Path) -> Drop:
    return Drop(unit.parent)


def _bundle(unit: Path, name: str = "b1") -> Path:
    folder = unit / name
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    return folder


def test_unchanged_over_two_scans_is_complete(unit: Path, drop: Drop) -> None:
    """IN-12."""
    _bundle(unit)
    assert drop.complete() == []
    assert drop.complete() == ["b1"]


def test_a_file_is_not_taken_before_its_ftp_or_smb_copy_has_ended(unit: Path) -> None:
    """A pause in a copy, shorter than the settling time, is no end; nor are two quick scans."""
    drop, folder = Drop(unit.parent, SETTLE), _bundle(unit)
    for seconds in (0.0, 2.0, 2.0, 5.9):
        assert drop.complete(seconds) == []
    (folder / "a.txt").write_text("aa")
    for seconds in (0.05, 9.0, 0.9):
        assert drop.complete(seconds) == []
    assert drop.complete(0.2) == ["b1"]


def test_one_scan_is_never_enough_however_late_it_comes(unit: Path) -> None:
    drop = Drop(unit.parent, SETTLE)
    _bundle(unit)
    assert drop.complete(3600) == []
    assert drop.complete(3600) == ["b1"]


def test_a_growing_bundle_waits(unit: Path, drop: Drop) -> None:
    """IN-12."""
    folder = _bundle(unit)
    for count in range(3):
        (folder / "a.txt").write_text("a" * (count + 2))
        os.utime(folder / "a.txt", ns=(count, count))
        assert drop.complete() == []
    assert drop.complete() == ["b1"]


def test_a_copy_that_keeps_size_and_time_is_seen_by_its_change_time(unit: Path, drop: Drop) -> None:
    """Space set aside before the bytes come, and a tool that puts the time back after each."""
    file = _bundle(unit) / "a.txt"
    for data in "bcd":
        with file.open("r+") as stream:
            stream.write(data)
        os.utime(file, ns=(1, 1))
        assert drop.complete() == []
    assert drop.complete() == ["b1"]


def test_a_new_file_in_a_subfolder_waits(unit: Path, drop: Drop) -> None:
    folder = _bundle(unit)
    (folder / "sub").mkdir()
    drop.scan()
    (folder / "sub" / "late").write_text("x")
    assert drop.complete() == []


def test_a_file_of_size_zero_that_grows_later_counts_as_growing(unit: Path, drop: Drop) -> None:
    """Many servers make the file when the upload begins, and fill it when the bytes come."""
    archive = unit / "b1.zip"
    archive.touch()
    (unit / "new folder").mkdir()
    for _ in range(4):
        assert [each.why for each in drop.scan()] == ["it is empty"] * 2
    archive.write_bytes(b"PK")
    (unit / "new folder" / "empty evidence").touch()
    assert drop.complete() == []
    assert drop.complete() == ["b1.zip", "new folder"]


def test_a_slow_writer_is_waited_for(unit: Path) -> None:
    drop, folder = Drop(unit.parent, SETTLE), _bundle(unit)
    for _ in range(50):
        with (folder / "a.txt").open("a") as stream:
            stream.write("x")
        assert drop.complete(9.0) == []
    assert drop.complete(10.1) == ["b1"]


def test_a_bundle_that_was_busy_is_looked_at_again_for_ever(unit: Path, drop: Drop) -> None:
    folder = _bundle(unit)
    for count in range(300):
        (folder / "a.txt").write_text(str(count))
        (found,) = drop.scan(3600)
        assert not found.complete
        assert found.waited == count * 3600
    assert drop.complete() == ["b1"]


def test_a_done_marker_completes_at_once(unit: Path) -> None:
    """IN-12."""
    (_bundle(unit) / ".done").touch()
    assert Drop(unit.parent, SETTLE).complete() == ["b1"]


def test_a_marker_that_was_copied_before_the_rest_is_no_sign(unit: Path) -> None:
    """In a copy of a marked folder ``.done`` comes first, as its name sorts first."""
    folder = unit / "b1"
    folder.mkdir()
    (folder / ".done").touch()
    drop = Drop(unit.parent, SETTLE)
    drop.scan()
    before = (folder / ".done").stat().st_ctime_ns
    while (folder / "a.txt").write_text("a") and (folder / "a.txt").stat().st_ctime_ns == before:
        pass
    assert drop.complete() == []
    assert drop.complete() == []
    assert drop.complete(SETTLE) == ["b1"]


def test_what_has_the_name_of_an_unfinished_upload_waits_unless_it_is_marked(
    unit: Path, drop: Drop
) -> None:
    folder = _bundle(unit)
    (folder / "sub").mkdir()
    (folder / "sub" / "b.pdf.filepart").touch()
    for _ in range(3):
        (found,) = drop.scan()
        assert "sub/b.pdf.filepart" in found.why
    (folder / ".done").touch()
    assert drop.complete() == ["b1"]


@pytest.mark.parametrize("name", ["b1", "b1.zip"])
def test_a_part_name_waits_and_its_rename_completes(unit: Path, name: str) -> None:
    part = unit / f"{name}.part"
    if name == "b1":
        part = _bundle(unit, part.name)
    else:
        part.write_bytes(b"PK")
    drop = Drop(unit.parent, SETTLE)
    assert drop.complete(60) == drop.complete(60) == []
    part.rename(unit / name)
    assert drop.complete() == [name]


def test_another_bundle_under_the_number_of_a_removed_part_is_not_taken_for_it(
    unit: Path,
) -> None:
    """A file system gives the number of what was removed to the next that is made."""
    part = _bundle(unit, "b1.part")
    (part / "more.txt").write_text("more")
    drop = Drop(unit.parent, SETTLE)
    drop.scan()
    (part / "more.txt").unlink()
    part.rename(unit / "b2")
    assert drop.complete() == []


def test_what_changed_since_the_scan_is_seen_before_it_is_taken(unit: Path, drop: Drop) -> None:
    """Between scan and claim lies the ingest of other bundles."""
    folder = _bundle(unit)
    drop.scan()
    (found,) = drop.scan()
    assert found.complete
    assert drop.scanner.unchanged(folder)
    (folder / "late").write_text("x")
    assert not drop.scanner.unchanged(folder)
    folder.rename(unit / "b2")
    assert not drop.scanner.unchanged(folder)


def test_nothing_is_missed_where_nothing_is_notified(unit: Path, drop: Drop) -> None:
    """On NFS no notification comes, and a folder's own time may be an old one: every scan is full.

    Nor does it matter that the share's clock is ahead by a year.
    """
    drop.scan()
    times = unit.stat()
    folder = _bundle(unit)
    ahead = times.st_mtime + 366 * 86400
    os.utime(folder / "a.txt", (ahead, ahead))
    os.utime(folder, (ahead, ahead))
    os.utime(unit, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [each.path.name for each in drop.scan()] == ["b1"]
    assert drop.complete() == ["b1"]


def test_a_valid_bundle_is_not_stranded_until_a_restart(unit: Path) -> None:
    """Whatever came before the watcher, or while the share was away, is found by the next scans."""
    _bundle(unit, "before")
    drop = Drop(unit.parent)
    drop.scan()
    away = unit.parent.with_name("away")
    unit.parent.rename(away)
    with pytest.raises(HostError):
        drop.scan()
    _bundle(away / "pudong", "meanwhile")
    away.rename(unit.parent)
    drop.scan()
    assert drop.complete() == ["before", "meanwhile"]


def test_half_of_a_bulk_copy_of_200_is_not_taken_with_the_rest_still_coming(unit: Path) -> None:
    """Each bundle of a bulk copy is complete for itself; one folder of 200 files as a whole."""
    drop, whole = Drop(unit.parent, SETTLE), unit / "one of 200 files"
    whole.mkdir()
    taken: list[str] = []
    for number in range(200):
        (whole / f"{number:03}.txt").write_text("x")
        folder = unit / f"b{number:03}"
        folder.mkdir()
        (folder / "a.txt").write_text("a")
        if number % 10 == 9:
            found = drop.complete(4.0)
            assert "one of 200 files" not in found
            taken += found
            for name in found:
                (unit / name).rename(unit.parent.with_name(name))
    taken += drop.complete(SETTLE)
    taken += [name for name in drop.complete(SETTLE) if name not in taken]
    assert sorted(taken) == [*(f"b{number:03}" for number in range(200)), whole.name]


def test_our_own_folders_hidden_names_and_links_are_left_alone(unit: Path, drop: Drop) -> None:
    for name in ("receipts", "rejected", ".hidden"):
        (unit / name).mkdir()
    for name in BOARDS:
        (unit / name).touch()
    (unit / "link").symlink_to(unit)
    (unit.parent / "loose.zip").write_bytes(b"")
    assert drop.scan() == drop.scan() == []


def test_links_in_a_bundle_are_not_followed(unit: Path, drop: Drop) -> None:
    folder, outside = _bundle(unit), unit.parent.with_name("outside")
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    drop.scan()
    (outside / "changes.tmp").touch()
    assert drop.complete() == ["b1"]


def test_a_vanished_bundle_is_not_reported(unit: Path, drop: Drop) -> None:
    folder = _bundle(unit)
    drop.scan()
    (folder / "a.txt").unlink()
    folder.rmdir()
    assert drop.scan() == []


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xba\xcf\xcd\xac.zip", id="GBK"),
        pytest.param(b"x" * 251 + b".zip", id="255 bytes"),
        pytest.param(b"a\n\x1b[31m\xe2\x80\xae.zip", id="control characters"),
        pytest.param(b"-rf.7z", id="like an option"),
    ],
)
def test_names_of_any_bytes(unit: Path, drop: Drop, raw: bytes) -> None:
    name = os.fsdecode(raw)
    (unit / name).write_bytes(b"PK")
    (_bundle(unit) / name).write_bytes(b"PK")
    drop.scan()
    assert sorted(drop.complete()) == sorted([name, "b1"])


def test_a_unit_whose_name_is_not_utf8_is_named_and_hides_no_other(unit: Path, drop: Drop) -> None:
    _bundle(unit)
    (unit.parent / "\udcba\udccf").mkdir()
    drop.scan()
    assert drop.complete() == ["b1"]
    assert list(drop.scanner.unreadable) == ["\udcba\udccf"]


def test_a_missing_drop_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        DropScanner(tmp_path / "none").scan()
    assert caught.value.remedy


def test_a_look_is_of_everything_and_only_of_it(unit: Path) -> None:
    folder = _bundle(unit)
    first = look_at(folder)
    assert first == look_at(folder)
    assert first is not None
    assert (first.files, first.size, first.top) == (1, 1, frozenset({"a.txt"}))
    (folder / "a.txt").rename(folder / "b.txt")
    second = look_at(folder)
    assert second is not None
    assert second.digest != first.digest
    assert look_at(unit / "none") is None


@pytest.mark.parametrize(
    "name", ["a.zip", "a.ZIP", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tbz2", "a.tar.xz",
             "a.txz", "a.tar.zst", "a.7z", "合同.rar"]
)  # fmt: skip
def test_archives_are_bundles(name: str) -> None:
    assert is_container_name(name)
    assert not is_part_of_set(Path("/none") / name)


@pytest.mark.parametrize("name", ["a.gz", "a.pdf", "zip", "a.zip.txt", "a.part1.rar", "a.7z.001"])
def test_other_files_are_none(name: str) -> None:
    assert not is_container_name(name)


@pytest.mark.parametrize(
    ("name", "beside"),
    [("a.part1.rar", ""), ("a.part02.RAR", ""), ("a.7z.001", ""), ("a.zip.003", ""),
     ("a.z01", ""), ("a.r00", ""), ("a.zip", "a.z01"), ("a.ZIP", "a.Z01"), ("a.rar", "a.r00")],
)  # fmt: skip
def test_volumes_of_a_split_archive_are_told_apart(tmp_path: Path, name: str, beside: str) -> None:
    if beside:
        (tmp_path / beside).touch()
    assert is_part_of_set(tmp_path / name)
