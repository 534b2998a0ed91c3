"""Passages: what two texts have in common, in order, and what stands elsewhere in the other.

Works on normalised texts. Runs of 16 characters that occur once in each text are anchors; the
longest chain of them that stands in one order in both is kept, and each is lengthened as far as
the texts agree. What lies between is done again with 8 characters, small gaps at last by
``difflib``. A text is never searched more than a few times, whatever it says: what is too large
or repeats itself too much for that stays marked as different. The same two texts always give the
same passages.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

ANCHORS = (16, 8)
"""Characters of an anchor, first and in what is left."""
GAP = 200
"""Characters on either side of a gap that is compared character by character."""
BUDGET = 8_000_000
"""Pairs of characters in all such gaps together."""
LEAST = 2
"""Characters of a common run inside a gap; a single one is chance."""
MOVED = 12
"""Characters of a run that counts as moved when it stands anywhere in the other text."""


class Run(NamedTuple):
    """A stretch of both texts: from where to where, and whether they agree there."""

    same: bool
    start: int
    end: int
    other_start: int
    other_end: int


class _Match(NamedTuple):
    at: int
    other: int
    length: int


class _Gap(NamedTuple):
    start: int
    end: int
    other_start: int
    other_end: int


@dataclass
class _Aligner:
    one: str
    other: str
    left: int = BUDGET
    found: list[_Match] = field(default_factory=list)

    def align(self) -> list[_Match]:
        gaps = [_Gap(0, len(self.one), 0, len(self.other))]
        for length in ANCHORS:
            gaps = [inner for gap in gaps for inner in self._anchored(gap, length)]
        for gap in gaps:
            self._small(gap)
        return sorted(self.found)

    def _anchored(self, gap: _Gap, length: int) -> Iterator[_Gap]:
        """Add the matches of a gap and yield the gaps that are left."""
        gap = self._trimmed(gap)
        at, other = gap.start, gap.other_start
        for start, other_start in self._chain(gap, length):
            if start < at or other_start < other:
                continue  # Inside what was lengthened already.
            back = 0
            while (
                start - back > at
                and other_start - back > other
                and self.one[start - back - 1] == self.other[other_start - back - 1]
            ):
                back += 1
            end, other_end = start + length, other_start + length
            while (
                end < gap.end
                and other_end < gap.other_end
                and self.one[end] == self.other[other_end]
            ):
                end, other_end = end + 1, other_end + 1
            self.found.append(_Match(start - back, other_start - back, end - start + back))
            yield _Gap(at, start - back, other, other_start - back)
            at, other = end, other_end
        yield _Gap(at, gap.end, other, gap.other_end)

    def _trimmed(self, gap: _Gap) -> _Gap:
        """Add what a gap has in common at its ends and return what lies between."""
        most = min(gap.end - gap.start, gap.other_end - gap.other_start)
        head = 0
        while head < most and self.one[gap.start + head] == self.other[gap.other_start + head]:
            head += 1
        tail = 0
        while (
            tail < most - head
            and self.one[gap.end - tail - 1] == self.other[gap.other_end - tail - 1]
        ):
            tail += 1
        if head:
            self.found.append(_Match(gap.start, gap.other_start, head))
        if tail:
            self.found.append(_Match(gap.end - tail, gap.other_end - tail, tail))
        return _Gap(gap.start + head, gap.end - tail, gap.other_start + head, gap.other_end - tail)

    def _chain(self, gap: _Gap, length: int) -> list[tuple[int, int]]:
        """Return the longest chain of anchors that stand in one order in both texts."""
        if gap.start == gap.end or gap.other_start == gap.other_end:
            return []
        mine = _once(self.one, gap.start, gap.end, length)
        its = _once(self.other, gap.other_start, gap.other_end, length)
        pairs = [(at, its[gram]) for gram, at in mine.items() if gram in its]
        return _rising(sorted(pairs))

    def _small(self, gap: _Gap) -> None:
        gap = self._trimmed(gap)
        width, other_width = gap.end - gap.start, gap.other_end - gap.other_start
        if not 0 < width <= GAP or not 0 < other_width <= GAP or width * other_width > self.left:
            return
        self.left -= width * other_width
        matcher = difflib.SequenceMatcher(
            None,
            self.one[gap.start : gap.end],
            self.other[gap.other_start : gap.other_end],
            autojunk=False,
        )
        for block in matcher.get_matching_blocks():
            if block.size >= LEAST:
                at, other = gap.start + block.a, gap.other_start + block.b
                self.found.append(_Match(at, other, block.size))


def _once(text: str, start: int, end: int, length: int) -> dict[str, int]:
    """Return where the runs of so many characters begin that occur once in a stretch."""
    found: dict[str, int] = {}
    for at in range(start, end - length + 1):
        gram = text[at : at + length]
        found[gram] = -1 if gram in found else at
    return {gram: at for gram, at in found.items() if at >= 0}


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest chain whose second numbers rise as the first do."""
    ends: list[int] = []
    chains: list[int] = []
    before: list[int] = []
    for number, (_, other) in enumerate(pairs):
        place = bisect_left(ends, other)
        before.append(chains[place - 1] if place else -1)
        if place == len(ends):
            ends.append(other)
            chains.append(number)
        else:
            ends[place], chains[place] = other, number
    found = []
    number = chains[-1] if chains else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def runs(one: str, other: str) -> list[Run]:
    """Return both texts as runs in order, those that agree and those that do not, without gaps."""
    found: list[Run] = []
    at = its = 0
    for match in _joined(_Aligner(one, other).align()):
        if match.at > at or match.other > its:
            found.append(Run(False, at, match.at, its, match.other))
        at, its = match.at + match.length, match.other + match.length
        found.append(Run(True, match.at, at, match.other, its))
    if at < len(one) or its < len(other):
        found.append(Run(False, at, len(one), its, len(other)))
    return found


def _joined(matches: list[_Match]) -> list[_Match]:
    """Return matches with those that follow each other at once made one."""
    found: list[_Match] = []
    for match in matches:
        last = found[-1] if found else None
        if last and (last.at + last.length, last.other + last.length) == (match.at, match.other):
            found[-1] = _Match(last.at, last.other, last.length + match.length)
        else:
            found.append(match)
    return found


def moved(text: str, stretches: list[tuple[int, int]], other: str) -> list[tuple[int, int]]:
    """Return what of some stretches of a text stands anywhere in the other text."""
    known = {other[at : at + MOVED] for at in range(len(other) - MOVED + 1)}
    found: list[tuple[int, int]] = []
    for start, end in stretches:
        for at in range(start, end - MOVED + 1):
            if text[at : at + MOVED] not in known:
                continue
            if found and start <= at <= found[-1][1]:
                found[-1] = (found[-1][0], at + MOVED)
            else:
                found.append((at, at + MOVED))
    return found
