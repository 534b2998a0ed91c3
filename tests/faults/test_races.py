"""Races: sources that change while they are read, and the same thing done twice.

Whatever happens, what is stored is what was hashed, under one verdict, and nothing is there twice.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.catalogue import intents, queries
from storage.custody import Custody
from storage.event import Action
from storage.objects import Batch as StoreBatch
from storage.objects import Kept, ObjectStore
from tasks import receiving
from tasks.bundle import Batch, File
from tasks.reader.cell import CellPool
from tests.faults.bundles import UNIT
from tests.faults.running import Drivers, Ended, fresh_home
from tests.faults.state import check_log, events_of
from tests.house import events, make_bundle
from tests.tasks.life import CASE, open_house, take

OLD, NEW = b"old content, read in pieces", b"new content, as long as it!"


def changed(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(NEW)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b" and more")


def cut(path: Path) -> None:
    os.truncate(path, 5)


def replaced(path: Path) -> None:
    beside = path.with_name("beside")
    beside.write_bytes(NEW)
    beside.replace(path)


def removed(path: Path) -> None:
    path.unlink()


def made_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def made_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES = (changed, grown, cut, replaced, removed, made_a_link, made_a_pipe)
"""What may happen to a file while it is read."""


class Pieces:
    """A stream that gives a few bytes at a time, and lets something happen after some of them."""

    def __init__(self, stream: BinaryIO, after: int, act: Callable[[], None]) -> None:
        self._stream, self._left, self._act = stream, after, act

    def read(self, size: int = -1) -> bytes:
        if self._left == 0:
            # The kernel's clock for times of files ticks every few milliseconds.
            time.sleep(0.02)
            self._act()
        self._left -= 1
        # No buffer of ours may hold what is no longer in the file.
        return os.read(self._stream.fileno(), 4)


class MeddledBatch:
    """A batch of a store in whose reading somebody meddles."""

    def __init__(self, real: StoreBatch, store: "Meddled") -> None:
        self._real, self._store = real, store

    def take(self, prefix: str, source: BinaryIO) -> Kept:
        pieces = Pieces(source, self._store.after, self._store.next_act())
        return self._real.take(prefix, cast(BinaryIO, pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Meddled:
    """A store in whose reading somebody meddles, as often as told."""

    def __init__(self, real: ObjectStore, act: Callable[[], None], after: int, times: int) -> None:
        self._real, self._act, self.after, self.times = real, act, after, times

    def next_act(self) -> Callable[[], None]:
        self.times -= 1
        return self._act if self.times >= 0 else lambda: None

    @contextmanager
    def batch(self) -> Iterator[StoreBatch]:
        with self._real.batch() as batch:
            yield cast(StoreBatch, MeddledBatch(batch, self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def meddled(house: Custody, act: Callable[[], None], *, after: int = 2, times: int = 1) -> Custody:
    return replace(house, objects=cast(ObjectStore, Meddled(house.objects, act, after, times)))


def take_one(house: Custody, path: Path) -> Batch:
    return receiving.take_files(house, "A2026-000001", [File("a.txt", str(path), len(OLD))])


def stored(house: Custody) -> dict[str, bytes]:
    """Return every object of evidence; each must be what its name says.

    Raises:
        AssertionError: one is not.
    """
    found = {}
    for path in house.workspace.objects.rglob("originals/*"):
        found[path.name] = path.read_bytes()
        assert hashlib.sha256(found[path.name]).hexdigest() == path.name
    return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Custody]:
    with open_house(tmp_path / "home", settle_seconds=0) as custody:
        yield custody


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_bytes(OLD)
    return path


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
def test_a_file_changed_once_while_it_is_read_is_read_again(
    house: Custody, source: Path, change: Callable[[Path], None]
) -> None:
    meddling = meddled(house, lambda: change(source))
    batch = take_one(meddling, source)
    assert cast(Meddled, meddling.objects).times < 1
    kept = stored(house)
    if source.is_file() and not source.is_symlink():
        (taken,) = batch.taken
        assert kept[taken.fingerprint.sha256] == source.read_bytes()
        assert taken.fingerprint.size == source.stat().st_size
    else:
        assert batch.taken == ()
        assert [each.kind for each in batch.irregular] == ["gone"]


def test_a_file_that_somebody_keeps_writing_to_is_named_and_not_taken(
    house: Custody, source: Path
) -> None:
    batch = take_one(meddled(house, lambda: grown(source), times=99), source)
    assert batch.taken == ()
    assert [each.kind for each in batch.irregular] == ["changing"]
    stored(house)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3),
    after=st.integers(0, 8),
)
def test_whatever_happens_what_is_stored_is_what_was_hashed(
    house: Custody, source: Path, changes: list[Callable[[Path], None]], after: int
) -> None:
    source.unlink(missing_ok=True)
    source.write_bytes(OLD)
    left = iter(changes)

    def act() -> None:
        change = next(left, None)
        if change is not None and source.is_file() and not source.is_symlink():
            change(source)

    batch = take_one(meddled(house, act, after=after, times=len(changes)), source)
    assert len(batch.taken) + len(batch.irregular) == 1
    kept = stored(house)
    for taken in batch.taken:
        data = kept[taken.fingerprint.sha256]
        assert (taken.fingerprint.size, taken.kept.ref.size) == (len(data), len(data))
        assert data == source.read_bytes(), "no mixture of old and new"


def one_verdict(house: Custody, accession: str) -> Action:
    ends = (Action.ACCESSIONED, Action.QUARANTINED, Action.DUPLICATE)
    (action,) = {each.action for end in ends for each in events(house, end)
                 if each.accession == accession}  # fmt: skip
    return action


def test_a_bundle_still_written_to_is_refused_with_all_its_bytes_and_the_next_goes_through(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "b1")

    def write_on() -> None:
        with (bundle / "a.txt").open("ab") as file:
            file.write(b"more")

    answer = take(meddled(house, write_on, after=1, times=999), pool, bundle)
    assert answer.state == "quarantined"
    (refused,) = events(house, Action.QUARANTINED)
    assert refused.accession == answer.accession
    reasons = (Path(answer.folder) / "REJECTED.md").read_text()
    assert "a.txt" in reasons
    assert "still being written" in reasons
    kept = stored(house)
    assert set(kept) == {
        hashlib.sha256((bundle / name).read_bytes()).hexdigest()
        for name in ("b.txt", "c.txt", "manifest.yaml")
    }, "nothing half-read is left"
    assert take(house, pool, make_bundle(tmp_path / "b2", "B2")).state == "accepted"


def test_the_same_bundle_twice_at_once_is_taken_in_once(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    copies = [make_bundle(tmp_path / name) for name in ("b1", "b2")]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda copy: take(house, pool, copy), copies))
    assert sorted(each.state for each in answers) == ["accepted", "duplicate"]
    assert len(events(house, Action.RECEIPTED)) == 1
    with house.read() as session:
        assert len(queries.list_exhibits(session, CASE)) == 3
    assert len(stored(house)) == 4, "three files and the manifest, once"


def test_the_same_bundle_a_year_later_is_known(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    first = take(house, pool, make_bundle(tmp_path / "b1"))
    later = replace(house, clock=lambda: house.clock() + timedelta(days=366))
    again = take(later, pool, make_bundle(tmp_path / "b1 again"))
    assert (first.state, again.state) == ("accepted", "duplicate")
    assert again.accession[:5] != first.accession[:5]
    assert first.accession in (Path(again.folder) / "DUPLICATE.md").read_text()
    with house.read() as session:
        assert len(queries.list_exhibits(session, CASE)) == 3
    assert len(stored(house)) == 4


@pytest.mark.parametrize("together", [False, True], ids=["in turn", "at once"])
def test_two_bundles_under_one_number_are_told_apart(
    house: Custody, pool: CellPool, tmp_path: Path, together: bool
) -> None:
    bundles = [make_bundle(tmp_path / data, files={"a.txt": data.encode()}) for data in "xy"]
    with ThreadPoolExecutor(2 if together else 1) as threads:
        answers = list(threads.map(lambda each: take(house, pool, each), bundles))
    assert sorted(each.state for each in answers) == ["accepted", "quarantined"]
    (refused,) = [each for each in answers if each.state == "quarantined"]
    assert one_verdict(house, refused.accession) is Action.QUARANTINED
    assert "B1" in (Path(refused.folder) / "REJECTED.md").read_text()
    assert {b"x", b"y"} <= set(stored(house).values()), "the bytes of both are kept"


@pytest.fixture
def two_roots(tmp_path: Path) -> list[Path]:
    """One home, as two processes see it."""
    one, two = tmp_path / "one", tmp_path / "two"
    fresh_home(one)
    two.mkdir()
    (two / "home").symlink_to(one / "home")
    return [one, two]


def states_of(home: Path) -> list[str]:
    with open_house(home) as house, house.read() as session:
        rows = session.connection().exec_driver_sql("SELECT state FROM accession_intent")
        assert intents.open_claims(session) == []
        return sorted(state for (state,) in rows)


def test_two_watchers_on_one_folder_take_each_bundle_once(
    drivers: Drivers, two_roots: list[Path]
) -> None:
    home, names = two_roots[0] / "home", [f"B{number}" for number in range(6)]
    for name in names:
        make_bundle(home / "drop" / UNIT / name, name, {f"{name}.txt": name.encode()})
    ended = drivers.each(lambda driver, root: driver.run(root), two_roots)
    # Whoever was second may have left a bundle that the first was taking; a watcher looks again.
    again = drivers.first.run(two_roots[0])
    said = again.said + ended[1].said
    assert [each.code for each in (*ended, again)] == [0, 0, 0], said
    assert "✗" not in said
    assert said.count("✓") == len(names)
    actions = [each.action for each in events_of(home)]
    assert actions.count(Action.RECEIVED) == actions.count(Action.RECEIPTED) == len(names)
    assert states_of(home) == ["done"] * len(names)
    assert list((home / "claimed").iterdir()) == []
    assert check_log(home).ok
    received = {path.name for path in (home / "drop" / UNIT / "receipts").iterdir()}
    assert len(received) == len(names)


def test_one_bundle_named_to_two_processes_at_once_is_taken_in_once(
    drivers: Drivers, two_roots: list[Path]
) -> None:
    bundle = make_bundle(two_roots[0].parent / "by hand")
    ended: list[Ended] = drivers.each(lambda driver, root: driver.run(root, path=bundle), two_roots)
    home = two_roots[0] / "home"
    actions = [each.action for each in events_of(home)]
    assert actions.count(Action.RECEIPTED) == 1
    said = [each.said for each in ended if each.code != 0]
    assert len(said) <= 1
    assert all("another process works on" in each for each in said)
    assert set(states_of(home)) == {"done"}


def test_a_claim_whose_worker_was_killed_is_taken_up_by_one_of_two_watchers(
    drivers: Drivers, two_roots: list[Path]
) -> None:
    bundle = make_bundle(two_roots[0].parent / "by hand")
    assert drivers.first.run(two_roots[0], path=bundle, kill_at=50).code == -9
    home = two_roots[0] / "home"
    assert Action.RECEIPTED not in {each.action for each in events_of(home)}
    both = drivers.each(lambda driver, root: driver.run(root), two_roots)
    assert [each.code for each in both] == [0, 0]
    assert "".join(each.said for each in both).count("✓") == 1
    assert states_of(home) == ["done"]
    actions = [each.action for each in events_of(home)]
    assert actions.count(Action.RECEIPTED) == 1
