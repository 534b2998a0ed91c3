"""What counts as orchestration: the wall time that lies in no task's body, each moment once."""

import pytest

from tests.bench.orchestration import Run, tell

NAMES = ("take_batch", "settle", "read_batch")


def run(*bodies: tuple[float, float]) -> Run:
    return Run(0.0, 20.0, [(name, *body) for name, body in zip(NAMES, bodies, strict=True)])


def test_what_lies_between_the_tasks_is_orchestration() -> None:
    found = run((1, 4), (5, 9), (10, 18))
    assert found.receipt == 9
    assert found.share(found.receipt) == pytest.approx(2 / 9)
    assert found.share(found.ended) == pytest.approx(5 / 20)


def test_bodies_at_once_count_once_and_not_past_the_end() -> None:
    found = run((0, 6), (2, 8), (7, 18))
    assert found.share(found.receipt) == pytest.approx(0)
    assert found.share(found.ended) == pytest.approx(2 / 20)


def test_a_large_bundle_has_a_goal_and_small_ones_are_told() -> None:
    pair = [(run((1, 4), (5, 10), (10, 18)), run((0, 3), (3, 8), (8, 16)))]
    large, small = tell(3000, pair), tell(1, pair)
    assert large[0].name == "ingest.orchestration.share"
    assert large[0].value == pytest.approx(0.2)
    assert large[0].met is False
    assert large[2].value == pytest.approx(0.2)
    assert all(each.goal is None for each in small)
