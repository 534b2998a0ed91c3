"""An original is given out whole or not at all, and never without a record made before."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from storage.custody import Custody
from storage.errors import ConflictError, HostError, InputError, IntegrityError, NotFoundError
from storage.event import Action
from storage.nouns import Person
from storage.objects import ObjectRef
from storage.story import tell
from tasks.giving import accesses, export
from tasks.reader.cell import CellPool
from tests.house import FILES, events, make_bundle
from tests.tasks.life import CASE, appraise, copy_of, open_house, take

ONE = f"{CASE}/E0001"
WHO = Person("张伟", unit="执法稽查科")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    """A case with three exhibits in custody."""
    folder = tmp_path_factory.mktemp("made")
    with open_house(folder / "home") as custody:
        take(custody, pool, make_bundle(folder / "one"))
    return folder / "home"


@pytest.fixture
def house(made: Path, tmp_path: Path) -> Iterator[Custody]:
    """A copy of that house."""
    with copy_of(made, tmp_path / "home") as custody:
        yield custody


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def spoil(house: Custody, data: bytes) -> None:
    key = events(house, Action.STORED)[0].details["object"]["key"]
    victim = house.workspace.objects / key
    victim.chmod(0o644)
    victim.write_bytes(data)


def test_without_person_reason_or_place_nothing_is_given(house: Custody, out: Path) -> None:
    taken = out / "taken"
    taken.write_bytes(b"mine")
    (out / "link").symlink_to(out / "nowhere")
    for kind, target, who, why in (
        (InputError, out / "a", Person(" "), "阅卷"),
        (InputError, out / "a", WHO, " "),
        (InputError, out / "none" / "a", WHO, "阅卷"),
        (ConflictError, taken, WHO, "阅卷"),
        (ConflictError, out / "link", WHO, "阅卷"),
    ):
        with pytest.raises(kind):
            export(house, ONE, target, who, why)
    with pytest.raises(NotFoundError):
        export(house, f"{CASE}/E0009", out / "a", WHO, "阅卷")
    assert sorted(path.name for path in out.iterdir()) == ["link", "taken"]
    assert taken.read_bytes() == b"mine"
    assert events(house, Action.ACCESSED) == []


@pytest.mark.parametrize("data", [b"changed", FILES["a.txt"] + b"!" * 3_000_000, b""])
def test_changed_bytes_are_not_given(house: Custody, out: Path, data: bytes) -> None:
    spoil(house, data)
    with pytest.raises(IntegrityError, match="未予提供"):
        export(house, ONE, out / "a.txt", WHO, "阅卷")
    assert list(out.iterdir()) == []
    begun, ended = events(house, Action.ACCESSED)
    assert (begun.details["phase"], ended.details["outcome"]) == ("begun", "mismatch")
    assert accesses(house, CASE)[0]["outcome"] == "mismatch"


def test_a_removed_original_is_an_access_that_failed(house: Custody, out: Path) -> None:
    key = events(house, Action.STORED)[0].details["object"]["key"]
    (house.workspace.objects / key).unlink()
    with pytest.raises(NotFoundError):
        export(house, ONE, out / "a.txt", WHO, "阅卷")
    assert list(out.iterdir()) == []
    assert accesses(house, CASE)[0]["outcome"] == "failed"


def test_the_exact_bytes_are_given_and_the_access_is_recorded_first(
    house: Custody, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ST-08: CU-05: reading an original is an event."""
    seen: list[int] = []
    real = house.objects.open

    def opened(ref: ObjectRef) -> BinaryIO:
        seen.append(len(events(house, Action.ACCESSED)))
        return real(ref)

    monkeypatch.setattr(house.objects, "open", opened)
    given = export(house, ONE, out / "a.txt", WHO, "阅卷")
    assert seen == [1]
    assert (out / "a.txt").read_bytes() == FILES["a.txt"]
    assert (out / "a.txt").stat().st_mode & 0o077 == 0
    assert [path.name for path in out.iterdir()] == ["a.txt"]
    begun, ended = events(house, Action.ACCESSED)
    assert (begun.actor, begun.purpose, begun.exhibits) == (WHO, "阅卷", (ONE,))
    assert begun.details["sha256"] == given["sha256"]
    assert given["access"] in tell(begun)
    assert "given" in tell(ended)


def test_an_access_without_an_outcome_stays_unknown(
    house: Custody, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle: the record made before is what remains."""

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tasks.giving._copy", killed)
    real = Custody.record
    monkeypatch.setattr(
        Custody,
        "record",
        lambda self, made: [] if made[0].details.get("phase") == "ended" else real(self, made),
    )
    with pytest.raises(KeyboardInterrupt):
        export(house, ONE, out / "a.txt", WHO, "阅卷")
    (row,) = accesses(house, CASE)
    assert (row["outcome"], row["who"]["name"]) == ("unknown", "张伟")


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_fails_leaves_no_file(
    house: Custody, out: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    def fsync(_: int) -> None:
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patch:
        patch.setattr("tasks.giving.os.fsync", lambda fd: fsync(fd) if _is_out(fd, out) else None)
        with pytest.raises(HostError):
            export(house, ONE, out / "a.txt", WHO, "阅卷")
    assert list(out.iterdir()) == []
    assert accesses(house, CASE)[0]["outcome"] == "failed"


def _is_out(descriptor: int, out: Path) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").readlink().is_relative_to(out)


def test_media_without_links_get_the_file_too(
    house: Custody, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr("tasks.giving.os.link", link)
    export(house, ONE, out / "a.txt", WHO, "阅卷")
    assert (out / "a.txt").read_bytes() == FILES["a.txt"]


def test_reading_and_audits_are_no_access_but_packages_are(
    house: Custody, out: Path, tmp_path: Path
) -> None:
    assert accesses(house, CASE) == []
    appraise(house, tmp_path)
    export(house, ONE, out / "a.txt", WHO, "阅卷")
    rows = accesses(house, CASE)
    assert [row["mode"] for row in rows] == ["package", "download", "package", "export"]
    assert rows[0]["exhibits"] == [ONE, f"{CASE}/E0002"]
    assert rows[-1]["why"] == "阅卷"
    assert all(row["outcome"] == "given" for row in rows)
