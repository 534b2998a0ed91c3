"""Side by side: what two exhibits, or parts, say, with the same and different passages marked.

Everything that somebody needs to repeat it is in the answer: the digests of both originals and of
both transcripts, the method, its version and its parameters. An aid to search, never a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from storage.catalogue import alike, parts, queries
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.errors import InputError
from tasks.likeness import method, passages
from tasks.likeness.shingles import common, composed, hashes, places
from tasks.reading import text_of

COMPARED = 500_000
"""Normalised characters of each text that are compared; what follows is left out and said so."""


@dataclass(frozen=True)
class Side:
    """One of the two: what it is, and what of its text stands in the other, in thousandths.

    ``common`` counts passages in the same order, ``moved`` those elsewhere in the other text.
    """

    exhibit_id: str
    part: str
    name: str
    sha256: str
    state: str
    transcript_sha256: str
    characters: int
    compared: int
    common: int
    moved: int


@dataclass(frozen=True)
class Piece:
    """A piece of one text; ``kind`` is ``same``, ``moved`` or ``different``."""

    kind: str
    text: str


@dataclass(frozen=True)
class Row:
    """What stands side by side: the same passage on both sides, or what differs."""

    same: bool
    one: tuple[Piece, ...]
    other: tuple[Piece, ...]


@dataclass(frozen=True)
class SideBySide:
    """Two texts in rows, in order; joined, each side's pieces are its text, in NFC.

    ``jaccard`` is the exact share of common shingles in thousandths, None where a text has none.
    ``image_bits`` is the least distance of their images' hashes, ``file_distance`` TLSH's.
    """

    one: Side
    other: Side
    rows: tuple[Row, ...]
    jaccard: int | None
    estimate: int | None
    image_bits: int | None
    file_distance: int | None

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for programs, without the texts."""
        return {
            "evidence": False,
            "note_zh": method.AID_ZH,
            "note_en": method.AID_EN,
            "one": vars(self.one),
            "other": vars(self.other),
            "jaccard": self.jaccard,
            "estimate": self.estimate,
            "image_bits": self.image_bits,
            "file_distance": self.file_distance,
            "passages": sum(row.same for row in self.rows),
            "method": described(),
        }


def described() -> dict[str, Any]:
    """Return the method with the parameters of the comparison of passages."""
    return {
        **method.parameters(),
        "passages": {
            "anchors": list(passages.ANCHORS),
            "gap": passages.GAP,
            "budget": passages.BUDGET,
            "least": passages.LEAST,
            "moved": passages.MOVED,
            "compared": COMPARED,
        },
    }


@dataclass(frozen=True)
class _Read:
    exhibit_id: str
    part: str
    name: str
    sha256: str
    state: str
    digest: str
    text: str
    normal: str
    origin: list[int]
    values: list[alike.Value]


def side_by_side(
    custody: Custody, one: str, other: str, *, part: str = "", other_part: str = ""
) -> SideBySide:
    """Compare what was read of two exhibits, or of parts of them.

    Raises:
        NotFoundError: there is no such exhibit or part, or it was not read.
        InputError: one of them has no text.
    """
    left, right = _read(custody, one, part), _read(custody, other, other_part)
    found = passages.runs(left.normal, right.normal)
    apart = [run for run in found if not run.same]
    mine = passages.moved(left.normal, [(r.start, r.end) for r in apart], right.normal)
    its = passages.moved(right.normal, [(r.other_start, r.other_end) for r in apart], left.normal)
    agreed = sum(run.end - run.start for run in found if run.same)
    rows = tuple(
        Row(
            run.same,
            _pieces(left, run.start, run.end, same=run.same, moved=mine),
            _pieces(right, run.other_start, run.other_end, same=run.same, moved=its),
        )
        for run in found
    )
    return SideBySide(
        _side(left, agreed, mine), _side(right, agreed, its), rows, **_numbers(left, right)
    )


def _read(custody: Custody, name: str, part: str) -> _Read:
    _, state, transcript = text_of(custody, name, part)
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, name)
        number = exhibit["exhibit_id"]
        row = parts.find(session, number, part) if part else exhibit
        values = alike.of_item(session, number, part)
    text = composed(transcript.text)
    normal, origin = places(text)
    if not normal:
        raise InputError(
            f"{name} 没有可比对的文本 there is no text to compare",
            remedy="see 'custody read EXHIBIT'; images are compared by 'custody alike EXHIBIT'",
        )
    if len(normal) > COMPARED:
        text, normal = text[: origin[COMPARED]], normal[:COMPARED]
        origin = origin[:COMPARED]
    digest = fingerprint_bytes(transcript.as_bytes()).sha256
    return _Read(
        number, part, row["name"], row["sha256"], state, digest, text, normal, origin, values
    )


def _side(read: _Read, agreed: int, moved: list[tuple[int, int]]) -> Side:
    size = len(read.normal)
    return Side(
        read.exhibit_id,
        read.part,
        read.name,
        read.sha256,
        read.state,
        read.digest,
        len(read.text),
        size,
        round(1000 * agreed / size),
        round(1000 * sum(end - start for start, end in moved) / size),
    )


def _pieces(
    read: _Read, start: int, end: int, *, same: bool, moved: list[tuple[int, int]]
) -> tuple[Piece, ...]:
    """Return a stretch of a text as it stands there, cut where its kind changes."""
    if same:
        return (Piece("same", _original(read, start, end)),)
    found = []
    at = start
    for first, last in moved:
        if start <= first < end:
            if first > at:
                found.append(Piece("different", _original(read, at, first)))
            found.append(Piece("moved", _original(read, first, last)))
            at = last
    if at < end:
        found.append(Piece("different", _original(read, at, end)))
    return tuple(found)


def _original(read: _Read, start: int, end: int) -> str:
    """Return what a stretch of the normalised text was; white space goes with what precedes it."""
    first = read.origin[start] if start else 0
    last = read.origin[end] if end < len(read.origin) else len(read.text)
    return read.text[first:last]


def _numbers(left: _Read, right: _Read) -> dict[str, int | None]:
    from tasks.likeness import minhash, tlsh

    mine, its = hashes(left.normal), hashes(right.normal)
    numbers: dict[str, int | None] = dict.fromkeys(
        ("jaccard", "estimate", "image_bits", "file_distance")
    )
    if len(mine) and len(its):
        both = common(mine, its)
        numbers["jaccard"] = round(1000 * both / (len(mine) + len(its) - both))
        one, other = minhash.signature(mine), minhash.signature(its)
        numbers["estimate"] = round(1000 * minhash.estimate(one, other))
    bits = [
        (int(a.value, 16) ^ int(b.value, 16)).bit_count()
        for a in left.values
        for b in right.values
        if a.method == b.method == "image"
    ]
    numbers["image_bits"] = min(bits, default=None)
    far = [
        tlsh.distance(a.value, b.value)
        for a in left.values
        for b in right.values
        if a.method == b.method == "file"
    ]
    numbers["file_distance"] = min(far, default=None)
    return numbers
