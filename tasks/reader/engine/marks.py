"""Marks as Chinese writes them: an engine tells the width of a mark by its look, often wrongly.

Each character is replaced by one character, so that places and boxes stay what they were.
"""

from __future__ import annotations

import re

_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CLOSED = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff）】》」』”’%％"
_WIDE = str.maketrans(",;:!?()", "，；：！？（）")
# After Han, or after what closes a Chinese phrase.
_MARK = re.compile(rf"(?<=[{_CLOSED}])[,;:!?]")
_BETWEEN = re.compile(rf"(?<=\d)[,;](?=[{_HAN}])")
_BRACKETS = re.compile(r"[(（]([^()（）]{0,60})[)）]")
_ANY_HAN = re.compile(rf"[{_HAN}]")
_NUMERAL = "一二三四五六七八九十百千万〇零年"
_ZERO = re.compile(rf"(?<=[{_NUMERAL}○O])[○O](?=[{_NUMERAL}○O])|(?<=[{_NUMERAL}])○")
_YEAR = re.compile(r"^[○O](?=[一二三四五六七八九〇○O]{1,3}年)")
_STOP = re.compile(rf"(?<=[{_HAN}])°")


def chinese_marks(text: str) -> str:
    """Return a line with the marks that its neighbours call for; of the same length."""
    if not _ANY_HAN.search(text):
        return text
    text = _ZERO.sub("〇", _YEAR.sub("〇", _STOP.sub("。", text)))
    before = text
    text = _BRACKETS.sub(lambda found: _bracket(before, found), text)
    return _BETWEEN.sub(_widened, _MARK.sub(_widened, text))


def _widened(found: re.Match[str]) -> str:
    return found.group().translate(_WIDE)


def _bracket(text: str, found: re.Match[str]) -> str:
    """Brackets are wide that hold Han, or that stand at the end of some."""
    before = text[found.start() - 1 : found.start()]
    if _ANY_HAN.search(found.group(1)) or _ANY_HAN.match(before or " "):
        return f"（{found.group(1)}）"
    return found.group()
