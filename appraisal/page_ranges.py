"""Which pages of an exhibit go out: ``3-5,9``. Pure.

One spelling is kept: ascending, not touching, no page twice, plain digits. What people type in its
place (full-width digits, Chinese commas, dashes, spaces) is read.
"""

from __future__ import annotations

import itertools
import re

from storage.errors import InputError
from storage.normal import normal_form

MAX_PAGE = 99_999
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)
_AROUND = re.compile(r"\s*([,-])\s*")
_SPELLINGS = str.maketrans(
    {"，": ",", "、": ",", ";": ",", "；": ",", "–": "-", "—": "-", "～": "-"}
)

Ranges = tuple[tuple[int, int], ...]
"""First and last page of each range, from 1, ascending and apart."""


def parse_pages(text: str) -> Ranges:
    """Read a list of pages.

    Raises:
        InputError: it is none, or names a page twice.
    """
    # Between two numbers a space is no separator: "1 2" must never become page 12.
    plain = _AROUND.sub(r"\1", normal_form("NFKC", text.translate(_SPELLINGS)).strip())
    found = []
    for part in plain.split(","):
        match = _RANGE.fullmatch(part)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not 1 <= first <= last:
            raise InputError(
                f"“{text}”不是页码 {text!r} is no list of pages such as 3-5,9",
                remedy="write pages from 1 on, ranges with -, several with a comma",
            )
        found.append((first, last))
    found.sort()
    if any(after[0] <= before[1] for before, after in itertools.pairwise(found)):
        raise InputError(
            f"“{text}”中有重复的页 {text!r} names a page twice", remedy="name each page once"
        )
    return _joined(found)


def _joined(found: list[tuple[int, int]]) -> Ranges:
    joined: list[tuple[int, int]] = []
    for first, last in found:
        if joined and first == joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return tuple(joined)


def pages_text(ranges: Ranges) -> str:
    """Return the one spelling of a list of pages."""
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in ranges)


def count_of(ranges: Ranges) -> int:
    """Return how many pages a list names."""
    return sum(last - first + 1 for first, last in ranges)
