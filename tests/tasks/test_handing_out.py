"""What was sent is handed out in ranges, checked before it leaves; each download is on record."""

import hashlib
import os
import random
import subprocess
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from appraisal import acts
from appraisal.desk import Desk
from storage.custody import Custody
from storage.errors import ConflictError, IntegrityError, NotFoundError, StateError
from storage.event import Action
from storage.nouns import Person
from storage.story import tell
from tasks.giving import accesses
from tasks.handing_out import PackageFile, files_of, open_package, record_download, write_files
from tests.house import events
from tests.tasks.proof_made import CASE_NO
from tests.tasks.sent import CLERK, NUMBER, case_house, draft, send


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Custody]:
    with case_house(tmp_path_factory.mktemp("sent")) as custody:
        send(custody)
        yield custody


def whole(file: PackageFile) -> bytes:
    return b"".join(file.open_range())


def test_ap_07_what_is_handed_out_is_what_the_record_names(sent: Custody) -> None:
    package = open_package(sent, NUMBER)
    assert package.sha256 == Desk(sent).commission(NUMBER).package_digest
    data = whole(package)
    assert len(data) == package.size
    assert hashlib.sha256(data).hexdigest() == package.sha256
    assert package.name.endswith(".zip")
    assert package.presigned_url(60) is None, "a folder has no addresses"


def test_a_download_is_resumed_anywhere(sent: Custody) -> None:
    package = open_package(sent, NUMBER)
    data = whole(package)
    dice = random.Random(7)
    ranges = [(dice.randrange(len(data)), dice.randrange(len(data) + 9)) for _ in range(20)]
    for start, end in [(0, 0), (0, 1), (len(data) - 1, len(data)), (len(data), 9**9), *ranges]:
        assert b"".join(package.open_range(start, end)) == data[start:end], (start, end)


def test_memory_does_not_grow_with_the_package(sent: Custody) -> None:
    package = open_package(sent, NUMBER)
    tracemalloc.start()
    for piece in package.open_range():
        assert len(piece) <= 4 << 20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_what_is_unknown_not_sent_or_anothers_is_not_handed_out(sent: Custody) -> None:
    for number, which, agency in (
        ("none", "package", ""),
        (NUMBER, "S9", ""),
        (NUMBER, "../x", "SJ"),
        (NUMBER, "package", "OTHER"),
    ):
        with pytest.raises(NotFoundError) as caught:
            open_package(sent, number, which, agency_id=agency)
        assert caught.value.remedy
    draft(sent, "E0003", number="鉴〔2026〕9号")
    with pytest.raises(StateError):
        open_package(sent, "鉴〔2026〕9号", agency_id="SJ")
    with pytest.raises(NotFoundError):
        open_package(sent, "鉴〔2026〕9号")


def test_cu_05_a_download_is_one_event_begun_and_one_ended_however_often_resumed(
    sent: Custody,
) -> None:
    """CU-05: who fetched what, when it began and that it ended; resuming floods no log."""
    package = open_package(sent, NUMBER, agency_id="SJ")

    def told(who: Person = CLERK) -> list[tuple[str, int]]:
        found = [e for e in events(sent, Action.DOWNLOADED) if e.actor == who]
        return [(e.details["phase"], e.details["turn"]) for e in found]

    assert record_download(sent, NUMBER, CLERK, file=package)
    for first in (0, 1_000_000, 0, 5_000_000):
        assert not record_download(sent, NUMBER, CLERK, file=package, first=first)
    assert told() == [("begun", 1)]
    assert record_download(sent, NUMBER, CLERK, file=package, first=5_000_000, whole=True)
    assert not record_download(sent, NUMBER, CLERK, file=package, first=8_000_000, whole=True)
    assert not record_download(sent, NUMBER, CLERK, file=package, first=7), "a segment that is late"
    assert told() == [("begun", 1), ("ended", 1)]
    assert record_download(sent, NUMBER, CLERK, file=package), "from the first byte: once more"
    assert not record_download(sent, NUMBER, CLERK, file=package, first=7)
    assert record_download(sent, NUMBER, CLERK, file=package, whole=True)
    assert told() == [("begun", 1), ("ended", 1), ("begun", 2), ("ended", 2)]
    assert record_download(sent, NUMBER, CLERK, file=package, first=7, session="token 5")
    other = replace(CLERK, id="acc-8", name="吴迪")
    record_download(sent, NUMBER, other, file=package)
    assert told(other) == [("begun", 1)]
    listed = [each for each in accesses(sent, CASE_NO) if each["mode"] == "download"]
    assert [(each["who"]["name"], each["outcome"]) for each in listed] == [
        ("周静", "given"),
        ("周静", "given"),
        ("周静", "unknown"),
        ("吴迪", "unknown"),
    ]
    event = events(sent, Action.DOWNLOADED)[0]
    assert event.case
    assert event.details["sha256"] == package.sha256
    assert "周静" not in tell(event)
    assert package.name in tell(event)


