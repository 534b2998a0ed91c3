"""The power fails in the middle of an ingest: what was not flushed is gone, and nothing else is.

Started again, it ends as if nothing had happened: nothing that somebody was told of may depend on
what a disk still had in its cache.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.faults.power import MODES, Disk, power_comes_back
from tests.faults.running import Driver, Drivers, Undisturbed
from tests.faults.state import check_log, differences, receipts_given, receipts_on_record, state_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("faults")]
MOMENTS = [
    ("take_batch: link", 0, "removed"),
    ("receive: replace .checkpoint", 1, "lost"),
    ("store_batch: utime", 1, "lost"),
    ("settle: replace .receipt.json", 1, "hollow"),
    ("settle: rmdir", 0, "lost"),
    ("close_claim: before commit", 0, "lost"),
]
"""Points by their beginning, how many further, and what survives."""


def without_power(driver: Driver, calm: Undisturbed, root: Path, at: int, mode: str) -> list[str]:
    """Let the power fail at a point; return what differs in the end."""
    shutil.copytree(calm.template, root)
    try:
        ended = driver.run(root, mishap={"kind": "power", "at": at, "mode": mode})
        assert (ended.code, ended.orphans) == (-9, 0), ended.said
        power_comes_back(root)
        check = check_log(root / "home")
        assert check.ok, check.findings
        assert receipts_given(root / "home") <= receipts_on_record(root / "home")
        ended = driver.run(root)
        assert (ended.code, ended.orphans) == (0, 0), ended.said
        wrong = differences(calm.state, state_of(root))
    except AssertionError as error:
        wrong = [str(error)]
    where = f"no power at {at}, before '{calm.points[at - 1]}', {mode}:"
    return [where, *wrong[:10]] if wrong else []


def failing(
    drivers: Drivers, calm: Undisturbed, folder: Path, trials: list[tuple[int, str]]
) -> list[list[str]]:
    def trial(driver: Driver, each: tuple[int, str]) -> list[str]:
        return without_power(driver, calm, folder / f"{each[0]}-{each[1]}", *each)

    return [wrong for wrong in drivers.each(trial, trials) if wrong]


def test_at_points_spread_over_an_ingest(
    dropped: Undisturbed, drivers: Drivers, tmp_path: Path
) -> None:
    count = len(dropped.points)
    points = [count * each // 5 for each in range(1, 5)]
    trials = [(point, MODES[number % 3]) for number, point in enumerate(points)]
    assert failing(drivers, dropped, tmp_path, trials) == []


def test_at_the_moments_that_matter_most(
    dropped: Undisturbed, drivers: Drivers, tmp_path: Path
) -> None:
    trials = []
    for begins, further, mode in MOMENTS:
        first = next(n for n, each in enumerate(dropped.points, 1) if each.startswith(begins))
        trials.append((first + further, mode))
    assert failing(drivers, dropped, tmp_path, trials) == []


def seen_after(disk: Disk, target: Path, mode: str) -> dict[str, bytes]:
    disk.image(target, mode)
    return {
        str(path.relative_to(target)): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }


def flushed(disk: Disk, path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    disk.done("fsync", (descriptor,))
    os.close(descriptor)


def test_the_simulated_disk_forgets_what_a_real_one_may(tmp_path: Path) -> None:
    """The simulation is held to what it says, or the tests above would show nothing."""
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "b").mkdir()
    (root / "a/old").write_bytes(b"old")
    disk = Disk(root)
    (root / "a/new").write_bytes(b"new")
    assert seen_after(disk, tmp_path / "1", "lost") == {"a/old": b"old"}
    flushed(disk, root / "a")
    assert seen_after(disk, tmp_path / "2", "lost") == {"a/old": b"old", "a/new": b""}
    flushed(disk, root / "a/new")
    (root / "a/new").replace(root / "a/old")
    disk.done("replace", (root / "a/new", root / "a/old"))
    both = {"a/old": b"old", "a/new": b"new"}
    assert seen_after(disk, tmp_path / "3", "lost") == both
    assert seen_after(disk, tmp_path / "4", "hollow") == {"a/old": b"new"}
    (root / "a").rename(root / "b/a")
    disk.done("rename", (root / "a", root / "b/a"))
    assert seen_after(disk, tmp_path / "5", "lost") == both
    flushed(disk, root / "b")
    assert seen_after(disk, tmp_path / "6", "lost") == {"b/a/old": b"old", "b/a/new": b"new"}
    flushed(disk, root / "b/a")
    (root / "b/a/old").unlink()
    disk.done("unlink", (root / "b/a/old",))
    assert seen_after(disk, tmp_path / "7", "lost") == {"b/a/old": b"new"}
    assert seen_after(disk, tmp_path / "8", "removed") == {}
