"""The bytes of one archive member: unpacked in pieces, never more than was announced."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import Protocol

import inflate64
from zstandard import ZstdError

from tasks.reader import zipcrypt
from tasks.reader.containers.stream import MAX_WINDOW_BYTES, Stepped, zstd
from tasks.reader.job import Refused
from tasks.reader.source import Source
from tasks.reader.zipdir import ZipMember

CHUNK = 1 << 18

_ERRORS = (
    zlib.error,
    lzma.LZMAError,
    ZstdError,
    OSError,
    EOFError,
    ValueError,
    IndexError,
    struct.error,
)


class _Unpacker(Protocol):
    """What all decompressors share."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes."""


def unpack(source: Source, member: ZipMember, limit: int) -> Iterator[bytes]:
    """Yield the member's bytes; raise ``Refused`` if size or checksum differ from its claim."""
    if member.size > limit:
        raise Refused(f"超过允许的大小。 Larger than allowed: {member.size} > {limit} bytes")
    if member.encrypted and not zipcrypt.opens(source, member):
        raise Refused("该项已加密。 The entry is encrypted.")
    checksum, given = 0, 0
    for piece in _pieces(source, member):
        given += len(piece)
        if given > member.size:
            raise Refused(f"解压后大于声明的大小。 Expands to more than its {member.size} bytes.")
        checksum = zlib.crc32(piece, checksum)
        yield piece
    authentic = member.encrypted and zipcrypt.unchecked(source, member)
    if given != member.size or not (authentic or checksum == member.crc):
        raise Refused("内容与其校验值不符。 The content does not match its size and checksum.")


def read(source: Source, member: ZipMember, limit: int) -> bytes:
    """Return the member's bytes at once, at most ``limit``."""
    return b"".join(unpack(source, member, limit))


def _pieces(source: Source, member: ZipMember) -> Iterator[bytes]:
    if member.encrypted:
        method, packed = zipcrypt.decrypted(source, member)
    else:
        start = _start(source, member)
        method, packed = member.method, _packed(source, start, member.compressed_size)
    if method == 0:
        yield from packed
        return
    try:
        unpacker, first = _unpacker(method, packed)
        yield from _expand(unpacker, first)
        for data in packed:
            yield from _expand(unpacker, data)
    except _ERRORS as error:
        raise Refused("压缩数据已损坏。 The compressed data is damaged.") from error


def _start(source: Source, member: ZipMember) -> int:
    header = source.at(member.offset, 30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise Refused("压缩包内没有该项。 The entry is not where the directory says.")
    name_length, extra_length = struct.unpack("<26xHH", header)
    return member.offset + 30 + int(name_length) + int(extra_length)


def _packed(source: Source, start: int, length: int) -> Iterator[bytes]:
    for at in range(0, length, CHUNK):
        data = source.at(start + at, min(CHUNK, length - at))
        if not data:
            return
        yield data


def _unpacker(method: int, packed: Iterator[bytes]) -> tuple[_Unpacker, bytes]:
    """Return the decompressor and the first data for it."""
    first = next(packed, b"")
    if method == 8:
        return _Inflate(), first
    if method == 12:
        return bz2.BZ2Decompressor(), first
    if method == 14:
        # APPNOTE 5.8.8: version, length and properties stand before the stream.
        (length,) = struct.unpack_from("<H", first, 2)
        properties = first[4 : 4 + length]
        code, dictionary = properties[0], struct.unpack_from("<I", properties, 1)[0]
        if dictionary > MAX_WINDOW_BYTES:
            raise Refused(f"所需内存过大。 Needs too much memory: {dictionary} bytes")
        rest, lc = divmod(code, 9)
        pb, lp = divmod(rest, 5)
        chain = [{"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}]
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain), first[4 + length :]
    if method == 9:
        # Deflate64 is what Windows packs files of more than 2 GiB with.
        inflater = inflate64.Inflater()
        return Stepped(inflater, inflater.inflate), first
    if method == 93:
        return zstd(), first
    raise Refused(f"不支持的压缩方法 {method}。 Compression method {method} is not supported.")


class _Inflate:
    """Raw deflate with the interface of the other two."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-15)

    @property
    def needs_input(self) -> bool:
        """Whether all input given so far has been used."""
        return not self._inner.unconsumed_tail

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""
        return self._inner.eof

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def _expand(unpacker: _Unpacker, data: bytes) -> Iterator[bytes]:
    """Yield pieces of at most ``CHUNK`` bytes until ``data`` is used up."""
    while not getattr(unpacker, "eof", False):
        piece = unpacker.decompress(data, CHUNK)
        data = b""
        if piece:
            yield piece
        if getattr(unpacker, "needs_input", True) and len(piece) < CHUNK:
            return
