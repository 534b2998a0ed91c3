"""A manifest as it comes out of the cell, written there by ``manifest_lines``.

One answer that held ten thousand items would be a hundred megabytes of objects where it is
taken in; line by line it is as many small ones, packed as they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast

from tasks.packed import Packed
from tasks.reader.answer import RawCell, RawManifest
from tasks.reader.process import MAX_ANSWER_MARKS, CellFailure
from tasks.reader.strict import loads, parse

_Row = tuple[RawCell, ...]
_Rows = tuple[_Row, ...]


def read_rows(untrusted_chunks: Iterable[bytes]) -> RawManifest:
    """Return the manifest of these lines; its items are ``Packed``.

    Raises:
        CellFailure: the lines are not of a manifest, or the cell failed.
    """
    lines = _lines(untrusted_chunks)
    try:
        head = parse(RawManifest, loads(next(lines, b"")))
        if head.items:
            raise CellFailure("lie", "items in the head of a manifest")
        items = Packed(parse(_Row, loads(line)) for line in lines)
    except ValueError as error:
        raise CellFailure("lie", str(error)) from error
    # Whoever reads the items goes through them in order, once or twice, as through a tuple.
    return replace(head, items=cast(_Rows, items))


def _lines(untrusted_chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of what comes in pieces, as long as they hold no more than an answer may."""
    rest = bytearray()
    marks = 0
    for chunk in untrusted_chunks:
        marks += sum(map(chunk.count, (b",", b"[", b"{")))
        if marks > MAX_ANSWER_MARKS:
            raise CellFailure("lie", "the answer has too many values")
        rest += chunk
        if b"\n" in chunk:
            *whole, rest = rest.split(b"\n")
            yield from map(bytes, whole)
    if rest:
        raise CellFailure("lie", "the answer has no end")
