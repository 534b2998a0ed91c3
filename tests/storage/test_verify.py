"""Verifying a case: what was done to an original or to its record is named, item by item."""

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from storage.checkpoint import Checkpoint
from storage.digest import ALGORITHMS, Fingerprint, fingerprint_bytes
from storage.directory import DirectoryStore
from storage.errors import HostError, NotFoundError, TransientError
from storage.event import Action, CustodyEvent, decode, encode, event_id
from storage.gathered import Claimed
from storage.note import Signer
from storage.nouns import Person
from storage.objects import ObjectRef
from storage.tiles import ENTRIES
from storage.verify import CaseReport, check, verify
from tests.storage.kept import (
    ACCESSION,
    CASE,
    CASE_NO,
    ORIGINALS,
    Kept,
    edited,
    kept,
    overwrite,
)
from tests.storage.logs import SIGNER, WHEN, make_events

RECORD = {"manifest_file": 3, "E0001": 4, "E0002": 5, "E0003": 6, "E0004": 7}
"""Where the events of the case stand in the log."""


@pytest.fixture
def house(tmp_path: Path) -> Kept:
    return kept(tmp_path)


def findings(report: CaseReport) -> list[tuple[str, int | None]]:
    return [(each.kind, each.index) for each in report.findings]


def test_an_untouched_case_is_ok(house: Kept) -> None:
    report = house.report()
    assert report.ok
    assert house.results() == {}
    assert [item.label for item in report.items] == [
        f"{ACCESSION}/manifest_file",
        *(f"{CASE}/{number}" for number in ORIGINALS),
    ]
    assert [item.size for item in report.items[1:]] == list(map(len, ORIGINALS.values()))
    assert (report.case, report.case_no) == (CASE, CASE_NO)
    assert report.checkpoint == house.log.checkpoint_text()
    assert report.summary == "5 ok; log ok"
    assert report.as_json()["ok"] is True


def test_a_case_is_known_by_its_number_too(house: Kept) -> None:
    assert verify(house.objects, house.check(), CASE_NO).ok


def test_a_case_that_nobody_knows_is_not_ok_but_unknown(house: Kept) -> None:
    with pytest.raises(NotFoundError):
        verify(house.objects, house.check(), "2026-0002-00000000")


# The original.

SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "first byte": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "middle byte": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 0x40]) + data[len(data) // 2 + 1 :]
    ),
    "last byte": lambda data: data[:-1] + bytes([data[-1] ^ 0x80]),
    "cut by one byte": lambda data: data[:-1],
    "cut at the front": lambda data: data[1:],
    "emptied": lambda data: b"",
    "grown by one byte": lambda data: data + b"\x00",
    "grown at the front": lambda data: b"\x00" + data,
}


@pytest.mark.parametrize("exhibit", ["E0001", "E0002", "E0003"])
@pytest.mark.parametrize("name", SPOILED)
def test_a_changed_original_is_named_and_no_other(house: Kept, name: str, exhibit: str) -> None:
    """FP-07, AU-04."""
    path = house.path(exhibit)
    overwrite(path, SPOILED[name](path.read_bytes()))
    report = house.report()
    assert not report.ok
    assert house.results() == {exhibit: "mismatch"}
    assert report.findings == ()
    (item,) = (each for each in report.items if each.label == f"{CASE}/{exhibit}")
    same_size = len(path.read_bytes()) == len(ORIGINALS[exhibit])
    assert ("sha256, sm3, blake3 differ" if same_size else "bytes instead of") in item.detail


@pytest.mark.parametrize("algorithm", ["blake3", "sha256", "sm3"])
def test_one_digest_finds_every_change_too_and_is_said_to_be_the_only_one(
    house: Kept, algorithm: str
) -> None:
    whole = house.report(algorithms=(algorithm,))
    assert whole.ok
    assert whole.summary == f"5 ok; log ok; only {algorithm}"
    assert {item.detail for item in whole.items} == {algorithm}
    assert whole.as_json()["algorithms"] == [algorithm]
    data = house.path("E0001").read_bytes()
    overwrite(house.path("E0001"), bytes([data[0] ^ 1]) + data[1:])
    (item,) = (i for i in house.report(algorithms=(algorithm,)).items if i.result != "ok")
    assert item.detail.startswith(f"{algorithm} differ: {algorithm} is ")


@pytest.mark.parametrize("algorithm", ["sha256", "sm3", "blake3"])
def test_each_digest_of_the_record_is_compared_by_itself(house: Kept, algorithm: str) -> None:
    """A record whose digests are of different bytes is a mismatch unless only others are asked."""
    data = ORIGINALS["E0001"]
    digests = {**fingerprint_bytes(data).digests, algorithm: "0" * 64}
    print_ = Fingerprint.from_json({"size": len(data), "digests": digests})
    ref = ObjectRef(str(house.path("E0001").relative_to(house.root)), "", len(data))
    claim = Claimed("E0001", "", print_, ref, proven=True)
    for chosen in ALGORITHMS:
        found = check(house.objects, claim, algorithms=(chosen,)).result
        assert found == ("mismatch" if chosen == algorithm else "ok")
    assert check(house.objects, claim).detail.startswith(f"{algorithm} differ")


