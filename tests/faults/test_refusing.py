"""A disk that refuses in the middle of an ingest: full, over its quota, read-only.

One clear line says so, the claim stays open, and the next start ends as if nothing had been. What
the store alone does on such a disk is in ``test_refused``.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.running import Driver, Drivers, Undisturbed
from tests.faults.state import check_log, differences, state_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("faults")]
POINTS = [
    ("claim: before commit", "ENOSPC"),
    ("claim: rename", "EROFS"),
    ("take_batch: open", "ENOSPC"),
    ("take_batch: link", "EDQUOT"),
    ("store_batch: link", "ENOSPC"),
    ("settle: open", "EDQUOT"),
    ("read_batch: before commit", "EROFS"),
    ("close_claim: before commit", "ENOSPC"),
]
"""At which write of which step the disk begins to refuse, and how."""
WORDS = {
    "ENOSPC": ("No space left", "is full"),
    "EDQUOT": ("quota", "is full"),
    "EROFS": ("ead-only", "readonly"),
}


def refused(driver: Driver, calm: Undisturbed, root: Path, at: int, name: str) -> list[str]:
    """Let the disk refuse from a point on; return what is wrong then or in the end."""
    shutil.copytree(calm.template, root)
    ended = driver.run(root, mishap={"kind": "refuse", "at": at, "errno": name})
    said = " ".join(ended.said.split())
    try:
        assert (ended.code, ended.orphans) == (0, 0), ended.said
        assert said.count("✗") == 1, ended.said
        assert any(word in said for word in WORDS[name]), ended.said
        assert "Traceback" not in said, ended.said
        assert "internal error" not in said, ended.said
        assert not closed(root / "home")
        check = check_log(root / "home")
        assert check.ok, check.findings
        ended = driver.run(root)
        assert (ended.code, ended.orphans) == (0, 0), ended.said
        return differences(calm.state, state_of(root))
    except AssertionError as error:
        return [str(error)]


def closed(home: Path) -> bool:
    with closing(sqlite3.connect(home / "custody.sqlite")) as database:
        states = database.execute("SELECT state FROM accession_intent").fetchall()
    return any(state in ("done", "gone") for (state,) in states)


def test_a_refusing_disk_is_told_and_harms_nothing(
    dropped: Undisturbed, drivers: Drivers, tmp_path: Path
) -> None:
    def trial(driver: Driver, each: tuple[str, str]) -> list[str]:
        begins, name = each
        at = next(n for n, what in enumerate(dropped.points, 1) if what.startswith(begins))
        root = tmp_path / f"{at}-{name}"
        wrong = refused(driver, dropped, root, at, name)
        return [f"{name} at {at}, '{dropped.points[at - 1]}':", *wrong[:10]] if wrong else []

    assert [wrong for wrong in drivers.each(trial, POINTS) if wrong] == []
