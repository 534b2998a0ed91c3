"""Windows metafiles, [MS-EMF] and [MS-WMF]: the words that they would draw.

Nothing is drawn: no maintained program on Linux does it well. What a metafile draws as shapes or
as a bitmap is not read, so a metafile is read in part at best.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from tasks.reader.photo.exif import decoded
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

MAX_BYTES: Final = 64 << 20
_MAX_RECORDS: Final = 500_000
_EXT_TEXT_W, _EXT_TEXT_A, _SMALL_TEXT = 84, 83, 108
_NO_RECT, _SMALL_CHARS = 0x100, 0x200
_WMF_EXT_TEXT, _WMF_TEXT, _WMF_FONT = 0x0A32, 0x0521, 0x02FB
_PLACEABLE: Final = b"\xd7\xcd\xc6\x9a"
# LOGFONT's character sets that are not left to guessing.
_CHARSETS: Final = {128: "shift_jis", 129: "cp949", 134: "gb18030", 136: "big5"}


class Said(NamedTuple):
    """One string that is drawn, and the height at which its line stands."""

    y: int
    text: str


def read_metafile(source: Source, context: Context) -> Reading:
    """Read the words of a metafile as one page; what it draws besides is left, and said to be."""
    reading = Reading()
    data = source.head(MAX_BYTES)
    said = _of_emf(data) if data[40:44] == b" EMF" else _of_wmf(data)
    lines: list[str] = []
    height: int | None = None
    for y, text in said:
        # Programs draw a line in pieces, a word or a letter each.
        if height == y:
            lines[-1] += text
        else:
            lines.append(text)
            height = y
    words = "\n".join(line for line in lines if line.strip())
    if not words:
        reading.state = "unknown_type"
        return reading
    context.page(reading, words)
    reading.flag("drawing_not_read")
    reading.flag("part_not_read")
    return reading


def _of_emf(data: bytes) -> Iterator[Said]:
    at = 0
    for _ in range(_MAX_RECORDS):
        if at + 8 > len(data):
            return
        kind, size = struct.unpack_from("<II", data, at)
        if size < 8:
            return
        record = data[at : at + size]
        at += size
        if kind in (_EXT_TEXT_W, _EXT_TEXT_A) and len(record) >= 52:
            y, count, start = struct.unpack_from("<iII", record, 40)
            wide = kind == _EXT_TEXT_W
            text = record[start : start + count * (2 if wide else 1)]
            yield Said(y, text.decode("utf-16-le", "replace") if wide else decoded(text))
        elif kind == _SMALL_TEXT and len(record) >= 36:
            y, count, options = struct.unpack_from("<iII", record, 12)
            start = 36 if options & _NO_RECT else 52
            small = bool(options & _SMALL_CHARS)
            text = record[start : start + count * (1 if small else 2)]
            yield Said(y, text.decode("latin-1") if small else text.decode("utf-16-le", "replace"))


def _of_wmf(data: bytes) -> Iterator[Said]:
    at = (22 if data.startswith(_PLACEABLE) else 0) + 18
    charset = ""
    for _ in range(_MAX_RECORDS):
        if at + 6 > len(data):
            return
        size, kind = struct.unpack_from("<IH", data, at)
        if size < 3:
            return
        record = data[at + 6 : at + size * 2]
        at += size * 2
        if kind == _WMF_FONT and len(record) > 13:
            charset = _CHARSETS.get(record[13], charset)
        elif kind == _WMF_EXT_TEXT and len(record) >= 8:
            y, _, count, options = struct.unpack_from("<hhHH", record)
            start = 16 if options & 6 else 8
            yield Said(y, _text(record[start : start + count], charset))
        elif kind == _WMF_TEXT and len(record) >= 6:
            (count,) = struct.unpack_from("<H", record)
            end = 2 + count + count % 2
            y = struct.unpack_from("<h", record, end)[0] if len(record) >= end + 2 else 0
            yield Said(y, _text(record[2 : 2 + count], charset))


def _text(data: bytes, charset: str) -> str:
    return data.decode(charset, "replace") if charset else decoded(data)