def test_a_removed_original_is_named(house: Kept) -> None:
    """AU-04."""
    house.path("E0002").unlink()
    assert not house.report().ok
    assert house.results() == {"E0002": "missing"}
    assert house.report().summary == "4 ok, 1 missing; log ok"


@pytest.mark.parametrize("pair", [("E0002", "E0004"), ("E0001", "E0003")])
def test_swapped_originals_are_both_named(house: Kept, pair: tuple[str, str]) -> None:
    one, other = map(house.path, pair)
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    assert not house.report().ok
    assert house.results() == dict.fromkeys(pair, "mismatch")


def test_an_original_in_the_place_of_another_is_named(house: Kept) -> None:
    overwrite(house.path("E0004"), house.path("E0002").read_bytes())
    assert house.results() == {"E0004": "mismatch"}


def test_a_link_in_place_of_an_original_is_not_followed(house: Kept, tmp_path: Path) -> None:
    path = house.path("E0002")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert house.results() == {"E0002": "unreadable"}


@pytest.mark.parametrize(
    ("make", "answer"),
    [(Path.mkdir, "unreadable"), (os.mkfifo, "mismatch")],
    ids=["folder", "pipe"],
)
def test_what_is_no_file_is_no_original(
    house: Kept, make: Callable[[Path], None], answer: str
) -> None:
    house.path("E0002").unlink()
    make(house.path("E0002"))
    assert house.results() == {"E0002": answer}


def test_a_changed_manifest_is_named(house: Kept) -> None:
    (path,) = (
        each
        for each in house.path("E0001").parent.iterdir()
        if each.read_bytes() == b"the manifest of the bundle"
    )
    overwrite(path, b"another manifest of the bundle")
    assert house.results() == {f"{ACCESSION}/manifest_file": "mismatch"}


class Broken(io.RawIOBase):
    """A disk that gives some bytes and then an error."""

    def __init__(self) -> None:
        self._given = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._given:
            raise OSError(5, "Input/output error")
        self._given = True
        buffer[:1] = b"x"
        return 1


class FailingStore(DirectoryStore):
    """A directory store in which one object cannot be had."""

    def __init__(self, root: Path, digest: str, fail: Callable[[], BinaryIO]) -> None:
        super().__init__(root)
        self._digest, self._fail = digest, fail

    def open(self, ref: ObjectRef) -> BinaryIO:
        return self._fail() if ref.key.endswith(self._digest) else super().open(ref)


def _raise(error: Exception) -> Callable[[], BinaryIO]:
    def fail() -> BinaryIO:
        raise error

    return fail


@pytest.mark.parametrize(
    "fail",
    [
        _raise(HostError("object cannot be read: Permission denied")),
        _raise(TransientError("the store does not answer")),
        _raise(PermissionError(13, "Permission denied")),
        lambda: Broken(),
    ],
    ids=["host", "transient", "permission", "disk"],
)
def test_an_original_that_the_store_cannot_give_is_unreadable(
    house: Kept, fail: Callable[[], BinaryIO]
) -> None:
    """AU-04."""
    store = FailingStore(house.root, house.path("E0002").name, fail)
    report = verify(store, house.check(), CASE)
    assert not report.ok
    wrong = [(item.label, item.result.value) for item in report.items if item.result != "ok"]
    assert wrong == [(f"{CASE}/E0002", "unreadable")]


# The record.


def test_an_edited_event_leaves_its_item_unverified(house: Kept) -> None:
    """AU-04."""
    index = RECORD["E0002"]
    house.edit(0, lambda leaves: leaves.__setitem__(index, edited(leaves[index])))
    report = house.report()
    assert not report.ok
    assert findings(report) == [("entry_edited", index)]
    assert house.results() == {"E0002": "unverified"}


def test_an_event_edited_to_fit_a_forged_original_is_not_believed(house: Kept) -> None:
    """Original and record agree, and the signature does not."""
    forged = b"forged" * 128
    overwrite(house.path("E0002"), forged)
    print_ = fingerprint_bytes(forged)
    index = RECORD["E0002"]
    house.edit(0, lambda leaves: leaves.__setitem__(index, _restated(leaves[index], print_)))
    assert findings(house.report()) == [("entry_edited", index)]
    assert house.results() == {"E0002": "unverified"}


