"""Refusals on record: the first of a kind at once, the rest in sums, and never a flood."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.web.refusals import KINDS_AN_HOUR, MORE, WINDOW_SECONDS, Refusals
from storage.catalogue.refusals import Kind
from storage.custody import Custody
from storage.event import Action
from tests.house import events


class Told:
    """Refusals of a house whose clock a test turns, told when the test says so."""

    def __init__(self, house: Custody) -> None:
        self.house, self.ahead = house, timedelta()
        clock: Callable[[], object] = lambda: house.clock() + self.ahead  # noqa: E731
        self.refusals = Refusals(dataclasses.replace(house, clock=clock))

    def tell(self, *names: str, times: int = 1) -> None:
        kinds = {
            Kind(name, "password", name, "192.0.2.7", "POST /sign-in"): times for name in names
        }
        self.refusals.tell(Counter(kinds))

    def after(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)

    @property
    def counts(self) -> list[int]:
        return [each.details["count"] for each in events(self.house, Action.SIGN_IN)]


@pytest.fixture
def told(house: Custody) -> Told:
    return Told(house)


def test_the_first_is_told_at_once_and_the_rest_as_a_sum(told: Told) -> None:
    told.tell("a")
    assert told.counts == [1]
    for _ in range(50):
        told.tell("a", times=4)
    assert told.counts == [1]
    told.after(WINDOW_SECONDS + 1)
    told.tell()
    assert told.counts == [1, 200]
    told.after(WINDOW_SECONDS + 1)
    told.tell()
    assert told.counts == [1, 200]


def test_a_window_that_was_told_begins_again(told: Told) -> None:
    """Who goes on is told every ten minutes, and not at every attempt."""
    for _ in range(6):
        for _ in range(10):
            told.tell("a")
        told.after(WINDOW_SECONDS + 1)
    told.tell()
    assert len(told.counts) == 7
    assert sum(told.counts) == 60


def test_after_an_hour_of_quiet_the_first_is_told_at_once_again(told: Told) -> None:
    told.tell("a")
    told.after(3601)
    told.tell()
    told.tell("a")
    assert told.counts == [1, 1]


def test_a_thousand_kinds_are_no_thousand_events(told: Told) -> None:
    told.tell(*(f"k{number}" for number in range(1000)))
    assert len(told.counts) == KINDS_AN_HOUR + 1
    assert sum(told.counts) == 1000
    found = events(told.house, Action.SIGN_IN)
    assert [each.details["reason"] for each in found].count(MORE.reason) == 1


def test_a_flood_in_memory_is_counted_and_not_kept(told: Told) -> None:
    for number in range(3000):
        told.refusals.note("password", f"192.0.2.{number}", asked="x" * 10_000 + "\u202e\n")
    told.refusals.settle()
    told.refusals.stop()
    found = events(told.house, Action.SIGN_IN)
    assert len(found) <= 2 * KINDS_AN_HOUR
    assert all(len(each.details["asked"]) <= 200 for each in found)
    assert not any("\u202e" in each.details["asked"] for each in found)


def test_two_processes_count_in_the_same_rows(told: Told) -> None:
    other = Told(told.house)
    told.tell("a")
    other.tell("a", times=5)
    assert told.counts == [1]
    other.after(WINDOW_SECONDS + 1)
    other.tell()
    assert told.counts == [1, 5]


def test_what_could_not_be_recorded_is_told_later(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(type(told.house.log), "record", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            told.tell("a")
    told.tell()
    assert told.counts == [1]


def test_killed_after_the_record_no_refusal_is_left_out(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("portal.web.refusals.refusals.note_told", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            told.tell("a")
    told.tell("a", times=4)
    told.after(WINDOW_SECONDS + 1)
    told.tell()
    assert sum(told.counts) == 5
