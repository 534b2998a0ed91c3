"""Whether the text of a PDF page can be believed; plain numbers in, a verdict out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

from tasks.reader.plausible import implausible

Verdict = Literal["good", "blank", "garbage", "scan", "hidden_layer", "drawing"]

_GARBAGE_SHARE = 0.05
_UNMAPPED_SHARE = 0.10
_SCAN_COVER = 0.5
_SCAN_CHARACTERS = 200
# A line of numbers or a seal's words over a scan cover little of it; text set over a picture
# covers more.
_STAMP_COVER = 0.03
_BAD = {"Cc", "Co", "Cn", "Cs"}


@dataclass(frozen=True)
class PageFacts:
    """What was counted on a page; shares are 0 to 1.

    ``image_cover`` and ``text_cover`` are of the page's area, the latter by the boxes of what is
    shown; ``invisible_share`` is of the text objects.
    """

    text: str
    image_cover: float
    unmapped_share: float
    invisible_share: float
    objects: int
    text_cover: float = 1.0


def judge(facts: PageFacts) -> Verdict:
    """Return the verdict; every one but ``good`` and ``blank`` means that OCR must read."""
    length = len("".join(facts.text.split()))
    if length == 0:
        if facts.image_cover > 0:
            return "scan"
        return "drawing" if facts.objects else "blank"
    if garbage_share(facts.text) > _GARBAGE_SHARE or facts.unmapped_share > _UNMAPPED_SHARE:
        return "garbage"
    if implausible(facts.text):
        return "garbage"
    if facts.invisible_share > 0.5:
        return "hidden_layer"
    stamp = length < _SCAN_CHARACTERS or facts.text_cover < _STAMP_COVER
    return "scan" if facts.image_cover > _SCAN_COVER and stamp else "good"


def garbage_share(text: str) -> float:
    """Return the share of characters that no writer types: control, private, unassigned."""
    counted = [c for c in text if not c.isspace()]
    if not counted:
        return 0.0
    bad = sum(1 for c in counted if c == "\ufffd" or unicodedata.category(c) in _BAD)
    return bad / len(counted)