def test_access_ends_some_days_after_the_end_and_at_once_for_who_declined(tmp_path: Path) -> None:
    with case_house(tmp_path, access_days=5) as custody:
        send(custody)
        desk = Desk(custody)

        def after(days: int) -> Custody:
            now = datetime.fromisoformat(custody.now())
            return replace(custody, clock=lambda: now + timedelta(days=days))

        assert open_package(after(400), NUMBER, agency_id="SJ"), "not within a running commission"
        desk.step(NUMBER, acts.decline("超出业务范围", CLERK, custody.now()))
        with pytest.raises(StateError, match="no longer"):
            open_package(custody, NUMBER, agency_id="SJ")
        assert open_package(custody, NUMBER), "the bureau itself keeps what it sent"


def test_what_is_carried_by_hand_is_compared_and_on_record(sent: Custody, tmp_path: Path) -> None:
    """CU-05, AP-07: ``custody package get``."""
    written = write_files(sent, NUMBER, tmp_path / "stick", replace(CLERK, id="by hand"))
    assert {path.name.rpartition(".")[2] for path in written} == {"zip", "pdf", "txt"}
    done = subprocess.run(
        ["sha256sum", "-c", "sha256sums.txt"], cwd=tmp_path / "stick", capture_output=True
    )
    assert done.returncode == 0
    for path in written[:-1]:
        path.unlink()
    before = len(events(sent, Action.DOWNLOADED))
    with pytest.raises(ConflictError):
        write_files(sent, NUMBER, tmp_path / "stick", CLERK)
    assert [*(tmp_path / "stick").iterdir()] == written[-1:], "all of them or none"
    assert len(events(sent, Action.DOWNLOADED)) == before


@pytest.mark.parametrize("place", [0, 4_500_000, -1], ids=["head", "middle", "end"])
def test_nothing_of_an_altered_piece_is_handed_out_and_an_alert_is_raised(
    tmp_path: Path, place: int
) -> None:
    with case_house(tmp_path) as custody:
        send(custody)
        package = open_package(custody, NUMBER, agency_id="SJ")
        data = whole(package)
        path = _stored(custody, package)
        spoiled = bytearray(data)
        spoiled[place] ^= 1
        path.chmod(0o644)
        path.write_bytes(spoiled)
        given = bytearray()
        pieces = open_package(custody, NUMBER, agency_id="SJ").open_range()
        with pytest.raises(IntegrityError) as caught:
            given.extend(byte for piece in pieces for byte in piece)
        assert data.startswith(bytes(given)), "what was given out before is as it was sent"
        assert len(given) <= place % len(data)
        assert "不一致" in str(caught.value)
        assert caught.value.remedy
        for _ in range(2):
            with pytest.raises(IntegrityError):
                b"".join(open_package(custody, NUMBER).open_range(place % len(data)))
        (alert,) = events(custody, Action.ALERT)
        assert alert.details["kind"] == "package"
        assert alert.case
        os.truncate(path, len(data) - 5)
        with pytest.raises(IntegrityError):
            next(open_package(custody, NUMBER).open_range())
        path.unlink()
        with pytest.raises(NotFoundError):
            next(open_package(custody, NUMBER).open_range())


def _stored(custody: Custody, package: PackageFile) -> Path:
    """Return where a directory keeps a file's bytes."""
    (row,) = [each for each in files_of(custody, NUMBER) if each["which"] == package.which]
    return custody.workspace.packages / row["key"]
