"""Claims: one number a bundle, one worker a claim, and a clear end whatever happens meanwhile."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from pathlib import Path

import pytest

from storage.catalogue import intents
from storage.catalogue.intents import Claim
from storage.custody import Custody
from storage.errors import BusyError, HostError, InputError, NotFoundError, StateError
from tasks import claims
from tests.house import make_bundle
from tests.services.postgres import Postgres
from tests.tasks.life import open_house


@pytest.fixture
def unit(house: Custody) -> Path:
    folder = house.workspace.drop / "pudong-01"
    folder.mkdir()
    return folder


def claim(house: Custody, path: Path, *, in_place: bool = False) -> Claim:
    return claims.claim_bundle(house, path, "pudong-01", in_place=in_place)


def states(house: Custody) -> dict[str, str]:
    with house.read() as session:
        return {each.accession: each.state for each in intents.open_claims(session)}


def state_of(house: Custody, accession: str) -> str:
    with house.read() as session:
        return intents.find_claim(session, accession).state


@contextmanager
def elsewhere(house: Custody, accession: str) -> Iterator[None]:
    """Let somebody else work on a claim: a thread of its own, which began with nothing."""
    began, end = threading.Event(), threading.Event()

    def work() -> None:
        with claims.working(house, accession):
            began.set()
            end.wait(30)

    thread = threading.Thread(target=lambda: Context().run(work))
    thread.start()
    assert began.wait(30)
    try:
        yield
    finally:
        end.set()
        thread.join()


def test_a_claim_is_worked_on_by_one_alone(house: Custody, unit: Path) -> None:
    number = claim(house, make_bundle(unit / "b1")).accession
    with elsewhere(house, number):
        assert claims.is_worked_on(house, number)
        with pytest.raises(BusyError) as caught, claims.working(house, number):
            pass
        assert caught.value.remedy
    assert not claims.is_worked_on(house, number)
    with claims.working(house, number):
        pass


def test_who_works_on_a_claim_may_enter_it_again(house: Custody, unit: Path) -> None:
    """The watcher holds it, and so does the flow that it runs."""
    with claims.taking(house, make_bundle(unit / "b1"), "pudong-01", in_place=False) as taken:
        with claims.working(house, taken.accession):
            pass
        assert claims.is_worked_on(house, taken.accession), "the inner end ends nothing"
    assert not claims.is_worked_on(house, taken.accession)


def test_a_bundle_that_two_find_at_once_gets_one_number(house: Custody, unit: Path) -> None:
    """Whoever comes second finds it busy or gone, and gives out no number of its own."""
    path = make_bundle(unit / "b1")
    together = threading.Barrier(4)

    def one(_: int) -> str:
        together.wait()
        try:
            return claim(house, path).accession
        except (BusyError, InputError) as error:
            return type(error).__name__

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(4)))
    (number,) = [each for each in found if each.startswith("A")]
    assert set(found) <= {number, "BusyError", "InputError"}
    assert states(house) == {number: "moved"}
    assert (house.workspace.claimed / number / "bundle" / "b1" / "manifest.yaml").is_file()


def test_a_bundle_that_is_ingested_where_it_lies_is_not_ingested_twice_at_once(
    house: Custody, tmp_path: Path
) -> None:
    path = make_bundle(tmp_path / "b1")
    number = claim(house, path, in_place=True).accession
    with elsewhere(house, number), pytest.raises(BusyError):
        claim(house, path, in_place=True)
    assert states(house) == {number: "open"}
    assert claim(house, path, in_place=True).accession == number
    claims.finish(house, number)
    assert claim(house, path, in_place=True).accession != number


@pytest.mark.parametrize("change", ["renamed", "removed"])
def test_a_bundle_renamed_under_us_is_left_and_its_claim_closed(
    house: Custody, unit: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path, real = make_bundle(unit / "b1"), Path.rename

    def too_late(self: Path, target: Path) -> Path:
        monkeypatch.undo()
        real(self, unit / "b2" if change == "renamed" else unit.parent.parent / "away")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", too_late)
    with pytest.raises(NotFoundError, match="renamed or removed") as caught:
        claim(house, path)
    assert state_of(house, caught.value.facts["accession"]) == "gone"
    assert states(house) == {}
    if change == "renamed":
        number = claim(house, unit / "b2").accession
        assert (claims.place(house, number).root / "a.txt").is_file(), "nothing was lost"


def test_a_bundle_removed_after_it_was_moved_ends_in_a_clear_state(
    house: Custody, unit: Path
) -> None:
    number = claim(house, make_bundle(unit / "b1")).accession
    root = claims.place(house, number).root
    assert not claims.give_up_if_gone(house, number)
    root.rename(unit / "back again")
    with pytest.raises(InputError, match="is gone"):
        claims.place(house, number)
    assert claims.give_up_if_gone(house, number)
    assert state_of(house, number) == "gone"
    with pytest.raises(StateError, match="closed"):
        claims.place(house, number)
    assert claim(house, unit / "back again").accession != number


def test_a_claim_whose_bytes_are_in_the_store_is_never_given_up(house: Custody) -> None:
    """The claim of a release has an earlier accession as its source, and no place at all."""
    with house.write() as session:
        released = intents.claim(
            session, unit="pudong-01", name="b1", source="A2026-000009", in_place=True,
            now=house.now(),
        )  # fmt: skip
    assert not claims.give_up_if_gone(house, released.accession)
    assert states(house) == {released.accession: "open"}


def test_a_claim_that_is_done_stays_done(house: Custody, unit: Path) -> None:
    number = claim(house, make_bundle(unit / "b1")).accession
    claims.finish(house, number)
    assert not claims.give_up_if_gone(house, number)
    assert state_of(house, number) == "done"


def test_a_link_in_place_of_a_bundle_is_not_followed(house: Custody, unit: Path) -> None:
    number = claim(house, make_bundle(unit / "b1")).accession
    root = claims.place(house, number).root
    root.rename(unit / "b2")
    root.symlink_to(unit / "b2")
    with pytest.raises(InputError, match="is gone"):
        claims.place(house, number)
    (unit / "link").symlink_to(unit / "b2")
    with pytest.raises(InputError, match="not a bundle"):
        claim(house, unit / "link")


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.EXDEV, "another file system"), (errno.EACCES, "Permission denied")],
    ids=["EXDEV", "EACCES"],
)
def test_a_bundle_that_cannot_be_moved_is_one_clear_line_and_tried_again(
    house: Custody, unit: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(number, os.strerror(number))

    path = make_bundle(unit / "b1")
    monkeypatch.setattr(Path, "rename", refuse)
    for _ in range(2):
        with pytest.raises(HostError, match=says) as caught:
            claim(house, path)
        assert "\n" not in caught.value.message
        assert caught.value.remedy
    monkeypatch.undo()
    assert len(states(house)) == 1, "the same claim each time"
    assert claim(house, path).accession in states(house)
    assert states(house).popitem()[1] == "moved"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xba\xcf\xcd\xac", id="GBK"),
        pytest.param(b"x" * 255, id="255 bytes"),
        pytest.param("合".encode() * 85, id="85 characters of 3 bytes"),
        pytest.param(b"a\n\x1b[31m\xe2\x80\xae", id="control characters"),
        pytest.param(b"bytes:", id="like a spelling"),
        pytest.param(b" . ", id="dots and blanks"),
    ],
)
def test_names_of_any_bytes_are_claimed_moved_and_found_again(
    house: Custody, unit: Path, raw: bytes
) -> None:
    name = os.fsdecode(raw)
    made = claim(house, make_bundle(unit / name))
    assert (made.name, Path(made.source).name) == (name, name)
    (left,) = claims.unfinished(house)
    assert (left.name, left.source) == (made.name, made.source)
    assert (claims.place(house, made.accession).root / "a.txt").is_file()
    claims.finish(house, made.accession)
    assert list(house.workspace.claimed.iterdir()) == []


@pytest.mark.parametrize("name", ["a.pdf", "a.part1.rar", "a.zip.001"])
def test_a_loose_file_is_no_bundle(house: Custody, unit: Path, name: str) -> None:
    (unit / name).write_bytes(b"x")
    with pytest.raises(InputError) as caught:
        claim(house, unit / name)
    assert ("one part" in caught.value.message) is (name != "a.pdf")
    assert states(house) == {}


@pytest.mark.parametrize("name", ["a.zip", "a.tar.zst", "a.7z", "A.RAR"])
def test_an_archive_in_one_file_is_a_bundle(house: Custody, unit: Path, name: str) -> None:
    (unit / name).write_bytes(b"x")
    assert claims.place(house, claim(house, unit / name).accession).root.read_bytes() == b"x"


def test_a_copy_nested_beyond_any_path_is_removed(house: Custody, unit: Path) -> None:
    """Deeper than the interpreter's stack, and longer than the longest path."""
    made = claim(house, make_bundle(unit / "b1"))
    deepest = os.open(claims.place(house, made.accession).root, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("deeper", dir_fd=deepest)
        below = os.open("deeper", os.O_RDONLY, dir_fd=deepest)
        os.close(deepest)
        deepest = below
    os.close(deepest)
    claims.finish(house, made.accession)
    assert list(house.workspace.claimed.iterdir()) == []


def test_sweeping_leaves_what_another_watcher_takes_meanwhile(
    house: Custody, unit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim made after the folders were listed, or before, keeps its copy."""
    real: Callable[[Custody], list[Claim]] = claims.unfinished
    early = claim(house, make_bundle(unit / "early")).accession
    stray = house.workspace.claimed / "A2026-999999"
    stray.mkdir()
    made: list[str] = []

    def while_asking(custody: Custody) -> list[Claim]:
        found = real(custody)
        made.append(claim(house, make_bundle(unit / "late")).accession)
        return found

    monkeypatch.setattr(claims, "unfinished", while_asking)
    assert claims.sweep(house) == []
    kept = {each.name for each in house.workspace.claimed.iterdir()}
    assert kept == {early, *made}


def test_sweeping_leaves_a_copy_that_somebody_works_on(house: Custody, unit: Path) -> None:
    number = claim(house, make_bundle(unit / "b1")).accession
    with house.write() as session:
        intents.set_state(session, number, "done")
    with elsewhere(house, number):
        claims.sweep(house)
        assert (house.workspace.claimed / number).is_dir()
    claims.sweep(house)
    assert not (house.workspace.claimed / number).exists()


def test_what_cannot_be_removed_is_told_and_hinders_no_other(
    house: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(root: Path) -> None:
        if root.name == "A2026-000001":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        removed.append(root.name)

    removed: list[str] = []
    for name in ("A2026-000001", "A2026-000002"):
        (house.workspace.claimed / name).mkdir()
    monkeypatch.setattr(claims, "remove_tree", refuse)
    (error,) = claims.sweep(house)
    assert "A2026-000001 cannot be removed" in error.message
    assert "A2026-000002" in removed


@pytest.mark.slow
def test_on_a_server_too_one_alone_claims_and_works(tmp_path: Path, postgres: Postgres) -> None:
    """Several processes, and machines, share one database; the lock is a session's."""
    with open_house(tmp_path / "home", database=postgres.new_database()) as house:
        unit = house.workspace.drop / "pudong-01"
        path = make_bundle(unit / os.fsdecode(b"\xba\xcf"))
        with claims.taking(house, path, unit.name, in_place=False) as taken:
            assert claims.is_worked_on(house, taken.accession)
            with pytest.raises(BusyError):
                Context().run(lambda: claims.working(house, taken.accession).__enter__())
        with elsewhere(house, taken.accession), pytest.raises(BusyError):
            claims.working(house, taken.accession).__enter__()
        assert not claims.is_worked_on(house, taken.accession)
        (left,) = claims.unfinished(house)
        assert left.name == path.name
        claims.finish(house, taken.accession)


def test_who_comes_back_after_another_has_ended_or_taken_its_claim_goes_no_further(
    house: Custody, unit: Path
) -> None:
    """A host that was cut off lost its lock with its connection, and goes on when it is back."""
    taken = claim(house, make_bundle(unit / "b"))
    claims.require_mine(house, taken.accession)  # Nothing was ours: nothing is looked at.
    with claims.working(house, taken.accession):
        claims.require_mine(house, taken.accession)
        with house.write() as session:
            intents.set_state(session, taken.accession, "done")
        with pytest.raises(StateError, match="another worker has ended"):
            claims.require_mine(house, taken.accession)


@pytest.mark.slow
def test_a_claim_whose_lock_is_lost_is_ours_again_unless_somebody_took_it_up(
    tmp_path: Path, postgres: Postgres
) -> None:
    with open_house(tmp_path / "home", database=postgres.new_database()) as house:
        folder = house.workspace.drop / "pudong-01"
        folder.mkdir()
        taken = claim(house, make_bundle(folder / "b"))
        with claims.working(house, taken.accession):
            lose_connections(house)
            claims.require_mine(house, taken.accession)
            assert claims.is_worked_on(house, taken.accession)
            lose_connections(house)
            with elsewhere(house, taken.accession), pytest.raises(BusyError):
                claims.require_mine(house, taken.accession)


def lose_connections(house: Custody) -> None:
    """Let the server end all sessions but the one that says so, and wait until they are gone."""
    with house.database.connected() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database()"
        others += " AND pid <> pg_backend_pid()"
        connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {others}")
        while connection.exec_driver_sql(f"SELECT count(*) {others}").scalar_one():
            threading.Event().wait(0.01)
