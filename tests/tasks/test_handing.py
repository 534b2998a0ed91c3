"""Originals change hands through the real steps: what may not be, and what then is on record."""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest

from storage.catalogue import handovers
from storage.custody import Custody
from storage.errors import (
    ConflictError,
    InputError,
    IntegrityError,
    NotFoundError,
    StateError,
)
from storage.event import MAX_LEAF, Action, decode, encode
from storage.flaws import FlawKind
from storage.holding import Place
from storage.nouns import Person
from storage.story import tell
from tasks import handing, sweeping
from tasks.handing import Circumstances, give_back, receive, release
from tasks.holders import case_custody
from tasks.open_handovers import chase_handovers, open_handovers
from tasks.reader.cell import CellPool
from tasks.sealing import break_seal, renew_seal
from tests.house import events, make_bundle
from tests.tasks.life import CASE, appraise, copy_of, open_house, take

ONE, TWO, THREE = (f"{CASE}/E{number:04d}" for number in (1, 2, 3))
WANG, ZHAO = Person("王五", "", "市公安局"), Person("赵六", "", "区法院")
A, B = Person("甲", "", "证据保管中心"), Person("乙", "", "证据保管中心")


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


def said(house: Custody, **more: str) -> Circumstances:
    return Circumstances(**{"at": house.now(), "purpose": "移送审查", "place": "上海", **more})


def keeper(house: Custody) -> Person:
    return house.receiver()


def give(house: Custody, *exhibits: str, to: Person = WANG, **more: str) -> str:
    return release(house, exhibits or (ONE,), keeper(house), to, said(house, **more))


def handed(house: Custody) -> int:
    return len(events(house, Action.RELEASED)) + len(events(house, Action.ACKNOWLEDGED))


def test_a_release_that_cannot_be_is_refused_and_leaves_nothing(
    house: Custody, tmp_path: Path, pool: CellPool
) -> None:
    other = take(house, pool, make_bundle(tmp_path / "x", "B9", {"x": b"x"}, "沪〔2026〕9号"))
    now, house_keeper = house.now(), keeper(house)
    past = (datetime.fromisoformat(now) - timedelta(days=1)).isoformat()
    future = (datetime.fromisoformat(now) + timedelta(days=1)).isoformat()
    for kind, call in (
        (NotFoundError, lambda: give(house, f"{CASE}/E0009")),
        (InputError, lambda: give(house, ONE, other.exhibits[0])),
        (InputError, lambda: give(house, to=Person(""))),
        (InputError, lambda: give(house, to=house_keeper)),
        (InputError, lambda: give(house, at=past)),
        (InputError, lambda: give(house, at=future)),
        (StateError, lambda: give(house, seal="F1")),
        (StateError, lambda: release(house, [ONE], WANG, ZHAO, said(house))),
    ):
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.remedy
    assert handed(house) == 0


def test_what_is_under_way_cannot_leave_again(house: Custody) -> None:
    number = give(house, ONE, TWO)
    with pytest.raises(StateError, match=number):
        give(house, TWO, THREE)
    assert case_custody(house, CASE).ok


def test_changed_bytes_are_not_handed_over(house: Custody) -> None:
    key = events(house, Action.STORED)[0].details["object"]["key"]
    victim = house.workspace.objects / key
    number = give(house, TWO)
    victim.chmod(0o644)
    victim.write_bytes(b"other")
    with pytest.raises(IntegrityError):
        give(house, ONE)
    receive(house, number, WANG, said(house))
    assert len(events(house, Action.RELEASED)) == 1


def test_only_the_addressee_receives_or_somebody_who_says_why(house: Custody) -> None:
    number = give(house)
    for receiver in (ZHAO, Person("王五", "", "区法院"), Person("")):
        with pytest.raises(InputError):
            receive(house, number, receiver, said(house))
    with pytest.raises(InputError):
        receive(house, number, WANG, said(house, at="2026-11-20T09:00:00+08:00"))
    with pytest.raises(NotFoundError):
        receive(house, "J2026-999999", WANG, said(house))
    receive(house, number, ZHAO, said(house), on_behalf="王五出差，书面委托")
    (event,) = events(house, Action.ACKNOWLEDGED)
    assert event.details["on_behalf"] == "王五出差，书面委托"
    assert case_custody(house, CASE).ok


