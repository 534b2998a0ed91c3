"""Bytes read strictly forward: straight from a document, or out of a compression around it.

Nothing is held but one piece, and what comes out is counted against the limits while it comes.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, Protocol

import zstandard

from tasks.reader.containers.walker import CHUNK, Broken, Tick
from tasks.reader.limits import RATIO_FROM, Limits, exceeded
from tasks.reader.source import Source

# What one decompressor may take for its window.
MAX_WINDOW_BYTES = 512 << 20

_ERRORS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError, ValueError)
_STARTS: dict[str, tuple[bytes, ...]] = {
    "gz": (b"\x1f\x8b\x08",),
    "bz2": (b"BZh",),
    "xz": (b"\xfd7zXZ\0",),
    # RFC 8878, 3.1: frames, and frames to skip.
    "zst": (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + i]) + b"\x2a\x4d\x18" for i in range(16))),
}
# What 4 bytes of zstd can expand to is a block of 128 KiB, and its library gives all at once.
_STEP = 1 << 10


class Forward(Protocol):
    """Bytes that can be read once, from the first to the last; ``position`` counts them."""

    position: int

    def read(self, length: int) -> bytes:
        """Return ``length`` bytes, fewer only at the end; for headers, not for contents."""
        ...

    def pieces(self, length: int) -> Iterator[bytes]:
        """Yield ``length`` bytes in pieces of at most ``CHUNK``, fewer only at the end."""
        ...

    def skip(self, length: int) -> int:
        """Pass over ``length`` bytes and return how many there were."""
        ...


class Plain:
    """The document itself."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.position = 0

    def read(self, length: int) -> bytes:
        """Return the next bytes."""
        data = self._source.at(self.position, length)
        self.position += len(data)
        return data

    def pieces(self, length: int) -> Iterator[bytes]:
        """Yield the next bytes."""
        while length > 0 and (data := self.read(min(length, CHUNK))):
            length -= len(data)
            yield data

    def skip(self, length: int) -> int:
        """Move on without reading."""
        step = max(0, min(length, self._source.size - self.position))
        self.position += step
        return step


class Pulled:
    """What a decompressor yields, as a stream."""

    def __init__(self, pieces: Iterator[bytes], tick: Tick) -> None:
        self._more = pieces
        self._tick = tick
        self._piece = b""
        self._at = 0
        self.position = 0

    def pieces(self, length: int) -> Iterator[bytes]:
        """Yield the next bytes."""
        while length > 0:
            if self._at == len(self._piece):
                self._piece, self._at = next(self._more, b""), 0
                if not self._piece:
                    return
            data = self._piece[self._at : self._at + min(length, CHUNK)]
            self._at += len(data)
            length -= len(data)
            self.position += len(data)
            yield data

    def read(self, length: int) -> bytes:
        """Return the next bytes."""
        return b"".join(self.pieces(length))

    def skip(self, length: int) -> int:
        """Read on and drop it."""
        passed = 0
        for data in self.pieces(length):
            passed += len(data)
            self._tick()
        return passed


def expanded(source: Source, kind: str, limits: Limits, problems: list[str]) -> Iterator[bytes]:
    """Yield what is compressed as ``kind``; raise ``Broken`` for damage and exceeded limits.

    Bytes after the last stream are put down as ``hidden`` in ``problems``.
    """
    feed = _Feed(source)
    given = 0
    try:
        for piece in _streams(feed, kind, problems):
            given += len(piece)
            if given > limits.max_total_bytes:
                raise _over("total", given, limits.max_total_bytes)
            if given > RATIO_FROM and given > limits.max_ratio * max(feed.position, 1):
                raise _over("ratio", given // max(feed.position, 1), limits.max_ratio)
            yield piece
    except lzma.LZMAError as error:
        if "Memory usage limit" in str(error):
            raise _over("window", MAX_WINDOW_BYTES + 1, MAX_WINDOW_BYTES) from error
        raise _damaged() from error
    except _ERRORS as error:
        raise _damaged() from error


class _Feed:
    """The compressed bytes, piece by piece."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.position = 0

    def read(self) -> bytes:
        data = self._source.at(self.position, CHUNK)
        self.position += len(data)
        return data


def _streams(feed: _Feed, kind: str, problems: list[str]) -> Iterator[bytes]:
    """Yield the content of one stream after the other, as the tools of each format do."""
    data = feed.read()
    while True:
        rest = yield from _one(_DECODERS[kind](), data, feed)
        # Between xz streams, and after those on tape, there may be zeros.
        data = rest.lstrip(b"\0")
        while not data:
            more = feed.read()
            if not more:
                return
            data = more.lstrip(b"\0")
        if len(data) < 8:
            data += feed.read()
        if not data.startswith(_STARTS[kind]):
            problems.append("hidden")
            return


def _one(decoder: Any, data: bytes, feed: _Feed) -> Generator[bytes, None, bytes]:
    """Yield one stream and return the bytes read beyond its end."""
    while not decoder.eof:
        piece = decoder.decompress(data, CHUNK)
        data = b""
        if piece:
            yield piece
        if decoder.needs_input and not decoder.eof:
            data = feed.read()
            # An empty piece says nothing: only without input left is the stream cut off.
            if not data and not piece:
                raise Broken("truncated", "压缩数据不完整。 The compressed data is cut off.")
    rest: bytes = decoder.unused_data
    return rest


class _Gzip:
    """gzip with the interface that bz2 and lzma share."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, length)


class Stepped:
    """A decompressor that gives all it can at once, fed so little that this stays small.

    It has the interface of bz2's and lzma's, but may return more than it is asked for.
    """

    def __init__(self, inner: Any, expand: Callable[[bytes], bytes]) -> None:
        """Feed ``expand``, a method of ``inner``, which says itself when its end is reached."""
        self._inner = inner
        self._expand = expand
        self._rest = memoryview(b"")

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""
        return bool(self._inner.eof)

    @property
    def needs_input(self) -> bool:
        """Whether all input given so far has been used."""
        return not self._rest

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end."""
        return bytes(self._inner.unused_data) + bytes(self._rest)

    def decompress(self, data: bytes, max_length: int = CHUNK) -> bytes:
        """Return what the next little step of the input expands to."""
        if data:
            self._rest = memoryview(bytes(self._rest) + data)
        step, self._rest = self._rest[:_STEP], self._rest[_STEP:]
        return self._expand(bytes(step)) if step else b""


def zstd() -> Stepped:
    """Return a decompressor of one zstd frame."""
    inner = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()
    return Stepped(inner, inner.decompress)


_DECODERS: dict[str, Callable[[], Any]] = {
    "gz": _Gzip,
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_WINDOW_BYTES),
    "zst": zstd,
}


def _over(code: str, value: int, limit: int) -> Broken:
    return Broken(
        exceeded(code, value, limit),
        f"解压超过上限。 Unpacking exceeds a limit: {code} {value} > {limit}",
    )


def _damaged() -> Broken:
    return Broken("damaged", "压缩数据已损坏。 The compressed data is damaged.")
