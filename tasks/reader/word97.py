"""Word files of 1997 to 2003 ([MS-DOC]): text by the piece table, changes by their properties.

The piece table says where each stretch of text stands and whether it is kept in one or two
bytes a character. Which characters were deleted, inserted or hidden is said by the character
properties ([MS-DOC] 2.9.33, ChpxFkp) of the place in the file where they stand.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from tasks.reader import ole
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

MAX_CHARACTERS = 16_000_000
_MAX_PIECES = 1_000_000
_MAX_RUNS = 2_000_000
_WORD97 = 193
_ENCRYPTED, _TABLE1 = 0x0100, 0x0200
# [MS-DOC] 2.5.5 and 2.5.6: where counts of characters and places of tables stand.
_COUNTS, _CLX, _CHPX = 0x4C, 0x1A2, 0xFA
_PARTS = (
    "",
    "脚注 footnotes",
    "页眉页脚 headers and footers",
    "批注 comments",
    "尾注 endnotes",
    "文本框 text boxes",
    "页眉文本框 text boxes in headers",
)
# [MS-DOC] 2.6.1: single property modifiers of characters.
_SPRMS = {0x0800: "deleted", 0x0801: "inserted", 0x083C: "hidden"}
_OPERANDS = (1, 1, 2, 4, 2, 2, -1, 3)
_FIELD = re.compile("\x13([^\x13\x14\x15]*)(?:\x14([^\x13\x14\x15]*))?\x15")
_LINK = re.compile(r'HYPERLINK\s+"?([^"\s]+)')
_SIGNS = str.maketrans(
    {"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x0e": "\n", "\x1e": "-", "\x1f": "", "\x07": "\t",
     "\x01": "", "\x02": "", "\x03": "", "\x04": "", "\x05": "", "\x08": "", "\x13": "",
     "\x14": "", "\x15": "", "\x00": ""}
)  # fmt: skip
_LABELS = {
    "deleted": "已删除 deleted",
    "inserted": "已插入 inserted",
    "hidden": "隐藏文字 hidden text",
}


class NotWord97Error(ValueError):
    """It is no Word file of this age, or its tables lead nowhere."""


class _Piece(NamedTuple):
    start: int
    length: int
    offset: int
    narrow: bool


@dataclass(frozen=True)
class _Marks:
    """What holds for the characters from each place in the file on, until the next place."""

    places: list[int]
    flags: list[frozenset[str]]

    def at(self, place: int) -> frozenset[str]:
        index = bisect_right(self.places, place) - 1
        return self.flags[index] if index >= 0 else frozenset()


def read_doc(source: Source, context: Context) -> Reading:
    """Read body, notes, headers, comments and text boxes, a page each.

    Raises:
        NotWord97Error: older than Word 97, or too broken; strings are the last resort.
    """
    reading = Reading()
    with ole.opened(source) as streams:
        if streams is None:
            raise NotWord97Error("no OLE file")
        main = streams.read("WordDocument")
        flags = _word(main, 10)
        if len(main) < 0x200 or _word(main, 2) < _WORD97:
            raise NotWord97Error("older than Word 97")
        if flags & _ENCRYPTED:
            return Reading(state="encrypted")
        table = streams.read("1Table" if flags & _TABLE1 else "0Table")
        streams.note(reading)
        if "Macros" in streams.names:
            reading.flag("macros")
    try:
        _read(main, table, reading, context)
    except (struct.error, IndexError) as error:
        raise NotWord97Error("its tables lead nowhere") from error
    return reading


def _read(main: bytes, table: bytes, reading: Reading, context: Context) -> None:
    pieces = list(_pieces(table[slice(*_place(main, _CLX))]))
    if not pieces:
        raise NotWord97Error("no pieces")
    if sum(piece.length for piece in pieces) > MAX_CHARACTERS:
        reading.flag("truncated")
    marks = _marks(main, table, reading)
    lengths = struct.unpack_from("<3i4x4i", main, _COUNTS)
    at = 0
    for label, length in zip(_PARTS, lengths, strict=True):
        length = max(0, min(length, MAX_CHARACTERS))
        _part(main, pieces, (at, at + length), marks, label, reading, context)
        at += length


def _part(
    main: bytes,
    pieces: list[_Piece],
    span: tuple[int, int],
    marks: _Marks,
    label: str,
    reading: Reading,
    context: Context,
) -> None:
    shown: list[str] = []
    apart: dict[str, list[str]] = {kind: [] for kind in _LABELS}
    for text, flags in _runs(main, pieces, span, marks):
        if "deleted" in flags:
            apart["deleted"].append(text)
        elif "hidden" in flags:
            apart["hidden"].append(text)
        else:
            shown.append(text)
            if "inserted" in flags:
                apart["inserted"].append(text)
    raw = "".join(shown)
    if text := plain(raw):
        context.page(reading, text, label=label)
    if links := list(dict.fromkeys(_LINK.findall(raw))):
        context.page(reading, "\n".join(links[:1_000]), label="外部链接 external links")
    for kind, words in apart.items():
        if lines := plain("\n".join(words)):
            name = f"{label}: {_LABELS[kind]}" if label else _LABELS[kind]
            context.page(reading, lines, label=name, flags=(f"{kind}_text",))
            reading.flag("hidden_text" if kind == "hidden" else "tracked_changes")


def plain(text: str) -> str:
    """Return Word's own signs as text: paragraphs, cells, fields by their results.

    A row ends with two cell marks; so does an empty cell, which then looks like a row's end.
    """
    for _ in range(3):
        text = _FIELD.sub(lambda field: field[2] or "", text)
    lines = text.replace("\x07\x07", "\n").translate(_SIGNS).split("\n")
    return "\n".join(line.rstrip("\t ") for line in lines if line.strip())


def _pieces(clx: bytes) -> Iterator[_Piece]:
    at = 0
    while at < len(clx) and clx[at] == 1:
        at += 3 + _word(clx, at + 1)
    if at >= len(clx) or clx[at] != 2:
        return
    (size,) = struct.unpack_from("<I", clx, at + 1)
    plc = clx[at + 5 : at + 5 + size]
    count = min((len(plc) - 4) // 12, _MAX_PIECES)
    starts = struct.unpack_from(f"<{count + 1}I", plc)
    for number in range(count):
        (place,) = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * number + 2)
        length = starts[number + 1] - starts[number]
        narrow = bool(place & 0x40000000)
        offset = (place & 0x3FFFFFFF) // 2 if narrow else place & 0x3FFFFFFF
        if length > 0:
            yield _Piece(starts[number], length, offset, narrow)


def _runs(
    main: bytes, pieces: list[_Piece], span: tuple[int, int], marks: _Marks
) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the text between two character positions, cut where its marks change."""
    left = MAX_CHARACTERS
    for piece in pieces:
        first, last = max(span[0], piece.start), min(span[1], piece.start + piece.length)
        if first >= last or left <= 0:
            continue
        wide = 1 if piece.narrow else 2
        offset = piece.offset + (first - piece.start) * wide
        data = main[offset : offset + min(last - first, left) * wide]
        left -= last - first
        text = data.decode("cp1252" if piece.narrow else "utf-16-le", "replace")
        if len(text) * wide != len(data):
            # Characters beyond the basic plane would shift all places behind them.
            yield text, marks.at(offset)
            continue
        if not marks.places:
            yield text, frozenset()
            continue
        where = range(offset, offset + len(text) * wide, wide)
        for flags, group in groupby(zip(text, where, strict=True), lambda pair: marks.at(pair[1])):
            yield "".join(character for character, _ in group), flags


