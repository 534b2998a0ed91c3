"""Unicode normalisation whose time does not grow with the square of what comes in. Pure.

To put combining marks in order takes the square of their number, and whoever sends a text chooses
it: a megabyte of marks keeps a process busy for a quarter of an hour. So a run of marks is broken
after thirty with U+034F, as the Stream-Safe Text Format does (Unicode Standard Annex 15, section
13); no language writes as many on one letter, and texts that differ go on differing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

_MOST_MARKS = 30
_JOINER = "\u034f"
_NO_MARK = "[\x00-\u02ff\u3100-\ua66e]"
"""Latin and Han, passed over quickly: no combining mark is among them."""


def normal_form(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Return a text in a normal form, of a stream-safe spelling of it."""
    if text.isascii():
        return text
    return unicodedata.normalize(form, _long_run().sub(rf"\1{_JOINER}", text))


_MARKED = range(0x300, 0x20000)
"""Where combining marks are: the first two planes of Unicode (a test looks through all)."""


@cache
def _long_run() -> re.Pattern[str]:
    marks = [chr(each) for each in _MARKED if unicodedata.combining(chr(each))]
    one = f"[{re.escape(''.join(marks))}]"
    return re.compile(f"(?!{_NO_MARK})({one}{{{_MOST_MARKS}}})(?={one})")
