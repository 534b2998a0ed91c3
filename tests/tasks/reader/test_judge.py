"""Which PDF pages are believed."""

from __future__ import annotations

import pytest

from tasks.reader.judge import PageFacts, garbage_share, judge

PROSE = "甲方应当按照本合同约定的时间交付货物。" * 20


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (PageFacts(PROSE, 0.0, 0.0, 0.0, 9), "good"),
        (PageFacts(PROSE, 0.9, 0.0, 0.0, 9), "good"),
        (PageFacts(PROSE, 0.9, 0.0, 0.9, 9), "hidden_layer"),
        (PageFacts("stamp", 0.9, 0.0, 0.0, 2), "scan"),
        (PageFacts("", 0.3, 0.0, 0.0, 1), "scan"),
        (PageFacts("", 0.0, 0.0, 0.0, 5), "drawing"),
        (PageFacts(" \n", 0.0, 0.0, 0.0, 0), "blank"),
        (PageFacts("\ue001\ue002" + PROSE[:20], 0.0, 0.0, 0.0, 3), "garbage"),
        (PageFacts("\x01\x02\x03", 0.0, 0.0, 0.0, 3), "garbage"),
        (PageFacts(PROSE, 0.0, 0.2, 0.0, 3), "garbage"),
    ],
)
def test_verdicts(facts: PageFacts, verdict: str) -> None:
    assert judge(facts) == verdict


def test_garbage_share() -> None:
    assert garbage_share("") == 0.0
    assert garbage_share("ab\ufffd\ue000") == 0.5