def test_a_hand_over_is_received_once_and_its_sheet_can_be_had_again(house: Custody) -> None:
    number = give(house)
    first = receive(house, number, WANG, said(house))
    sheet = Path(first["sheet"])
    assert sheet.read_bytes().startswith(b"%PDF")
    sheet.unlink()
    assert receive(house, number, WANG, said(house)) == first
    assert sheet.exists()
    with pytest.raises(StateError):
        receive(house, number, ZHAO, said(house), on_behalf="也来签收")
    assert len(events(house, Action.ACKNOWLEDGED)) == 1


def test_the_event_says_everything_that_the_rules_ask_for(house: Custody) -> None:
    """CU-02: who, what, from, to, purpose, place, seal, digest, document."""
    renew_seal(house, ONE, "F1", (A, B))
    number = give(house, seal="F1", condition="完好", document="移送函〔2026〕1号")
    receive(house, number, WANG, said(house, seal="F1"))
    (out,), (back,) = events(house, Action.RELEASED), events(house, Action.ACKNOWLEDGED)
    digest = events(house, Action.STORED)[0].details["fingerprint"]["digests"]["sha256"]
    assert (out.exhibits, out.place, out.purpose) == ((ONE,), "上海", "移送审查")
    assert out.details["from"]["unit"] == "证据保管中心"
    assert out.details["to"] == WANG.as_json()
    assert out.details["seal_before"] == out.details["seal_after"] == {ONE: "F1"}
    assert out.details["digest_before"] == back.details["digest_after"] == {ONE: digest}
    assert out.details["document_ref"] == "移送函〔2026〕1号"
    assert datetime.fromisoformat(out.occurred_at).tzinfo
    assert out.system["clock"].partition(";")[0] in ("ntp", "unsynchronised", "unknown")
    assert number in tell(out)
    assert "F1" in tell(back)


def test_there_and_back_again(house: Custody) -> None:
    number = give(house, ONE, TWO)
    with pytest.raises(StateError):
        give_back(house, number, "", said(house))
    receive(house, number, WANG, said(house))
    back = give_back(house, number, "", said(house))
    assert re.fullmatch(r"J\d{4}-000002", back)
    receive(house, back, keeper(house), said(house))
    custody = case_custody(house, CASE)
    assert custody.ok
    places = [each.place for each in custody.exhibits[ONE].holdings]
    assert places == [
        Place.COLLECTED, Place.IN_HOUSE, Place.IN_TRANSIT, Place.HELD, Place.IN_TRANSIT, Place.HELD,
    ]  # fmt: skip
    now = custody.exhibits[ONE].now
    assert now
    assert now.is_held_by(keeper(house))
    assert events(house, Action.RELEASED)[-1].details["returns"] == number


def test_a_seal_found_broken_at_the_receipt_is_recorded_and_named(house: Custody) -> None:
    renew_seal(house, ONE, "F1", (A, B))
    number = give(house)
    outcome = receive(house, number, WANG, said(house, seal="none", condition="封条破损"))
    assert outcome["seal_differs"] == [ONE]
    custody = case_custody(house, CASE)
    assert [flaw.kind for flaw in custody.flaws] == [FlawKind.SEAL_DIFFERS]
    assert not custody.exhibits[ONE].seal.intact


def test_seals_are_broken_and_renewed_by_two_with_their_numbers(house: Custody) -> None:
    """CU-06: old and new number, two persons."""
    for kind, call in (
        (InputError, lambda: renew_seal(house, ONE, "F1", (A, A))),
        (InputError, lambda: renew_seal(house, ONE, "F1", (A, Person("")))),
        (InputError, lambda: renew_seal(house, ONE, " ", (A, B))),
        (StateError, lambda: break_seal(house, ONE, "F1", (A, B), "鉴定取样")),
    ):
        with pytest.raises(kind):
            call()
    renew_seal(house, ONE, "F1", (A, B))
    for kind, call in (
        (StateError, lambda: renew_seal(house, ONE, "F2", (A, B))),
        (StateError, lambda: break_seal(house, ONE, "F2", (A, B), "鉴定取样")),
        (InputError, lambda: break_seal(house, ONE, "F1", (A, B), " ")),
    ):
        with pytest.raises(kind):
            call()
    break_seal(house, ONE, "F1", (A, B), "鉴定取样")
    with pytest.raises(ConflictError):
        renew_seal(house, ONE, "F1", (A, B))
    renew_seal(house, ONE, "F2", (B, A))
    custody = case_custody(house, CASE)
    assert custody.ok
    assert custody.exhibits[ONE].seal.current == "F2"
    (broken,), sealed = events(house, Action.UNSEALED), events(house, Action.SEALED)
    assert "鉴定取样" in tell(broken)
    assert [each.details["old"] for each in sealed] == ["", "F1"]
    assert [each["name"] for each in broken.details["persons"]] == ["甲", "乙"]


