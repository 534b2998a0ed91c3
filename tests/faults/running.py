"""Running the driver of the fault tests, and the houses in which it works."""

import json
import queue
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from storage.custody import init_custody
from storage.settings import Settings
from tests.faults.bundles import UNIT, Variant
from tests.faults.state import (
    check_log,
    differences,
    receipts_given,
    receipts_on_record,
    state_of,
)

T, R = TypeVar("T"), TypeVar("R")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (negative: the signal), what ran on, what it said."""

    code: int
    orphans: int
    said: str
    points: list[str]


class Driver:
    """The driver's process; it runs one order after another."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.driver"]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, root: Path, *, kill_at: int | None = None, path: Path | None = None, **more: Any
    ) -> Ended:
        """Watch the drop folder once, or ingest ``path``, in a process of its own.

        ``more`` belongs to the order: see ``tests.faults.mishaps``. With ``paper`` the receipt is
        printed in earnest, and else a few bytes stand for it.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        told, points = root.with_suffix(".told"), root.with_suffix(".points")
        order = {
            "do": "watch" if path is None else "ingest",
            "home": str(root / "home"),
            "path": str(path or ""),
            "unit": UNIT,
            "told": str(told),
            "points": str(points),
            "kill_at": kill_at,
            **more,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the driver itself ended with {self._process.wait()}"
        answer = json.loads(line)
        counted = json.loads(points.read_text()) if points.exists() else []
        points.unlink(missing_ok=True)
        return Ended(answer["code"], answer["orphans"], told.read_text(), counted)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


class Drivers:
    """So many drivers, of which each runs its orders beside the others."""

    def __init__(self, count: int) -> None:
        self._all = [Driver() for _ in range(count)]
        self._idle: queue.SimpleQueue[Driver] = queue.SimpleQueue()
        for each in self._all:
            self._idle.put(each)

    @property
    def first(self) -> Driver:
        """One of them, while no other order runs."""
        return self._all[0]

    def each(self, act: Callable[[Driver, T], R], values: Iterable[T]) -> list[R]:
        """Do something for every value, on whichever driver is idle."""

        def one(value: T) -> R:
            driver = self._idle.get()
            try:
                return act(driver, value)
            finally:
                self._idle.put(driver)

        with ThreadPoolExecutor(len(self._all)) as threads:
            return list(threads.map(one, values))

    def close(self) -> None:
        """End them all."""
        for each in self._all:
            each.close()


@dataclass(frozen=True)
class Undisturbed:
    """A house before its bundle is taken in, the state after, and every write in between."""

    template: Path
    bundle: str
    points: list[str]
    state: dict[str, Any]


def fresh_home(folder: Path) -> Path:
    """Make the home of a house in which nothing has happened."""
    init_custody(Settings(home=folder / "home"))
    return folder / "home"


def undisturbed(driver: Driver, variant: Variant, fresh: Path, folder: Path) -> Undisturbed:
    """Copy a fresh home, keep that as template, and let one run take its bundle in."""
    before, after = folder / "before", folder / "after"
    shutil.copytree(fresh, before / "home")
    if variant.known:
        # An equal bundle was taken in before.
        first = variant.lay(folder / "earlier")
        assert driver.run(before, path=first).code == 0
    place = before / "home" / "drop" / UNIT if variant.dropped else before / "hand"
    bundle = variant.lay(place)
    name = "" if variant.dropped else str(bundle.relative_to(before))
    shutil.copytree(before, after, symlinks=True)
    ended = driver.run(after, path=after / name if name else None, paper=True)
    assert ended.code == 0, ended.said
    assert "✗" not in ended.said or not variant.accepted, ended.said
    return Undisturbed(before, name, ended.points, state_of(after))


def disturbed(driver: Driver, calm: Undisturbed, root: Path, *kills: int) -> dict[str, Any]:
    """Kill the same run at a point, and each start after it at the next; return the end state.

    Raises:
        AssertionError: a run was not killed, left a process running, or could not go on.
    """
    shutil.copytree(calm.template, root, symlinks=True)
    named = root / calm.bundle if calm.bundle else None
    for number, kill_at in enumerate(kills):
        ended = driver.run(root, kill_at=kill_at, path=None if number else named)
        assert (ended.code, ended.orphans) == (-9, 0), ended.said
        check = check_log(root / "home")
        assert check.ok, check.findings
        assert receipts_given(root / "home") <= receipts_on_record(root / "home")
    # A bundle that is named and whose claim is not yet on record was never begun.
    again = named if not kills or _unclaimed(root) else None
    ended = driver.run(root, path=again)
    assert (ended.code, ended.orphans) == (0, 0), ended.said
    return state_of(root)


def failures(
    drivers: Drivers, folder: Path, trials: Iterable[tuple[Undisturbed, tuple[int, ...]]]
) -> list[str]:
    """Kill each run at its points; tell of those whose end state is not the undisturbed one."""

    def trial(driver: Driver, numbered: tuple[int, tuple[Undisturbed, tuple[int, ...]]]) -> str:
        number, (calm, points) = numbered
        root = folder / str(number)
        try:
            wrong = differences(calm.state, disturbed(driver, calm, root, *points))
        except AssertionError as error:
            wrong = [str(error)]
        shutil.rmtree(root, ignore_errors=True)
        where = f"killed at {points}, the first before '{calm.points[points[0] - 1]}':"
        return "\n  ".join([where, *wrong[:10]]) if wrong else ""

    return [text for text in drivers.each(trial, enumerate(trials)) if text]


def _unclaimed(root: Path) -> bool:
    with closing(sqlite3.connect(root / "home" / "custody.sqlite")) as database:
        claims = database.execute("SELECT count(*) FROM accession_intent")
        return bool(claims.fetchone() == (0,))
