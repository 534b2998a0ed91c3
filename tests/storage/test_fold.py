"""Custody folded from events: every hole has its name, and a legal life has none."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.event import Action, CustodyEvent
from storage.flaws import FLAW_NAMES, FlawKind
from storage.fold import CaseCustody, fold
from storage.holding import PLACE_NAMES, Place
from storage.nouns import Person
from tests.storage.histories import (
    CASE,
    HOUSE,
    PEOPLE,
    START,
    Life,
    counts,
    exhibit,
    lives,
    sequenced,
)

WANG, ZHAO, QIAN, _ = PEOPLE
ONE = exhibit(1)


def kinds(custody: CaseCustody) -> list[FlawKind]:
    return [flaw.kind for flaw in custody.flaws]


def flaws_of(life: Life) -> list[FlawKind]:
    return kinds(fold(CASE, life.placed()))


def test_a_receipt_without_a_release_is_named_and_so_is_the_overlap() -> None:
    """CU-04: gaps and overlaps are reported."""
    life = Life().intake()
    life.receive("J2026-000009", [1], WANG)
    assert flaws_of(life) == [FlawKind.RECEIPT_WITHOUT_RELEASE, FlawKind.OVERLAP]


def test_only_the_holder_may_release() -> None:
    life = Life().intake()
    life.release([1], ZHAO, by=WANG)
    custody = fold(CASE, life.placed())
    assert kinds(custody) == [FlawKind.RELEASE_BY_OTHER]
    now = custody.exhibits[ONE].now
    assert now
    assert (now.place, now.unit) == (Place.IN_HOUSE, HOUSE.unit)


def test_what_is_under_way_cannot_be_released_again() -> None:
    life = Life().intake()
    life.release([1], WANG)
    life.release([1], ZHAO)
    assert flaws_of(life) == [FlawKind.RELEASED_TWICE]


def test_one_hand_over_is_received_once() -> None:
    life = Life().intake()
    number = life.release([1], WANG)
    life.receive(number, [1], WANG).receive(number, [1], WANG)
    assert flaws_of(life) == [FlawKind.RECEIVED_TWICE, FlawKind.OVERLAP]


def test_another_than_the_addressee_must_say_on_whose_behalf() -> None:
    life = Life().intake()
    number = life.release([1], WANG)
    life.receive(number, [1], ZHAO)
    assert flaws_of(life) == [FlawKind.RECEIPT_BY_OTHER]
    life = Life().intake()
    number = life.release([1], WANG)
    life.receive(number, [1], ZHAO, on_behalf="王五出差，书面委托")
    assert flaws_of(life) == []


@pytest.mark.parametrize("text", ["2026-11-20T08:59:59+08:00", "2026-11-20T00:00:00+00:00"])
def test_a_time_before_the_event_before_is_named_and_the_line_stays_whole(text: str) -> None:
    life = Life().intake()
    number = life.release([1], WANG)
    life.receive(number, [1], WANG, at=text)
    custody = fold(CASE, life.placed())
    assert kinds(custody) == [FlawKind.BACKWARDS]
    require_whole(custody)


def test_a_time_that_cannot_be_read_is_named() -> None:
    life = Life().intake()
    number = life.release([1], WANG)
    life.receive(number, [1], WANG)
    life.events[-1] = changed(life.events[-1], occurred_at="昨天")
    assert flaws_of(life) == [FlawKind.TIME_UNREADABLE]


def test_collected_after_it_was_received_is_named() -> None:
    later = (START + timedelta(days=1)).isoformat()
    assert FlawKind.BACKWARDS in flaws_of(Life().intake(obtained_at=later))


def test_the_clock_set_back_is_flagged_and_not_hidden() -> None:
    """CU-09: a time before its predecessor is flagged."""
    life = Life().intake()
    times = [event.recorded_at for event in life.events]
    times[-1] = "2026-11-20T00:00:00+00:00"
    assert FlawKind.CLOCK_BACK in kinds(fold(CASE, sequenced(life.events, times)))


def test_after_disposal_nothing_happens() -> None:
    life = Life().intake().dispose(1).hand_over([1], WANG)
    custody = fold(CASE, life.placed())
    assert kinds(custody) == [FlawKind.AFTER_END, FlawKind.AFTER_END]
    assert custody.exhibits[ONE].now is None


def test_a_case_is_disposed_of_but_for_what_is_left() -> None:
    life = Life(2).intake()
    both = [exhibit(1), exhibit(2)]
    life.add(Action.DISPOSED, HOUSE, both, state="decided", left=[])
    assert all(each.now for each in fold(CASE, life.placed()).exhibits.values())
    life.add(Action.DISPOSED, HOUSE, both, state="done", left=[{"object": "cases/2"}])
    custody = fold(CASE, life.placed())
    assert [bool(each.ended_at) for each in custody.exhibits.values()] == [True, False]
    life.add(Action.DISPOSED, HOUSE, both, state="done", left=[])
    custody = fold(CASE, life.placed())
    assert all(each.ended_at for each in custody.exhibits.values())
    assert custody.ok


@pytest.mark.parametrize(
    ("left_out", "kind"),
    [
        (Action.RECEIVED, FlawKind.NO_INTAKE),
        (Action.ACCESSIONED, FlawKind.NO_COLLECTOR),
        (Action.STORED, FlawKind.NO_HOLDER),
    ],
)
def test_without_its_beginning_an_exhibit_has_no_holder(left_out: Action, kind: FlawKind) -> None:
    life = Life().intake().hand_over([1], WANG)
    events = [event for event in life.events if event.action is not left_out]
    assert kind in kinds(fold(CASE, sequenced(events)))


def test_a_promised_exhibit_that_was_never_stored_has_no_holder() -> None:
    life = Life(2).intake()
    assert kinds(fold(CASE, sequenced(life.events[:-1]))) == [FlawKind.NO_HOLDER]


def seals(life: Life, action: Action, **details: Any) -> list[FlawKind]:
    life.add(action, HOUSE, [ONE], **details)
    return flaws_of(life)


def test_a_seal_needs_two_different_persons() -> None:
    life = Life().intake().put_seal(1, "F1")
    twice = [Person("甲").as_json()] * 2
    for persons in (twice, twice[:1], []):
        again = Life(events=[*life.events], minute=life.minute)
        found = seals(again, Action.UNSEALED, number="F1", persons=persons)
        assert found == [FlawKind.SEAL_ONE_PERSON]


def test_only_the_seal_that_is_on_it_can_be_broken() -> None:
    life = Life().intake().put_seal(1, "F1")
    life.seals[ONE] = ("F2", True)
    life.break_seal(1)
    assert flaws_of(life) == [FlawKind.SEAL_DIFFERS]
    life = Life().intake().put_seal(1, "F1").break_seal(1).break_seal(1)
    assert flaws_of(life) == [FlawKind.SEAL_DIFFERS]


def test_a_new_seal_needs_the_old_one_broken_and_a_new_number() -> None:
    life = Life().intake().put_seal(1, "F1").put_seal(1, "F2")
    assert flaws_of(life) == [FlawKind.SEAL_NOT_BROKEN]
    life = Life().intake().put_seal(1, "F1").break_seal(1).put_seal(1, "F1")
    assert flaws_of(life) == [FlawKind.SEAL_DIFFERS]


def test_a_seal_that_differs_at_the_receipt_is_named_and_counts_from_then_on() -> None:
    life = Life().intake().put_seal(1, "F1")
    number = life.release([1], WANG)
    life.receive(number, [1], WANG, seal_after={ONE: "F9"})
    custody = fold(CASE, life.placed())
    assert kinds(custody) == [FlawKind.SEAL_DIFFERS]
    assert custody.exhibits[ONE].seal.current == "F9"


def test_another_digest_at_a_hand_over_is_named() -> None:
    life = Life().intake()
    life.release([1], WANG, digest_before={ONE: "ff" * 32})
    assert flaws_of(life) == [FlawKind.DIGEST_DIFFERS]


def test_a_seal_of_the_manifest_is_the_first_seal() -> None:
    """IN-09."""
    custody = fold(CASE, Life().intake(extra={"seal_no": "0042"}).placed())
    assert custody.exhibits[ONE].seal.current == "0042"
    assert custody.ok


def test_packages_are_copies_and_move_no_original() -> None:
    life = Life().intake()
    package = {"commission_no": "委1", "agency_id": "agency", "package_digest": "ab" * 32}
    life.add(Action.RELEASED, HOUSE, [ONE], **package)
    life.add(Action.ACKNOWLEDGED, WANG, [ONE], **package)
    custody = fold(CASE, life.placed())
    assert custody.ok
    assert custody.exhibits[ONE].now == custody.exhibits[ONE].holdings[1]
    (copy,) = custody.copies
    assert (copy.exhibits, bool(copy.sent_at), bool(copy.acknowledged_at)) == ((ONE,), True, True)
    life.add(Action.COMMISSION, HOUSE, [], commission_no="委1", state="declined")
    assert fold(CASE, life.placed()).copies[0].ended == "declined"


def test_whoever_released_answers_until_the_receipt() -> None:
    life = Life().intake()
    number = life.release([1], WANG)
    released = datetime.fromisoformat(life.events[-1].occurred_at)
    life.receive(number, [1], WANG)
    custody = fold(CASE, life.placed()).exhibits[ONE]
    transit, held = custody.at(released), custody.at(released + timedelta(minutes=1))
    assert transit
    assert held
    assert (transit.place, transit.unit, transit.addressee) == (
        Place.IN_TRANSIT, HOUSE.unit, "王五（市公安局）",
    )  # fmt: skip
    assert (held.place, held.people) == (Place.HELD, ("王五",))
    assert custody.at(START - timedelta(seconds=1)) is None
    collected = custody.at(START)
    assert collected
    assert (collected.unit, collected.people) == ("pudong-01", ("张三", "李四"))


def changed(event: CustodyEvent, **fields: Any) -> CustodyEvent:
    from dataclasses import replace

    return replace(event, **fields)


def require_whole(custody: CaseCustody) -> None:
    """The holdings partition each time line: no gap, no overlap."""
    for each in custody.exhibits.values():
        for before, after in pairwise(each.holdings):
            assert before.until == after.since
            assert datetime.fromisoformat(before.since) <= datetime.fromisoformat(before.until)
        assert each.holdings[-1].until == each.ended_at


@given(lives(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_legal_life_has_one_holder_at_every_instant(life: Life, data: st.DataObject) -> None:
    """CU-04: the holder is defined at every instant."""
    placed = life.placed()
    custody = fold(CASE, placed, counts(placed))
    assert custody.ok, custody.flaws
    require_whole(custody)
    for each in custody.exhibits.values():
        minutes = data.draw(st.integers(0, life.minute + 5))
        moment = START + timedelta(minutes=minutes)
        covering = [
            h
            for h in each.holdings
            if datetime.fromisoformat(h.since) <= moment
            and (not h.until or moment < datetime.fromisoformat(h.until))
        ]
        ended = each.ended_at and datetime.fromisoformat(each.ended_at) <= moment
        assert covering == ([] if ended else [each.at(moment)])


@given(lives(), st.data())
@settings(max_examples=150, deadline=None)
def test_any_one_event_removed_is_reported(life: Life, data: st.DataObject) -> None:
    placed = life.placed()
    victim = data.draw(st.integers(0, len(placed) - 1))
    custody = fold(CASE, placed[:victim] + placed[victim + 1 :], counts(placed))
    assert FlawKind.EVENT_MISSING in kinds(custody)


@given(lives(), st.data())
@settings(max_examples=150, deadline=None)
def test_any_one_event_moved_is_reported(life: Life, data: st.DataObject) -> None:
    placed = life.placed()
    source = data.draw(st.integers(0, len(placed) - 1))
    target = data.draw(st.integers(0, len(placed) - 1).filter(lambda each: each != source))
    moved = [*placed[:source], *placed[source + 1 :]]
    moved.insert(target, placed[source])
    as_read = fold(CASE, moved)
    renumbered = fold(CASE, [(index, event) for index, (_, event) in enumerate(moved)])
    assert FlawKind.EVENT_MOVED in kinds(as_read)
    assert FlawKind.EVENT_MOVED in kinds(renumbered)


@given(lives(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_removed_hand_over_is_noticed_even_in_a_log_made_anew(
    life: Life, data: st.DataObject
) -> None:
    """Whoever writes the whole log again can mend the chains, but not what they tell."""
    life.hand_over([1], QIAN if life.holders[ONE] != QIAN else WANG)
    if any(event.action is Action.DISPOSED for event in life.events):
        return
    acts = (Action.RELEASED, Action.ACKNOWLEDGED)
    able = [n for n, event in enumerate(life.events) if event.action in acts]
    victim = data.draw(st.sampled_from(able))
    rest = life.events[:victim] + life.events[victim + 1 :]
    custody = fold(CASE, sequenced(rest))
    still_open = any(each.open for each in custody.exhibits.values())
    assert kinds(custody) or still_open


def test_a_removed_last_event_needs_the_count() -> None:
    placed = Life().intake().hand_over([1], WANG).placed()
    assert kinds(fold(CASE, placed[:-1])) == []
    assert FlawKind.EVENT_MISSING in kinds(fold(CASE, placed[:-1], counts(placed)))


def test_everything_has_its_words() -> None:
    assert set(FLAW_NAMES) == set(FlawKind)
    assert set(PLACE_NAMES) == set(Place)
    life = Life().intake()
    life.receive("J2026-000009", [1], WANG)
    custody = fold(CASE, life.placed())
    assert "有签收而无移交" in custody.flaws[0].text
    assert custody.as_json()["findings"][0]["kind"] == "receipt_without_release"
