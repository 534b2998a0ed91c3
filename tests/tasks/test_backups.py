"""A backup becomes an installation again: the same rows, the same log, nothing overwritten."""

import shutil
import sqlite3
import threading
from pathlib import Path

import pyrage
import pytest

from storage.catalogue import kept
from storage.custody import open_custody
from storage.errors import ConflictError, HostError, InputError, IntegrityError
from storage.event import Action
from storage.log import RolledBackError
from storage.settings import Settings
from tasks.backing_up import BackedUp, back_up
from tasks.backup_form import made_backups
from tasks.reader.cell import CellPool
from tasks.rebuilding import rebuild
from tasks.restoring import restore
from tests.house import make_bundle
from tests.once import once
from tests.services.postgres import Postgres
from tests.tasks.life import live, open_house, rows_of, take

NOTHING = {"phase": "ended", "access": "x", "outcome": "x"}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    """The home of a house in which everything happened, closed; shared with the rebuilds."""

    def make(folder: Path) -> Path:
        with open_house(folder / "home") as custody:
            live(custody, pool, folder)
        return folder / "home"

    return once(tmp_path_factory, "lived", make)


@pytest.fixture
def home(lived: Path, tmp_path: Path) -> Path:
    shutil.copytree(lived, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    path = tmp_path / "identity.txt"
    path.write_text(f"# a comment\n{pyrage.x25519.Identity.generate()}\n")
    return path


def recipient(identity: Path) -> str:
    secret = identity.read_text().split("\n")[1]
    return str(pyrage.x25519.Identity.from_str(secret).to_public())


def record(home: Path, *names: str) -> int:
    """Record something; return the size of the published log."""
    with open_house(home) as custody:
        for name in names:
            custody.record([custody.event(Action.ACCESSED, [name], details=NOTHING)])
        return custody.log.reader().checkpoint().size


def whole(home: Path, target: Path, identity: Path) -> BackedUp:
    return back_up(Settings(home=home), target, recipients=[recipient(identity)], objects=True)


def test_a_fresh_home_is_the_house_that_was_backed_up(
    home: Path, tmp_path: Path, identity: Path
) -> None:
    """ST-04."""
    made = whole(home, tmp_path / "b", identity)
    shutil.move(home, tmp_path / "lost")
    done = restore(Settings(home=home), tmp_path / "b", identity=identity)
    assert (done.events, done.can_record, done.missing) == (made.backup.size, True, ())
    assert rows_of(Settings(home=home)) == rows_of(Settings(home=tmp_path / "lost"))
    for folder in ("objects/log/tile/0", "objects/cases", "objects/quarantine", "objects/anchors"):
        assert files(home / folder) == files(tmp_path / "lost" / folder)
    key = home / "keys/log.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes() == (tmp_path / "lost/keys/log.key").read_bytes()
    assert record(home, "after") == done.published + 1
    with open_house(home) as custody:
        assert custody.log.reader().check().ok


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file that a restored log needs, with its retention."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), int(path.stat().st_mtime))
        for path in folder.rglob("*")
        if path.is_file() and "log/tile" not in str(path)
    }


def test_private_keys_are_in_no_backup_unless_they_are_encrypted(
    home: Path, tmp_path: Path
) -> None:
    secret = (home / "keys/log.key").read_bytes().strip()
    made = back_up(Settings(home=home), tmp_path / "b")
    assert made.backup.private_keys == ()
    assert all(secret not in path.read_bytes() for path in made.folder.rglob("*.*"))
    with pytest.raises(InputError, match="age"):
        back_up(Settings(home=home), tmp_path / "b", recipients=["age1nonsense"])
    assert len(made_backups(tmp_path / "b")) == 1
    done = restore(Settings(home=tmp_path / "new"), tmp_path / "b")
    assert not done.can_record
    with open_house_keyless(tmp_path / "new") as custody, pytest.raises(HostError):
        custody.record([custody.event(Action.ACCESSED, ["x"], details=NOTHING)])


def open_house_keyless(home: Path):  # type: ignore[no-untyped-def]
    from contextlib import contextmanager

    @contextmanager
    def opened():  # type: ignore[no-untyped-def]
        custody = open_custody(Settings(home=home))
        yield custody
        custody.database.close()

    return opened()


