"""Whether a zstd file is whole: its frames walked by their headers alone (RFC 8878).

The library's reader ends without a word where the file does. A frame is::

    magic  descriptor  [window]  [dictionary]  [content size]  block...  [checksum]

and a block three bytes, little endian: bit 0 the last one, bits 1-2 the type, the rest the size
(of a block of one repeated byte only that byte is stored).
"""

from __future__ import annotations

from tasks.reader.source import Source

_MAGIC = 0xFD2FB528
_SKIPPED = range(0x184D2A50, 0x184D2A60)
_DICTIONARY = (0, 1, 2, 4)
_CONTENT_SIZE = (0, 2, 4, 8)
_REPEATED = 1


def whole(source: Source) -> bool:
    """Return whether no frame is cut off; what is no frame at all is the decoder's to judge."""
    at = 0
    while 0 <= at < source.size:
        magic = int.from_bytes(source.at(at, 4), "little")
        if magic in _SKIPPED:
            at += 8 + int.from_bytes(source.at(at + 4, 4), "little")
        elif magic == _MAGIC:
            at = _after_frame(source, at + 4)
        else:
            return True
    return at == source.size


def _after_frame(source: Source, at: int) -> int:
    """Return where a frame ends, or -1 if the file ends before it."""
    head = source.at(at, 1)
    if not head:
        return -1
    single, checksum = head[0] >> 5 & 1, head[0] >> 2 & 1
    sized = _CONTENT_SIZE[head[0] >> 6] or single
    at += 1 + (1 - single) + _DICTIONARY[head[0] & 3] + sized
    last = 0
    while not last:
        block = source.at(at, 3)
        if len(block) < 3:
            return -1
        value = int.from_bytes(block, "little")
        last, kind, size = value & 1, value >> 1 & 3, value >> 3
        at += 3 + (1 if kind == _REPEATED else size)
    at += 4 * checksum
    return at if at <= source.size else -1
