"""Pace and stages: what a stage may take is learnt, and what is left is never negative."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.pace import Pace
from tasks.stages import STAGES, Doing

documents = st.integers(1, 100_000)
sizes = st.integers(1, 10**11)
seconds = st.floats(0.001, 1e5)
runs = st.lists(st.tuples(documents, sizes, seconds), min_size=1, max_size=12)


def learnt(known: list[tuple[int, int, float]]) -> Pace:
    pace = Pace()
    for each in known:
        pace = pace.after(*each)
    return pace


def test_nothing_is_promised_before_anything_was_seen() -> None:
    assert Pace().seconds(10, 10) is None
    doing = Doing("A2026-000001", "u", "b").entered("taking", 10, 100, 5.0)
    assert doing.left(6.0) is None


@given(runs, documents, sizes)
def test_an_expectation_is_never_negative_and_grows_with_the_work(
    known: list[tuple[int, int, float]], count: int, size: int
) -> None:
    pace = learnt(known)
    one, more = pace.seconds(count, size), pace.seconds(2 * count, 2 * size)
    assert one is not None
    assert more is not None
    assert 0 <= one <= more


@given(
    st.floats(0.0, 2.0),
    st.floats(0.0, 1e-6),
    st.lists(st.tuples(documents, sizes), min_size=3, max_size=8, unique=True),
)
def test_costs_that_are_there_are_found(a: float, b: float, known: list[tuple[int, int]]) -> None:
    pace = learnt([(n, size, a * n + b * size) for n, size in known])
    for n, size in known:
        found = pace.seconds(n, size)
        assert found is not None
        # Runs of one proportion cannot be told apart; then the larger ones decide.
        biggest = max(a * each + b * other for each, other in known)
        assert found == pytest.approx(a * n + b * size, abs=0.35 * biggest + 1e-6)


def test_two_costs_are_told_apart() -> None:
    pace = learnt([(100, 10**6, 1.01), (1, 10**9, 10.01), (1000, 10**6, 10.01)])
    assert pace.seconds(500, 10**8) == pytest.approx(6.0, rel=0.01)


def test_newer_runs_count_more() -> None:
    pace = learnt([(10, 10, 100.0)] * 3 + [(10, 10, 10.0)] * 20)
    found = pace.seconds(10, 10)
    assert found is not None
    assert 10.0 <= found < 25.0


@given(
    st.sampled_from(list(STAGES)),
    st.integers(0, 200),
    st.integers(0, 100),
    st.integers(0, 10**9),
    st.floats(0, 1e4),
    st.floats(0, 1e4),
)
def test_the_share_lies_between_none_and_all(
    stage: str, done: int, total: int, size: int, spent: float, known: float
) -> None:
    doing = Doing("A", "u", "b", expected=dict.fromkeys(STAGES, known)).entered(
        stage, total, size, 0.0
    )
    doing = Doing(**{**vars(doing), "done": done, "size_done": size // 2, "page": 3, "pages": 7})
    assert 0.0 <= doing.share <= 1.0
    left = doing.left(spent)
    assert left is not None
    assert left >= 0


def test_halfway_by_what_was_seen_and_what_was_known() -> None:
    doing = Doing("A", "u", "b", expected=dict.fromkeys(STAGES, 10.0))
    doing = doing.entered("reading", 10, 0, 100.0)
    assert doing.left(100.0) == 10.0
    half = Doing(**{**vars(doing), "done": 5})
    assert half.left(108.0) == pytest.approx(0.5 * 8.0 + 0.5 * 2.0)


def test_a_page_counts_as_its_part_of_a_document() -> None:
    doing = Doing("A", "u", "b").entered("reading", 1, 0, 0.0)
    assert Doing(**{**vars(doing), "page": 30, "pages": 120}).share == 0.25
