"""How members travel out of the cell, and how the other side reads that without trust.

One frame is ``kind`` (1 byte), ``index`` (4 bytes) and ``length`` (4 bytes), big-endian, and
then ``length`` bytes, at most ``MAX_FRAME``. A member is BEGIN, any number of DATA, and END, or
FAIL with the reason for a person. TICK says that work goes on. LIST carries JSON in pieces.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import NamedTuple

MAX_FRAME = 1 << 18
_HEAD = struct.Struct(">BII")


class Kind(IntEnum):
    """What a frame says."""

    TICK = 0
    LIST = 1
    BEGIN = 2
    DATA = 3
    END = 4
    FAIL = 5


class Frame(NamedTuple):
    """One frame; ``data`` is whatever the cell put there."""

    kind: Kind
    member: int
    data: bytes


class FrameError(ValueError):
    """What came is not a sequence of frames."""


def encode(kind: Kind, index: int = 0, data: bytes = b"") -> bytes:
    """Return the bytes of one frame."""
    return _HEAD.pack(kind, index, len(data)) + data


def frames(untrusted_chunks: Iterator[bytes]) -> Iterator[Frame]:
    """Yield the frames; raise ``FrameError`` for what is none, and at the end for half of one."""
    held = bytearray()
    for chunk in untrusted_chunks:
        held += chunk
        at = 0
        while len(held) - at >= _HEAD.size:
            kind, index, length = _HEAD.unpack_from(held, at)
            if kind > Kind.FAIL or length > MAX_FRAME:
                raise FrameError("no such frame")
            if len(held) - at < _HEAD.size + length:
                break
            start = at + _HEAD.size
            yield Frame(Kind(kind), index, bytes(held[start : start + length]))
            at = start + length
        del held[:at]
    if held:
        raise FrameError("half a frame")


class Sender:
    """Frames on their way to ``write``, with small ones put together."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._frames = bytearray()
        self._data = bytearray()
        self._member = 0

    def send(self, kind: Kind, index: int = 0, data: bytes = b"") -> None:
        """Send one frame at once, after what is held."""
        self._pack()
        self._frames += encode(kind, index, data)
        self._write(bytes(self._frames))
        self._frames.clear()

    def data(self, index: int, piece: bytes) -> None:
        """Send bytes of a member, sooner or later."""
        self._member = index
        self._data += piece
        if len(self._data) >= MAX_FRAME // 2:
            self._pack()
            self._write(bytes(self._frames))
            self._frames.clear()

    def _pack(self) -> None:
        for at in range(0, len(self._data), MAX_FRAME):
            piece = bytes(self._data[at : at + MAX_FRAME])
            self._frames += encode(Kind.DATA, self._member, piece)
        self._data.clear()