def test_another_secret_key_opens_nothing(home: Path, tmp_path: Path, identity: Path) -> None:
    whole(home, tmp_path / "b", identity)
    other = tmp_path / "other.txt"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    with pytest.raises(InputError, match="decrypt"):
        restore(Settings(home=tmp_path / "new"), tmp_path / "b", identity=other)
    assert not (tmp_path / "new").exists()


def test_originals_that_are_not_in_the_backup_are_named(home: Path, tmp_path: Path) -> None:
    made = back_up(Settings(home=home), tmp_path / "b")
    assert made.backup.objects is None
    done = restore(Settings(home=tmp_path / "new"), tmp_path / "b")
    with open_house(home) as custody, custody.read() as session:
        assert list(done.missing) == kept.originals(session)
    assert list((tmp_path / "new/objects/anchors").rglob("*.tsr"))
    again = tmp_path / "again"
    shutil.copytree(home / "objects", again / "objects")
    assert restore(Settings(home=again), tmp_path / "b").missing == ()


def test_any_changed_byte_is_noticed_and_nothing_is_restored(
    home: Path, tmp_path: Path, identity: Path
) -> None:
    made = whole(home, tmp_path / "b", identity)
    for path in [each for each in made.folder.rglob("*") if each.is_file()]:
        data = path.read_bytes()
        for spoiled in (data[: len(data) // 2], data[:40] + b"?" + data[41:]):
            path.write_bytes(spoiled)
            with pytest.raises(IntegrityError):
                restore(Settings(home=tmp_path / "new"), tmp_path / "b")
            assert not (tmp_path / "new").exists()
        path.write_bytes(data)


@pytest.mark.parametrize("tree", ["cases", "log"])
def test_changed_objects_and_tiles_are_noticed(
    home: Path, tmp_path: Path, identity: Path, tree: str
) -> None:
    """ST-04."""
    whole(home, tmp_path / "b", identity)
    path = max(p for p in (tmp_path / "b/shared" / tree).rglob("*") if p.is_file())
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(bytes(len(data)))
    with pytest.raises(IntegrityError):
        restore(Settings(home=tmp_path / "new"), tmp_path / "b", identity=identity)
    path.write_bytes(data)


def test_a_stopped_restore_is_run_again(home: Path, tmp_path: Path, identity: Path) -> None:
    whole(home, tmp_path / "b", identity)
    path = max(p for p in (tmp_path / "b/shared/cases").rglob("*") if p.is_file())
    path.rename(tmp_path / "away")
    chosen = Settings(home=tmp_path / "new")
    with pytest.raises(IntegrityError, match=path.name):
        restore(chosen, tmp_path / "b", identity=identity)
    (tmp_path / "away").rename(path)
    assert restore(chosen, tmp_path / "b", identity=identity).missing == ()


def test_nothing_is_overwritten(home: Path, tmp_path: Path) -> None:
    back_up(Settings(home=home), tmp_path / "b")
    before = (home / "custody.sqlite").read_bytes()
    with pytest.raises(ConflictError):
        restore(Settings(home=home), tmp_path / "b")
    assert (home / "custody.sqlite").read_bytes() == before
    other = tmp_path / "other"
    with open_house(other, log_origin="zhenglian.local/custody"):
        pass
    (other / "custody.sqlite").unlink()
    (other / "keys/log.pub").write_text("another\n")
    with pytest.raises(ConflictError):
        restore(Settings(home=other), tmp_path / "b")
    with pytest.raises(InputError, match="not of"):
        restore(Settings(home=tmp_path / "x", log_origin="example.org/x"), tmp_path / "b")


def test_a_log_that_went_on_is_named_and_rebuilt(home: Path, tmp_path: Path) -> None:
    back_up(Settings(home=home), tmp_path / "b")
    size = record(home, "later")
    now = rows_of(Settings(home=home))
    for each in home.glob("custody.sqlite*"):
        each.unlink()
    with pytest.raises(RolledBackError, match="已恢复") as caught:
        restore(Settings(home=home), tmp_path / "b")
    assert "custody rebuild --replace" in caught.value.remedy
    made = rebuild(Settings(home=home), replace_existing=True)
    assert made.events == size
    assert rows_of(Settings(home=home))["log_entry"] == now["log_entry"]


def test_a_backup_made_while_events_are_recorded_is_of_one_moment(
    home: Path, tmp_path: Path, identity: Path
) -> None:
    """Whatever the moment: the restored log leads to its checkpoint, and goes on from there."""
    ended = threading.Event()
    counts = [0]

    def write() -> None:
        with open_house(home) as custody:
            while not ended.is_set():
                names = [f"w{counts[0]}-{n}" for n in range(7)]
                custody.record(
                    [custody.event(Action.ACCESSED, [n], details=NOTHING) for n in names]
                )
                counts[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [
            back_up(Settings(home=home), tmp_path / f"b{n}", recipients=[recipient(identity)])
            for n in range(4)
        ]
    finally:
        ended.set()
        writer.join()
    assert counts[0] > 0
    assert made[-1].backup.size > made[0].backup.size
    for number, each in enumerate(made):
        new = tmp_path / f"new{number}"
        done = restore(Settings(home=new), each.folder, identity=identity)
        assert done.events == each.backup.size
        # What waited in the inbox at that moment is recorded first.
        assert record(new, "after") > done.events
        with open_house(new) as custody:
            assert custody.log.reader().check().ok


def test_a_changed_original_is_named_and_does_not_replace_the_good_copy(
    home: Path, tmp_path: Path, identity: Path
) -> None:
    whole(home, tmp_path / "b", identity)
    path = next((home / "objects/cases").rglob("originals/*"))
    key = str(path.relative_to(home / "objects"))
    copy = tmp_path / "b/shared" / key
    good = copy.read_bytes()
    path.chmod(0o644)
    path.write_bytes(good + b"!")
    made = back_up(Settings(home=home), tmp_path / "b", objects=True, keep=1) if wait() else None
    assert made is not None
    assert made.damaged == (key,)
    assert made.removed == 1
    assert copy.read_bytes() == good


def wait() -> bool:
    """Let the second end: backups are named by it."""
    import time

    time.sleep(1.1)
    return True


def test_a_second_backup_copies_no_object_again(
    home: Path, tmp_path: Path, pool: CellPool, identity: Path
) -> None:
    whole(home, tmp_path / "b", identity)
    before = {p: p.stat().st_ino for p in (tmp_path / "b/shared/cases").rglob("*")}
    with open_house(home) as custody:
        take(custody, pool, make_bundle(tmp_path / "more", "B77", {"new.txt": b"new"}))
    wait()
    made = whole(home, tmp_path / "b", identity)
    after = {p: p.stat().st_ino for p in (tmp_path / "b/shared/cases").rglob("*")}
    assert {p: after[p] for p in before} == before
    assert len(after) > len(before)
    new = restore(Settings(home=tmp_path / "new"), made.folder, identity=identity)
    assert new.missing == ()


def test_originals_on_a_server_are_refused(home: Path, tmp_path: Path) -> None:
    chosen = Settings(home=home, store="s3://evidence?endpoint=http://127.0.0.1:1")
    with pytest.raises(InputError, match="S3"):
        back_up(chosen, tmp_path / "b", objects=True)


def test_a_damaged_database_is_not_backed_up(home: Path, tmp_path: Path) -> None:
    file = home / "custody.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    data = bytearray(file.read_bytes())
    for page in range(8, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\x55" * 64
    file.write_bytes(data)
    with pytest.raises((IntegrityError, HostError), match=r"damaged|copied"):
        back_up(Settings(home=home), tmp_path / "b")
    assert not list((tmp_path / "b").glob("[!s]*"))


@pytest.mark.slow
@pytest.mark.xdist_group("postgresql")
def test_a_database_server_is_backed_up_and_restored(
    lived: Path, tmp_path: Path, postgres: Postgres, identity: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(lived, home, ignore=shutil.ignore_patterns("custody.sqlite*"))
    chosen = Settings(home=home, database=postgres.new_database())
    rebuild(chosen)
    made = back_up(chosen, tmp_path / "b", recipients=[recipient(identity)], objects=True)
    assert made.backup.database == "database.pgdump"
    empty = Settings(home=tmp_path / "new", database=postgres.new_database())
    with pytest.raises(HostError, match="another kind"):
        restore(Settings(home=tmp_path / "other"), tmp_path / "b", identity=identity)
    done = restore(empty, tmp_path / "b", identity=identity)
    assert done.events == made.backup.size
    assert rows_of(empty) == rows_of(chosen)
    with pytest.raises(ConflictError):
        restore(empty, tmp_path / "b", identity=identity)
    custody = open_custody(empty)
    custody.record([custody.event(Action.ACCESSED, ["after"], details=NOTHING)])
    assert custody.log.reader().check().ok
    custody.database.close()
