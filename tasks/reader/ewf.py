"""EWF disk images (E01) read strictly: what the image says of itself, and its media as a stream.

A reader of our own, because the maintained one wants file names and allocates what a header
claims; everything here is bounded by the file's size. All numbers are little-endian::

    file      "EVF\\x09\\x0d\\x0a\\xff\\x00"  0x01  segment u16  0x0000
    section   type[16]  next u64  size u64  0[40]  adler32 u32        (76 bytes, then its data)
    volume    media u8 0[3]  chunks u32  sectors/chunk u32  bytes/sector u32  sectors u64 ...
    table     entries u32  0[4]  base u64  0[4]  adler32  { bit 31: compressed, offset u31 }...
    hash      md5[16] ...
    digest    md5[16]  sha1[20] ...

A chunk is a zlib stream, or its bytes and their adler32. (Expert Witness Compression Format
specification, libewf documentation, version 1 formats: EnCase 1 to 7, FTK, SMART.)
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from tasks.reader.image_answer import Algorithm, ImageClaim, ImageClaims
from tasks.reader.source import Source

MAGIC = b"EVF\x09\x0d\x0a\xff\x00"
OTHERS = {
    b"EVF2\x0d\x0a\x81\x00": "Ex01",
    b"LVF\x09\x0d\x0a\xff\x00": "L01",
    b"LEF2\x0d\x0a\x81\x00": "Lx01",
}
"""Relatives that are recognised and not read."""

_SECTION = struct.Struct("<16sQQ40sI")
_VOLUME = struct.Struct("<B3xIIIQ")
_TABLE = struct.Struct("<I4xQ4xI")
_MOST_CHUNK = 64 << 20
_MOST_SECTIONS = 1_000_000
_DESCRIBED = frozenset({"volume", "disk", "data"})


class EwfError(Exception):
    """The image is not what its format says; the text is a code."""


@dataclass(frozen=True)
class Section:
    """One section: where its data begins and how many bytes of it there are."""

    kind: str
    start: int
    size: int


@dataclass
class Image:
    """What the sections of one segment file say."""

    segment: int
    last: bool
    tables: list[Section] = field(default_factory=list)
    claims: list[ImageClaim] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    chunks: int = 0
    chunk_bytes: int = 0
    media_bytes: int = -1

    def problem(self, code: str) -> None:
        """Note a problem once."""
        if code not in self.problems:
            self.problems.append(code)


def is_image(head: bytes) -> bool:
    """Say whether content begins as an EWF image of any kind."""
    return head.startswith((MAGIC, *OTHERS))


def examine(source: Source, most_media: int) -> ImageClaims:
    """Return the claims of an image; with ``most_media`` its media is hashed up to so many bytes.

    Whatever is wrong with the image is a problem in the answer, never an exception.
    """
    head = source.head(13)
    other = next((name for magic, name in OTHERS.items() if head.startswith(magic)), "")
    if other:
        return ImageClaims(other, problems=("format",))
    try:
        image = _read(source, head)
    except (EwfError, struct.error) as error:
        return ImageClaims("E01", problems=(_code(error),))
    computed = None
    if most_media and not image.problems and image.claims:
        try:
            computed = _hashed(source, image, most_media)
        except (EwfError, struct.error, zlib.error) as error:
            image.problem(_code(error))
    return ImageClaims(
        "E01",
        image.media_bytes,
        image.segment,
        image.last,
        tuple(image.claims),
        tuple(image.problems),
        computed,
    )


def _code(error: Exception) -> str:
    return str(error) if isinstance(error, EwfError) else "chunk"


def _read(source: Source, head: bytes) -> Image:
    segment, end = struct.unpack("<xHH", head[8:13])
    if not head.startswith(MAGIC) or head[8] != 1 or end:
        raise EwfError("section")
    image = Image(segment, last=False)
    for section in _sections(source):
        if section.kind in _DESCRIBED and image.media_bytes < 0:
            _volume(source, section, image)
        elif section.kind == "table":
            image.tables.append(section)
        elif section.kind in ("hash", "digest"):
            _hashes(source, section, image)
        elif section.kind == "done":
            image.last = True
    if segment != 1 or not image.last:
        image.problem("segments" if image.last or _ends(source) else "truncated")
    elif image.media_bytes < 0:
        image.problem("section")
    return image


def _sections(source: Source) -> Iterator[Section]:
    """Yield the sections in order; each begins after the one before it, so there is an end."""
    at = 13
    for _ in range(_MOST_SECTIONS):
        raw = source.at(at, _SECTION.size)
        if len(raw) < _SECTION.size:
            return
        name, following, size, _, checksum = _SECTION.unpack(raw)
        if zlib.adler32(raw[:-4]) != checksum:
            raise EwfError("checksum")
        kind = name.rstrip(b"\0").decode("ascii", "replace")
        end = following if following > at else at + max(size, _SECTION.size)
        start = at + _SECTION.size
        yield Section(kind, start, max(0, min(end, source.size) - start))
        if kind in ("next", "done"):
            return
        if following <= at or following >= source.size:
            return
        at = following
    raise EwfError("section")


def _ends(source: Source) -> bool:
    """Say whether the segment says that another follows."""
    return any(section.kind == "next" for section in _sections(source))


def _volume(source: Source, section: Section, image: Image) -> None:
    raw = source.at(section.start, section.size if section.size < 4096 else 4096)
    if len(raw) < 94 or zlib.adler32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        return image.problem("checksum")
    _, chunks, per_chunk, per_sector, sectors = _VOLUME.unpack_from(raw)
    size, media = per_chunk * per_sector, sectors * per_sector
    if not 0 < size <= _MOST_CHUNK or media > 1 << 50 or chunks != -(-media // size):
        return image.problem("section")
    image.chunks, image.chunk_bytes, image.media_bytes = chunks, size, media
    return None


def _hashes(source: Source, section: Section, image: Image) -> None:
    lengths: tuple[tuple[Algorithm, int], ...] = (("md5", 16), ("sha1", 20))
    whole = 36 if section.kind == "hash" else 80
    raw = source.at(section.start, whole)
    if len(raw) < whole or zlib.adler32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        return image.problem("checksum")
    at = 0
    for algorithm, length in lengths if section.kind == "digest" else lengths[:1]:
        value = raw[at : at + length]
        at += length
        claim = ImageClaim(algorithm, value.hex(), section.kind)
        if any(value) and len(image.claims) < 16:
            image.claims.append(claim)
    return None


def _hashed(source: Source, image: Image, most: int) -> dict[str, str]:
    if image.media_bytes > most:
        raise EwfError("limit")
    states = {name: hashlib.new(name, usedforsecurity=False) for name in ("md5", "sha1")}
    for piece in media(source, image):
        for state in states.values():
            state.update(piece)
    return {name: state.hexdigest() for name, state in states.items()}


def media(source: Source, image: Image) -> Iterator[bytes]:
    """Yield the media chunk by chunk; memory holds one chunk.

    Raises:
        EwfError: a table or a chunk is not what it says, or chunks are missing.
    """
    left = image.media_bytes
    for table in image.tables:
        for offset, end, compressed in _entries(source, table):
            if left <= 0:
                raise EwfError("table")
            wanted = min(image.chunk_bytes, left)
            yield _chunk(source, offset, end, compressed, wanted)
            left -= wanted
    if left:
        raise EwfError("table")


def _entries(source: Source, table: Section) -> Iterator[tuple[int, int, bool]]:
    """Yield where each chunk of a table begins, where it must have ended, and its form."""
    raw = source.at(table.start, _TABLE.size)
    count, base, checksum = _TABLE.unpack(raw)
    if zlib.adler32(raw[:-4]) != checksum or 4 * count > table.size:
        raise EwfError("table")
    entries = source.at(table.start + _TABLE.size, 4 * count)
    sum_ = source.at(table.start + _TABLE.size + 4 * count, 4)
    if len(entries) < 4 * count:
        raise EwfError("table")
    # The oldest writers put the chunks there instead of a checksum over the entries.
    held = table.size > _TABLE.size + 4 * count + 4
    if not held and zlib.adler32(entries) != int.from_bytes(sum_, "little"):
        raise EwfError("table")
    values = struct.unpack(f"<{count}I", entries)
    for number, value in enumerate(values):
        offset = base + (value & 0x7FFF_FFFF)
        following = base + (values[number + 1] & 0x7FFF_FFFF) if number + 1 < count else 0
        end = following if following > offset else source.size
        yield offset, end, bool(value & 0x8000_0000)


def _chunk(source: Source, offset: int, end: int, compressed: bool, wanted: int) -> bytes:
    most = min(end - offset, wanted + (wanted >> 6) + 1024)
    if offset < 13 or most <= 0:
        raise EwfError("chunk")
    if not compressed:
        raw = source.at(offset, wanted + 4)
        data = raw[:wanted]
        if len(raw) < wanted + 4 or zlib.adler32(data) != int.from_bytes(raw[wanted:], "little"):
            raise EwfError("chunk")
        return data
    inflater = zlib.decompressobj()
    data = inflater.decompress(source.at(offset, most), wanted + 1)
    if len(data) == wanted and not inflater.eof:
        data += inflater.decompress(inflater.unconsumed_tail, 1)
    if len(data) != wanted or not inflater.eof:
        raise EwfError("chunk")
    return data