def test_of_two_releases_at_once_each_thing_leaves_once_and_each_has_its_number(
    house: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CU-04: also where one reads long and the other is quicker."""
    real, numbers = handing._digest, []

    def overtaken(custody: Custody, row: Mapping[str, Any]) -> str:
        monkeypatch.setattr(handing, "_digest", real)
        numbers.append(give(house, ONE))
        return real(custody, row)

    monkeypatch.setattr(handing, "_digest", overtaken)
    with pytest.raises(StateError, match="under way"):
        give(house, ONE, TWO, to=ZHAO)
    with ThreadPoolExecutor() as pool:
        numbers += pool.map(lambda each: give(house, each), (TWO, THREE))
    assert len(set(numbers)) == 3
    assert case_custody(house, CASE).ok


def test_many_exhibits_are_one_hand_over(house: Custody, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event names as many as surely have room in a leaf of the log."""
    names = [f"{CASE}/E{number:09d}" for number in range(handing._PART)]
    maps = {key: dict.fromkeys(names, "封" * 40) for key in ("seal_before", "seal_after")}
    maps["digest_before"] = dict.fromkeys(names, "0" * 64)
    where = said(house)
    (full,) = handing._events(house, Action.RELEASED, "J1", CASE, WANG, where, {}, maps)
    assert len(encode(full)) < MAX_LEAF - 10_000, "room for people, place and purpose"
    monkeypatch.setattr(handing, "_PART", 2)
    number = give(house, ONE, TWO, THREE)
    sheet = pypdf.PdfReader(receive(house, number, WANG, said(house))["sheet"]).pages[0]
    assert [each.exhibits for each in events(house, Action.RELEASED)] == [(ONE, TWO), (THREE,)]
    size = int(house.log.checkpoint_text().splitlines()[1])
    assert f"{size - 4}、{size - 3}" in sheet.extract_text(), "every entry of the release"
    with house.read() as session:
        row = handovers.find_handover(session, number)
    assert row["exhibits"] == [ONE, TWO, THREE]
    assert case_custody(house, CASE).ok


def test_what_nobody_received_is_listed_after_the_days_and_on_record_once(
    house: Custody, tmp_path: Path
) -> None:
    """CU-03: a release without a receipt is listed as open; a package until the agency has it."""
    appraise(house, tmp_path)
    custody = case_custody(house, CASE)
    assert custody.ok, custody.flaws
    assert {each.place for e in custody.exhibits.values() for each in e.holdings[-1:]} == {
        Place.IN_HOUSE
    }
    assert [bool(copy.acknowledged_at) for copy in custody.copies] == [True, True]
    with pytest.raises(StateError, match="工作副本"):
        receive(house, custody.copies[0].commission_no, WANG, said(house))
    assert open_handovers(house, 0) == []
    number = give(house, THREE)
    assert open_handovers(house, 3) == []
    assert [row["handover_no"] for row in open_handovers(house, 0)] == [number]
    later = replace(house, clock=lambda: datetime.fromisoformat(house.now()) + timedelta(days=4))
    (row,) = open_handovers(later, 3)
    assert (row["days"], row["to"]["name"], row["kind"]) == (4, "王五", "original")
    assert chase_handovers(later) == chase_handovers(later) == [row]
    assert sweeping.chase(later, "")[-1] == row
    named = [e for e in events(house, Action.OVERDUE) if "handover_no" in e.details]
    assert [each.details["handover_no"] for each in named] == [number]
    assert number in tell(named[0])


@pytest.mark.parametrize("action", [Action.RELEASED, Action.ACKNOWLEDGED, Action.SEALED])
def test_an_event_that_is_gone_from_the_journal_is_reported(
    house: Custody, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew_seal(house, ONE, "F1", (A, B))
    receive(house, give(house), WANG, said(house))
    real = handovers.custody_indexes
    gone = {
        index
        for index, leaf in house.log.reader().entries()
        if decode(leaf).action is action and decode(leaf).exhibits == (ONE,)
    }
    monkeypatch.setattr(
        handovers, "custody_indexes", lambda *a: [i for i in real(*a) if i not in gone]
    )
    found = [flaw.kind for flaw in case_custody(house, CASE).flaws]
    assert FlawKind.EVENT_MISSING in found