def _marks(main: bytes, table: bytes, reading: Reading) -> _Marks:
    """Return which places of the file hold characters that are deleted, inserted or hidden."""
    found: list[tuple[int, int, frozenset[str]]] = []
    try:
        plc = table[slice(*_place(main, _CHPX))]
        count = (len(plc) - 4) // 8
        for number in struct.unpack_from(f"<{count}I", plc, 4 * (count + 1)) if count > 0 else ():
            found += _page(main[(number & 0x3FFFFF) * 512 :][:512])
            if len(found) > _MAX_RUNS:
                break
    except (struct.error, IndexError):
        reading.flag("changes_not_told")
    if not any(flags for _, _, flags in found):
        return _Marks([], [])
    places, flags_ = [], []
    for first, last, flags in sorted(found, key=lambda run: run[:2]):
        places += [first, last]
        flags_ += [flags, frozenset()]
    return _Marks(places, flags_)


def _page(page: bytes) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Yield the runs of one page of character properties: first and last place, marks."""
    runs = page[511]
    places = struct.unpack_from(f"<{runs + 1}I", page)
    for number in range(runs):
        at = page[4 * (runs + 1) + number] * 2
        properties = page[at + 1 : at + 1 + page[at]] if at else b""
        yield places[number], places[number + 1], frozenset(_sprms(properties))


def _sprms(properties: bytes) -> Iterator[str]:
    at = 0
    while at + 3 <= len(properties):
        number = _word(properties, at)
        size = _OPERANDS[number >> 13]
        if size < 0:
            size = 1 + properties[at + 2]
        if number in _SPRMS and properties[at + 2]:
            yield _SPRMS[number]
        at += 2 + size


def _place(main: bytes, at: int) -> tuple[int, int]:
    first, length = struct.unpack_from("<II", main, at)
    return first, first + length


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")
