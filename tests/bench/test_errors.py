"""The benchmark's own measure: edits are counted right, and the same scan is made twice alike."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.errors import comparable, distance, errors
from tests.bench.scans import scan

TEXT = st.text(alphabet="甲乙ab ", max_size=12)


def slowly(one: str, other: str) -> int:
    """Return the distance by the table of the definition."""
    before = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        row = [at]
        for to, wanted in enumerate(other, 1):
            row.append(min(before[to] + 1, row[-1] + 1, before[to - 1] + (letter != wanted)))
        before = row
    return before[-1]


@settings(max_examples=60)
@given(TEXT, TEXT)
def test_the_quick_distance_is_the_one_of_the_definition(one: str, other: str) -> None:
    assert distance(one, other) == slowly(one, other)


def test_what_is_compared() -> None:
    assert comparable("单价 （元）\n12,5 个") == "单价(元)12,5个"
    assert comparable("the  end\nof it") == "the end of it"
    assert errors("甲乙", ("甲乙丙", "甲乙")) == (0, 2)
    assert errors("乙甲", ("甲乙",)) == (2, 2)


def test_the_same_scan_is_made_twice_alike() -> None:
    one, other = (scan("seal", "300dpi", 3) for _ in range(2))
    assert one.texts == other.texts
    assert one.image.tobytes() == other.image.tobytes()
    assert scan("seal", "300dpi", 4).texts != one.texts
