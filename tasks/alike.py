"""Alike: what of a case is near-duplicate to an exhibit, by text, image and file.

Every item of the exhibit (itself, and each part of a container) is compared with every other item
of the case; a group is one item and what is like it. Shares of texts are estimated from their
signatures, then computed exactly for the nearest ones from what was read. An aid to search, never
a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from storage.catalogue import alike, parts, queries
from storage.catalogue.alike import Value
from storage.catalogue.database import Session
from storage.custody import Custody
from storage.errors import CustodyError, NotFoundError
from tasks.likeness.method import (
    AID_EN,
    AID_ZH,
    CANDIDATE_PERMILLE,
    CHARACTERS,
    FILE_DISTANCE,
    IMAGE_DISTANCE,
    IMAGE_QUALITY,
    TEXT_PERMILLE,
    parameters,
)
from tasks.reading import text_of

if TYPE_CHECKING:
    from tasks.likeness.shingles import Hashes

MOST_EXACT = 200
"""Shares that are computed exactly for one item; further ones stay estimates and say so."""
MOST_ITEMS = 200
"""Items of one exhibit that are looked up; of a larger container each part can be named."""


@dataclass(frozen=True)
class Near:
    """One item that is like another.

    ``share`` is of a thousand: of common shingles for texts (``exact``, else estimated, and
    ``estimate`` beside), of equal bits for images; None for files. ``distance`` is bits for
    images, TLSH's for files, None for texts. ``of_this`` and ``of_other`` say how much of each
    text stands in the other, which a quotation shows when the common share is small.
    """

    exhibit_id: str
    part: str
    name: str
    number: int = 0
    share: int | None = None
    estimate: int | None = None
    exact: bool = True
    of_this: int | None = None
    of_other: int | None = None
    distance: int | None = None
    same_bytes: bool = False
    low_quality: bool = False


@dataclass(frozen=True)
class Group:
    """One item by one method, and what is like it, the nearest first."""

    exhibit_id: str
    part: str
    name: str
    method: alike.Method
    number: int
    threshold: int
    near: tuple[Near, ...]


@dataclass(frozen=True)
class Answer:
    """The groups of an exhibit; ``unmeasured`` are items without any value, ``left`` not asked."""

    exhibit_id: str
    case_id: str
    groups: tuple[Group, ...]
    unmeasured: tuple[str, ...] = ()
    left: int = 0
    method: dict[str, Any] = field(default_factory=parameters)

    def as_json(self) -> dict[str, Any]:
        """Return the form for programs, which says what it is not."""
        return {
            "evidence": False,
            "note_zh": AID_ZH,
            "note_en": AID_EN,
            "exhibit_id": self.exhibit_id,
            "case_id": self.case_id,
            "method": self.method,
            "groups": [
                {**vars(group), "near": [vars(each) for each in group.near]}
                for group in self.groups
            ],
            "unmeasured": list(self.unmeasured),
            "left": self.left,
        }


def alike_to(custody: Custody, name: str, part: str | None = None) -> Answer:
    """Return what of its case is like an exhibit and its parts, or like one part alone.

    Raises:
        NotFoundError: there is no such exhibit or part, or it was read before likeness was
            measured, or not at all.
    """
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, name)
        number, case = exhibit["exhibit_id"], exhibit["case_id"]
        if part:
            parts.find(session, number, part)
            values = alike.of_item(session, number, part)
        elif part is None:
            values = alike.of_exhibit(session, number)
        else:
            values = alike.of_item(session, number)
        if not values:
            raise NotFoundError(
                f"{name} 尚无相似度数值 no value of likeness is on record",
                remedy="read it again: custody read EXHIBIT --again",
            )
        items = list(dict.fromkeys(each.part for each in values))
        asked = frozenset(items[:MOST_ITEMS])
        found = list(_found(session, case, [each for each in values if each.part in asked]))
        names = _Names(session)
        texts = _Texts(custody)
        groups = [
            Group(
                number, own.part, names.of(number, own.part), own.method, own.number,
                _THRESHOLDS[own.method], _nearest(own, near, names, texts),
            )
            for own, near in found
        ]  # fmt: skip
    shown = tuple(group for group in groups if group.near)
    unmeasured = () if part else _unmeasured(custody, number, set(items))
    return Answer(number, case, shown, unmeasured, max(0, len(items) - MOST_ITEMS))


_THRESHOLDS: dict[str, int] = {
    "text": TEXT_PERMILLE,
    "image": IMAGE_DISTANCE,
    "file": FILE_DISTANCE,
}


def _unmeasured(custody: Custody, exhibit: str, known: set[str]) -> tuple[str, ...]:
    with custody.read() as session:
        rows = parts.of_exhibit(session, exhibit)
    return tuple(row["part"] for row in rows if row["pages"] and row["part"] not in known)


def _found(
    session: Session, case: str, values: Sequence[Value]
) -> Iterator[tuple[Value, list[tuple[Value, float]]]]:
    """Yield each value with those of other items that may be near it, and how near."""
    for own in values:
        if own.method == "text":
            yield own, _like_text(session, case, own)
    for method in ("image", "file"):
        of_method = [each for each in values if each.method == method]
        if of_method:
            yield from _compared(session, case, of_method)


def _like_text(session: Session, case: str, own: Value) -> list[tuple[Value, float]]:
    from tasks.likeness import minhash

    signature = minhash.parsed(own.value)
    near = [
        (each, minhash.estimate(signature, minhash.parsed(each.value)))
        for each in alike.candidates(session, case, signature)
        if not _same_item(own, each)
    ]
    near = [each for each in near if each[1] * 1000 >= CANDIDATE_PERMILLE]
    return sorted(near, key=lambda each: (-each[1], each[0].exhibit_id, each[0].part))


def _compared(
    session: Session, case: str, values: Sequence[Value]
) -> Iterator[tuple[Value, list[tuple[Value, float]]]]:
    """Compare values with all of their method in the case, in one pass over them."""
    from tasks.likeness import tlsh

    method = values[0].method
    near: list[list[tuple[Value, float]]] = [[] for _ in values]
    bits = [int(each.value, 16) if method == "image" else 0 for each in values]
    for other in alike.of_case(session, case, method):
        other_bits = int(other.value, 16) if method == "image" else 0
        for place, own in enumerate(values):
            if _same_item(own, other):
                continue
            if method == "image":
                far = (bits[place] ^ other_bits).bit_count()
            else:
                far = tlsh.distance(own.value, other.value)
            if far <= _THRESHOLDS[method]:
                near[place].append((other, far))
    for own, found in zip(values, near, strict=True):
        found.sort(key=lambda each: (each[1], each[0].exhibit_id, each[0].part, each[0].number))
        yield own, found


def _same_item(one: Value, other: Value) -> bool:
    return (one.exhibit_id, one.part) == (other.exhibit_id, other.part)


def _nearest(
    own: Value, near: Sequence[tuple[Value, float]], names: _Names, texts: _Texts
) -> tuple[Near, ...]:
    found = []
    for place, (other, how) in enumerate(near):
        if own.method == "text":
            each = _text_near(own, other, how, names, texts if place < MOST_EXACT else None)
        else:
            each = _far_near(own, other, int(how), names)
        if each is not None:
            found.append(each)
    if own.method == "text":
        found.sort(key=lambda each: (-(each.share or 0), each.exhibit_id, each.part))
    return tuple(found)


def _text_near(
    own: Value, other: Value, how: float, names: _Names, texts: _Texts | None
) -> Near | None:
    """Return a text that is like another by the exact share if it can be had, or None."""
    from tasks.likeness import shingles

    estimate = round(1000 * how)
    where = (other.exhibit_id, other.part, names.of(other.exhibit_id, other.part))
    same = names.same(own, other)
    mine = texts.of(own.exhibit_id, own.part) if texts else None
    its = texts.of(other.exhibit_id, other.part) if texts and mine is not None else None
    if mine is None or its is None:
        if estimate < TEXT_PERMILLE:
            return None
        return Near(*where, share=estimate, estimate=estimate, exact=False, same_bytes=same)
    common = shingles.common(mine, its)
    share = common / (len(mine) + len(its) - common)
    if share * 1000 < TEXT_PERMILLE:
        return None
    return Near(
        *where,
        share=round(1000 * share),
        estimate=estimate,
        of_this=round(1000 * common / len(mine)),
        of_other=round(1000 * common / len(its)),
        same_bytes=same,
    )


def _far_near(own: Value, other: Value, far: int, names: _Names) -> Near:
    image = own.method == "image"
    return Near(
        other.exhibit_id,
        other.part,
        names.of(other.exhibit_id, other.part),
        other.number,
        share=round(1000 * (256 - far) / 256) if image else None,
        distance=far,
        same_bytes=names.same(own, other),
        low_quality=image and min(own.weight, other.weight) < IMAGE_QUALITY,
    )


class _Names:
    """Names and digests of items, each looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}

    def _row(self, exhibit: str, part: str) -> dict[str, Any]:
        if (exhibit, part) not in self._rows:
            self._rows[exhibit, part] = (
                parts.find(self._session, exhibit, part)
                if part
                else queries.find_exhibit(self._session, exhibit)
            )
        return self._rows[exhibit, part]

    def of(self, exhibit: str, part: str) -> str:
        return str(self._row(exhibit, part)["name"])

    def same(self, one: Value, other: Value) -> bool:
        """Whether two items have the same bytes, by their SHA-256."""
        mine = self._row(one.exhibit_id, one.part)["sha256"]
        return bool(mine) and mine == self._row(other.exhibit_id, other.part)["sha256"]


class _Texts:
    """The shingles of what was read of items; None where it is gone or was changed."""

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self.of = lru_cache(maxsize=4)(self._of)

    def _of(self, exhibit: str, part: str) -> Hashes | None:
        from tasks.likeness import shingles

        try:
            _, _, transcript = text_of(self._custody, exhibit, part)
        except (CustodyError, ValueError):
            return None
        found = shingles.hashes(shingles.normalised(transcript.text)[:CHARACTERS])
        return found if len(found) else None
