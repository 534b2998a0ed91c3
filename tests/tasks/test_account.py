"""The account: every byte explained, the sum of the children equals the parent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.account import (
    FAILED,
    STATE_NAMES,
    Account,
    Holding,
    Line,
    Listed,
    State,
    account,
    holdings,
    judged,
    together,
)

SIZES = st.integers(0, 10**6)
DIGESTS = st.integers(0, 30).map(lambda number: f"{number:064x}")
FILES = st.lists(st.builds(Listed, st.just("f"), SIZES, DIGESTS), max_size=12)
FINAL = st.sampled_from(sorted(set(State) - {State.IN_WORK}))
EXHIBITS = st.lists(st.tuples(FINAL, st.just(""), SIZES), max_size=12)
LINES = st.lists(st.builds(Line, FINAL, st.just(""), st.integers(1, 9), SIZES), max_size=12)
WHOLE = st.lists(
    st.tuples(st.integers(0, 9), SIZES).map(lambda held: Holding("c", *held, *held)), max_size=8
)


def of(
    files: list[Listed],
    exhibits: list[tuple[str, str, int]],
    whole: list[Holding],
    lines: list[Line],
) -> Account:
    """Return the account of an accession of which everything is on record."""
    return account(
        listed=files,
        kept=frozenset(each.sha256 for each in files),
        exhibits=exhibits,
        holdings=whole,
        parts=lines,
        promised=len(exhibits),
    )


@given(FILES, EXHIBITS, WHOLE, LINES)
def test_what_is_all_on_record_is_explained_to_the_byte(
    files: list[Listed],
    exhibits: list[tuple[str, str, int]],
    whole: list[Holding],
    lines: list[Line],
) -> None:
    made = of(files, exhibits, whole, lines)
    assert made.done
    assert made.received == made.stored == (len(files), sum(each.size for each in files))
    assert sum(line.items for line in made.exhibits) == len(exhibits)
    assert sum(line.bytes for line in made.exhibits) == sum(size for _, _, size in exhibits)
    assert sum(line.items for line in made.parts) == sum(line.items for line in lines)
    assert sum(line.bytes for line in made.parts) == sum(line.bytes for line in lines)
    in_failed = sum(1 for state, _, _ in exhibits if state in FAILED)
    assert made.failed == in_failed + sum(line.items for line in lines if line.state in FAILED)


def _faults(
    files: list[Listed], exhibits: list[tuple[str, str, int]], whole: list[Holding]
) -> Iterator[tuple[str, Account]]:
    """Yield accounts that each lack one thing which was there."""
    kept = frozenset(each.sha256 for each in files)
    right = {
        "listed": files,
        "kept": kept,
        "exhibits": exhibits,
        "holdings": whole,
        "parts": [],
        "promised": len(exhibits),
    }
    for file in files:
        yield "file", account(**{**right, "kept": kept - {file.sha256}})  # type: ignore[arg-type]
    if exhibits:
        yield "exhibit", account(**{**right, "exhibits": exhibits[1:]})  # type: ignore[arg-type]
    for at, each in enumerate(whole):
        for lost in (
            replace(each, recorded=each.recorded - 1),
            replace(each, recorded_bytes=each.recorded_bytes + 1),
        ):
            holding = [*whole[:at], lost, *whole[at + 1 :]]
            yield "member", account(**{**right, "holdings": holding})  # type: ignore[arg-type]
    stray = [Line("what", "", 1, 1)]
    yield "state", account(**{**right, "parts": stray})  # type: ignore[arg-type]


@given(FILES, EXHIBITS, WHOLE)
def test_whatever_is_lost_a_case_is_not_done(
    files: list[Listed], exhibits: list[tuple[str, str, int]], whole: list[Holding]
) -> None:
    for what, made in _faults(files, exhibits, whole):
        assert not made.done, what
        assert made.unexplained


@given(EXHIBITS, SIZES)
def test_what_waits_keeps_a_case_from_being_done(
    exhibits: list[tuple[str, str, int]], size: int
) -> None:
    made = of([], [*exhibits, (State.IN_WORK, "", size)], [], [])
    assert (made.done, made.in_work, made.unexplained) == (False, 1, [])


@given(st.lists(st.tuples(FILES, EXHIBITS, WHOLE, LINES), max_size=4))
def test_the_account_of_a_case_is_the_sum_of_its_accessions(
    several: list[tuple[list[Listed], list[tuple[str, str, int]], list[Holding], list[Line]]],
) -> None:
    accounts = [of(*each) for each in several]
    total = together(accounts)
    assert total.received[1] == sum(each.received[1] for each in accounts)
    for name in ("exhibits", "parts"):
        lines: list[Line] = getattr(total, name)
        mine = [line for each in accounts for line in getattr(each, name)]
        assert sum(line.items for line in lines) == sum(line.items for line in mine)
        assert sum(line.bytes for line in lines) == sum(line.bytes for line in mine)
        assert len({(line.state, line.code) for line in lines}) == len(lines)
    assert (total.containers, total.failed) == (
        sum(each.containers for each in accounts),
        sum(each.failed for each in accounts),
    )


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(0, 5), SIZES)))
def test_containers_are_put_beside_their_own_members(held: dict[str, tuple[int, int]]) -> None:
    claims = [(item, *have) for item, have in held.items()]
    recorded = {item: have for item, have in held.items() if have[0]}
    assert all(each.whole for each in holdings(claims, recorded) if each.members or not each.bytes)
    assume(recorded)
    stray = list(holdings([], recorded))
    assert [each.item for each in stray] == sorted(recorded)
    assert not any(each.whole for each in stray)


@pytest.mark.parametrize(
    ("said", "ocr", "flags", "wanted"),
    [
        ("read", 0, (), (State.READ, "")),
        ("read", 2, (), (State.OCR, "")),
        ("partly_read", 2, (), (State.PARTLY_READ, "")),
        ("empty", 0, (), (State.EMPTY, "")),
        ("encrypted", 0, (), (State.ENCRYPTED, "")),
        ("damaged", 0, (), (State.NOT_READABLE, "damaged")),
        ("unknown_type", 0, (), (State.NOT_READABLE, "unknown_type")),
        ("unreadable", 0, ("cell_timeout",), (State.NOT_READABLE, "timeout")),
        ("unreadable", 0, (), (State.NOT_READABLE, "unreadable")),
    ],
)
def test_a_transcript_has_a_state_and_a_reason(
    said: str, ocr: int, flags: tuple[str, ...], wanted: tuple[State, str]
) -> None:
    assert judged(said, ocr, flags) == wanted


def test_every_state_has_a_name() -> None:
    assert set(STATE_NAMES) == set(State)


def test_limits_are_one_line_whatever_the_values() -> None:
    made = of([], [(State.LIMIT, "size:9:5", 9), (State.LIMIT, "size:8:5", 8)], [], [])
    assert made.exhibits == [Line("limit", "size", 2, 17)]
