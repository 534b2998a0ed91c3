"""That reading takes little room, and what is read does not depend on it (goal: 1.2 GB in all)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reader.engine import models, shading
from tasks.reader.engine.recognise import WIDTHS
from tests.tasks.reader import samples

if TYPE_CHECKING:
    from tasks.reader.engine.geometry import Pixels

# The library keeps a plan of 6 MB for each width that a line may have.
MOST_WIDTHS = 32


def test_lines_have_few_widths() -> None:
    assert len(WIDTHS) <= MOST_WIDTHS
    assert list(WIDTHS) == sorted(set(WIDTHS))


@given(width=st.integers(96, 4096))
def test_a_line_is_padded_by_a_sixth_at_most(width: int) -> None:
    padded = next(one for one in WIDTHS if one >= width)
    assert padded <= width * 1.15 + 16


@pytest.mark.parametrize("channels", [1, 3])
def test_light_is_evened_in_strips_as_on_the_whole_page(channels: int) -> None:
    height, width = 700, 500
    chance = np.random.default_rng(5)
    shade = np.linspace(250, 120, width)[None, :] * np.linspace(1.0, 0.8, height)[:, None]
    ink = np.where(chance.random((height, width)) < 0.03, 0.3, 1.0)
    grey = (shade * ink).astype(np.uint8)
    page: Pixels = grey if channels == 1 else np.dstack([grey, grey // 2, grey])
    lit = shading.evened(page, grey)
    assert lit is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shading, "_STRIP", height)
        whole = shading.evened(page, grey)
    assert whole is not None
    assert (lit == whole).all()


def test_boxes_are_the_same_before_and_after_a_large_picture() -> None:
    from tasks.reader.engine.detect import Detector

    page = np.asarray(samples.page_image(samples.CONTRACT[:4], height=500))
    detector = Detector(models.installed().detection)
    before = detector.boxes(page, 480)
    assert len(before) >= 4
    with ThreadPoolExecutor(2) as threads:
        # The larger one gives its room back while the others wait for their turn.
        seen = list(threads.map(lambda side: detector.boxes(page, side), [480, 1920, 480, 1920]))
    assert (seen[0] == before).all()
    assert (seen[2] == before).all()
    assert (seen[1] == seen[3]).all()
    assert len(seen[1]) >= 4
