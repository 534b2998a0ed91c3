"""Words into a line: a space between two, none where Chinese has none."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HAN = r"\u2e80-\u303f\u31c0-\u31ef\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_GAP = re.compile(rf"(?<=[{_HAN}])[ \t]+(?=[{_HAN}])")
_SPACE_BEFORE_MARK = re.compile(r"[ \t]+(?=[，。、；：？！）】》」』])")


def join_han(text: str) -> str:
    """Return the text without the spaces that engines put between Chinese characters."""
    return _SPACE_BEFORE_MARK.sub("", _GAP.sub("", text))


def spaced(words: Iterable[str]) -> str:
    """Return words with a space between two."""
    return " ".join(word for word in words if word)
