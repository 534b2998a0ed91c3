"""Passages: they cover both texts, agree where they say so, and end in time on any text."""

import itertools
import time

from hypothesis import example, given
from hypothesis import strategies as st

from tasks.likeness.passages import MOVED, moved, runs

TEXTS = st.text("甲乙丙abc", max_size=60)
PIECES = st.lists(st.text("甲乙丙丁戊己庚辛", min_size=5, max_size=30), max_size=8)


def check(one: str, other: str) -> None:
    found = runs(one, other)
    at = its = 0
    for run in found:
        assert (run.start, run.other_start) == (at, its)
        at, its = run.end, run.other_end
        if run.same:
            assert one[run.start : run.end] == other[run.other_start : run.other_end] != ""
        else:
            assert run.end > run.start or run.other_end > run.other_start
    assert (at, its) == (len(one), len(other))
    for run, following in itertools.pairwise(found):
        assert run.same is not following.same


@given(TEXTS, TEXTS)
@example("", "")
@example("a" * 60, "a" * 59)
def test_runs_cover_both_texts_in_order(one: str, other: str) -> None:
    check(one, other)


@given(PIECES, PIECES)
def test_texts_of_common_pieces(one: list[str], other: list[str]) -> None:
    check("".join(one + other), "".join(other + one))


@given(TEXTS)
def test_equal_texts_agree_everywhere(text: str) -> None:
    assert [(run.same, run.start, run.end) for run in runs(text, text)] == (
        [(True, 0, len(text))] if text else []
    )


def test_one_changed_word_is_found_between_long_passages() -> None:
    head, tail = "真空钎焊升温曲线由三段组成，" * 3, "夹具热膨胀补偿槽的位置和尺寸见附图。"
    one, other = f"{head}第一段八百度{tail}", f"{head}第一段九百五十度{tail}"
    different = [
        (one[run.start : run.end], other[run.other_start : run.other_end])
        for run in runs(one, other)
        if not run.same
    ]
    assert different == [("八", "九"), ("", "五十")] or different == [("八百", "九百五十")]


def test_a_passage_that_was_moved_is_found_elsewhere() -> None:
    clause = "".join(chr(0x4E00 + number) for number in range(40))
    one = clause + "甲" * 30
    other = "乙" * 50 + clause
    stretches = [(0, len(one))]
    assert moved(one, stretches, other) == [(0, 40)]
    assert moved("短文", [(0, 2)], other) == []
    assert len(clause) > MOVED


def test_texts_that_repeat_themselves_end_in_time() -> None:
    started = time.monotonic()
    check("ab" * 20_000, "ba" * 20_001 + "c")
    check(("ab" * 100 + "c") * 100, ("ba" * 99 + "d") * 120)
    assert time.monotonic() - started < 60