def _restated(leaf: bytes, print_: Fingerprint) -> bytes:
    event = decode(leaf)
    return encode(replace(event, details={**event.details, "fingerprint": print_.as_json()}))


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"item": [], "fingerprint": 1, "object": None},
        {"manifest": "none", "manifest_file": [], "exhibits": 10**12, "first_exhibit": 1},
        {"manifest": {"case_no": 7}, "exhibits": 10**12, "first_exhibit": 1},
    ],
)
@pytest.mark.parametrize("index", [RECORD["manifest_file"], RECORD["E0002"]])
def test_what_an_edited_event_claims_is_believed_in_nothing(
    house: Kept, index: int, details: dict[str, Any]
) -> None:
    def edit(leaves: list[bytes]) -> None:
        leaves[index] = encode(replace(decode(leaves[index]), details=details))

    house.edit(0, edit)
    report = house.report()
    assert not report.ok
    assert findings(report) == [("entry_edited", index)]
    assert house.results() == ({"E0002": "unverified"} if index == RECORD["E0002"] else {})


def test_a_removed_event_leaves_its_item_unverified(house: Kept) -> None:
    """The accession says how many exhibits there are."""
    house.edit(0, lambda leaves: leaves.pop(RECORD["E0003"]))
    assert findings(house.report()) == [("entry_missing", RECORD["E0003"])]
    assert house.results() == {"E0003": "unverified"}
    assert not house.report().ok


def test_reordered_events_leave_their_items_unverified(house: Kept) -> None:
    def swap(leaves: list[bytes]) -> None:
        leaves[4], leaves[7] = leaves[7], leaves[4]

    house.edit(0, swap)
    assert sorted(findings(house.report())) == [("entry_moved", 4), ("entry_moved", 7)]
    assert house.results() == {"E0001": "unverified", "E0004": "unverified"}


def test_an_inserted_event_takes_nothing_from_the_items(house: Kept) -> None:
    house.edit(0, lambda leaves: leaves.insert(1, edited(leaves[0])))
    report = house.report()
    assert not report.ok
    assert [each.kind for each in report.findings] == ["entry_inserted"]
    assert house.results() == {}


def test_an_inserted_item_is_not_counted(house: Kept) -> None:
    """An exhibit that somebody slips into the record afterwards is not one."""
    house.edit(0, lambda leaves: leaves.append(edited(leaves[RECORD["E0001"]])))
    report = house.report()
    assert [each.kind for each in report.findings] == ["entry_inserted"]
    assert len(report.items) == 5
    assert not report.ok


def test_events_of_others_take_nothing_from_the_items(house: Kept) -> None:
    house.edit(0, lambda leaves: leaves.__setitem__(0, edited(leaves[0])))
    assert findings(house.report()) == [("entry_edited", 0)]
    assert house.results() == {}
    assert not house.report().ok


def test_a_changed_tile_takes_nothing_from_the_items(house: Kept) -> None:
    path = house.file(house.tiles(0)[0])
    overwrite(path, bytes(32) + path.read_bytes()[32:])
    assert findings(house.report()) == [("tile_changed", None)]
    assert house.results() == {}
    assert not house.report().ok


ALL = dict.fromkeys([f"{ACCESSION}/manifest_file", *ORIGINALS], "unverified")


def test_a_checkpoint_of_another_key_proves_no_item(house: Kept) -> None:
    own = house.log.reader().checkpoint()
    forged = Checkpoint(SIGNER.name, own.size, own.root).sign(Signer(SIGNER.name, bytes(32)))
    overwrite(house.root / "log/checkpoint", forged.encode())
    assert findings(house.report()) == [("checkpoint_signature", None)]
    assert house.results() == ALL


def test_a_removed_checkpoint_proves_nothing_and_is_not_an_unknown_case(house: Kept) -> None:
    (house.root / "log/checkpoint").unlink()
    report = house.report()
    assert not report.ok
    assert findings(report) == [("checkpoint_missing", None)]
    assert report.items == ()
    assert house.results(expected=[f"{CASE}/E0001"]) == {"E0001": "unverified"}


def test_removed_bundles_are_not_an_unknown_case(house: Kept) -> None:
    house.file(house.tiles(ENTRIES)[0]).unlink()
    report = house.report()
    assert not report.ok
    assert {kind for kind, _ in findings(report)} == {"entry_missing"}


def test_a_rolled_back_log_is_shown_by_a_kept_head_and_by_the_catalogue(tmp_path: Path) -> None:
    house = kept(tmp_path, 3, 0)
    older = house.log.checkpoint_text()
    late = CustodyEvent(
        event_id(Action.VERIFIED, "late"), Action.VERIFIED, WHEN, WHEN, Person("李四"), case=CASE
    )
    house.log.record([late])
    head = house.log.reader().checkpoint()
    overwrite(house.root / "log/checkpoint", older.encode())
    assert house.report().ok
    assert findings(house.report(head)) == [("rolled_back", None)]
    assert not house.report(head).ok
    assert house.results(expected=[f"{CASE}/E0005"]) == {"E0005": "unverified"}


def test_a_forked_log_is_shown_by_a_kept_head(house: Kept, tmp_path: Path) -> None:
    head = house.log.reader().checkpoint()
    (tmp_path / "fork").mkdir()
    other = kept(tmp_path / "fork", 4, 1)
    other.log.record(make_events(900, 910))
    assert other.report().ok
    assert findings(other.report(head)) == [("forked", None)]
    assert not other.report(head).ok


# Any byte at all.
