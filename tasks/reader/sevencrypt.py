"""Locked 7z archives (7zAES): the archive as it would be without its locks, read piece by piece.

Only with a password that came with the job. libarchive reads what comes out as any other archive
and holds it against its checksums. Nothing is kept decrypted: each read decrypts its blocks.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import struct
import zlib
from functools import lru_cache
from typing import IO, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tasks.reader import password, sevenheads
from tasks.reader.sevenheads import Malformed, Reading
from tasks.reader.source import Source

MAGIC = b"7z\xbc\xaf\x27\x1c"
_START, _BLOCK = 32, 16
_MOST_HEADER = 64 << 20
# 7-Zip writes 19: half a million rounds of SHA-256.
_MOST_CYCLES = 22
_LZMA, _LZMA2 = b"\x03\x01\x01", b"\x21"


class _Piece(NamedTuple):
    """Bytes of the archive without locks: where they begin, and what they are made of.

    ``held`` are the bytes themselves, else they stand in the original at ``origin``; ``key``
    and ``first`` open them.
    """

    start: int
    size: int
    held: bytes = b""
    origin: int = 0
    key: bytes = b""
    first: bytes = b""


class Unlocked(Source):
    """A 7z archive without its locks."""

    def __init__(self, source: Source, pieces: list[_Piece]) -> None:
        """Take the original and what the whole is put together of, in order."""
        super().__init__(b"", source.name)
        self._source, self._pieces = source, pieces
        self.size = pieces[-1].start + pieces[-1].size

    def at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer at the end."""
        found = []
        for piece in self._pieces:
            first = max(offset, piece.start) - piece.start
            last = min(offset + length, piece.start + piece.size) - piece.start
            if first < last:
                found.append(_of(self._source, piece, first, last))
        return b"".join(found)

    def whole(self) -> bytes:
        """Return all bytes; the memory limit of the process is the bound."""
        return self.at(0, self.size)

    def file(self) -> IO[bytes]:
        """Return a new seekable file over the bytes."""
        return io.BytesIO(self.whole())


def is_locked(source: Source) -> bool:
    """Return whether an archive has a lock: on its list, or on what it holds."""
    try:
        _, header = _header(source)
        if header[:1] == bytes([sevenheads.ENCODED]):
            found = _encoded(header)
            return any(sevenheads.unlocked(folder)[1] for folder in found.folders) or _names_lock(
                _decoded(source, found)
            )
        return _names_lock(header)
    except (Malformed, lzma.LZMAError):
        return False


def _names_lock(header: bytes) -> bool:
    """Return whether a plain header names a lock on any of its folders."""
    found = _main(header)
    return found is not None and any(sevenheads.unlocked(f)[1] for f in found[1].folders)


def opened(source: Source) -> Source | None:
    """Return the archive without its locks, None where the password does not open them.

    Where only the data is locked, what comes out is as it may be: its checksums tell.
    """
    try:
        end, header = _header(source)
        for _ in range(4):
            if header[:1] != bytes([sevenheads.ENCODED]):
                break
            header = _decoded(source, _encoded(header))
        main = _main(header)
        if main is None:
            return None
        return Unlocked(source, _pieces(source, *main, end))
    except (Malformed, lzma.LZMAError):
        return None


def _header(source: Source) -> tuple[int, bytes]:
    """Return where an archive ends, and its header as it stands there."""
    offset, size, checksum = struct.unpack_from(
        "<QQI", source.head(_START).ljust(_START, b"\0"), 12
    )
    if not 0 < size <= _MOST_HEADER or _START + offset + size > source.size:
        raise Malformed("no header")
    header = source.at(_START + offset, size)
    if zlib.crc32(header) != checksum:
        raise Malformed("not the header that was written")
    return _START + offset + size, header


def _encoded(header: bytes) -> sevenheads.Streams:
    return sevenheads.streams(Reading(header[1:]))


def _decoded(source: Source, found: sevenheads.Streams) -> bytes:
    """Return the header that one folder of one stream holds."""
    if len(found.folders) != 1 or len(found.sizes) != 1:
        raise Malformed("a header in pieces")
    folder, locks = sevenheads.unlocked(found.folders[0])
    start = _START + found.position
    if start + found.sizes[0] > source.size or found.sizes[0] > _MOST_HEADER:
        raise Malformed("a header beyond the archive")
    piece = _Piece(0, found.sizes[0], origin=start)
    if locks:
        piece = _locked(0, start, found.sizes[0], locks[0])
    data = _of(source, piece, 0, piece.size)
    for coder in reversed(folder.coders) if len(folder.coders) > 1 else folder.coders:
        data = _unpacked(data, coder, folder.sizes[-1] if len(folder.coders) == 1 else -1)
    checksum = found.checksums
    if len(checksum) >= 6 and checksum[1] == 1:
        data = data[: folder.sizes[0]]
        if zlib.crc32(data) != int.from_bytes(checksum[2:6], "little"):
            raise Malformed("the password is wrong, or the header damaged")
    return data


def _unpacked(data: bytes, coder: sevenheads.Coder, size: int) -> bytes:
    if coder.method == sevenheads.COPY:
        return data
    if coder.method == _LZMA and len(coder.properties) == 5 and coder.properties[0] < 225:
        rest, room = divmod(coder.properties[0], 9)
        pb, lp = divmod(rest, 5)
        used = int.from_bytes(coder.properties[1:], "little")
        chain = {"id": lzma.FILTER_LZMA1, "dict_size": _room(used), "lc": room, "lp": lp, "pb": pb}
    elif coder.method == _LZMA2 and len(coder.properties) == 1:
        bits = coder.properties[0]
        if bits > 40:
            raise Malformed("no such dictionary")
        used = (2 | bits & 1) << (bits // 2 + 11)
        chain = {"id": lzma.FILTER_LZMA2, "dict_size": _room(used)}
    else:
        raise Malformed("a method that headers are not packed with")
    reader = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])
    return reader.decompress(data, size if size >= 0 else _MOST_HEADER)


def _room(dictionary: int) -> int:
    """Return as much of a dictionary as a header can need."""
    return min(max(dictionary, 4096), _MOST_HEADER)


def _main(header: bytes) -> tuple[bytes, sevenheads.Streams, bytes] | None:
    """Return what stands before the streams of a header, them, and what follows; None for none."""
    reading = Reading(header)
    reading.expect(sevenheads.HEADER)
    kind = reading.byte()
    if kind == sevenheads.PROPERTIES:
        while reading.byte() != sevenheads.END:
            reading.take(reading.count())
        kind = reading.byte()
    if kind != sevenheads.STREAMS:
        return None
    before = header[: reading.at - 1]
    found = sevenheads.streams(reading)
    return before, found, header[reading.at :]


def _pieces(
    source: Source, before: bytes, found: sevenheads.Streams, after: bytes, end: int
) -> list[_Piece]:
    """Return what the archive without locks is put together of."""
    pieces: list[_Piece] = []
    clear = sevenheads.Streams(0, [], [], found.checksums)
    at, origin, number = _START, _START + found.position, 0
    for folder in found.folders:
        opened_, locks = sevenheads.unlocked(folder)
        clear.folders.append(opened_)
        locked = {lock.index: lock for lock in locks}
        for index in range(len(folder.packed)):
            size = found.sizes[number]
            if origin + size > end:
                raise Malformed("a stream beyond the archive")
            lock = locked.get(index)
            piece = _locked(at, origin, size, lock) if lock else _Piece(at, size, origin=origin)
            pieces.append(piece)
            clear.sizes.append(piece.size)
            at, origin, number = at + piece.size, origin + size, number + 1
    header = before + sevenheads.written(clear) + after
    start = struct.pack("<QQI", at - _START, len(header), zlib.crc32(header))
    head = source.head(8) + struct.pack("<I", zlib.crc32(start)) + start
    # What is hidden behind the archive stays there to be found.
    tail = _Piece(at + len(header), source.size - end, origin=end)
    return [_Piece(0, _START, head), *pieces, _Piece(at, len(header), header), tail]


def _locked(start: int, origin: int, size: int, lock: sevenheads.Lock) -> _Piece:
    """Return a packed stream in the clear; raise ``Malformed`` where its lock is none."""
    told = lock.properties
    if len(told) < 2 or lock.size > size or size % _BLOCK:
        raise Malformed("no lock")
    salt_size = (told[0] >> 7 & 1) + (told[1] >> 4)
    first_size = (told[0] >> 6 & 1) + (told[1] & 15)
    salt, first = told[2 : 2 + salt_size], told[2 + salt_size : 2 + salt_size + first_size]
    key = _key(password.text(), salt, told[0] & 0x3F)
    return _Piece(start, lock.size, b"", origin, key, first.ljust(_BLOCK, b"\0"))


@lru_cache(maxsize=8)
def _key(typed: str, salt: bytes, cycles: int) -> bytes:
    """Return the key: SHA-256 over salt, password and a counter, 2 to the power of ``cycles``."""
    words = salt + typed.encode("utf-16-le", "surrogatepass")
    if cycles == 0x3F:
        return words[:32].ljust(32, b"\0")
    if cycles > _MOST_CYCLES:
        raise Malformed("more rounds than anybody waits for")
    digest = hashlib.sha256()
    for begin in range(0, 1 << cycles, 4096):
        last = min(begin + 4096, 1 << cycles)
        digest.update(b"".join(words + n.to_bytes(8, "little") for n in range(begin, last)))
    return digest.digest()


def _of(source: Source, piece: _Piece, first: int, last: int) -> bytes:
    """Return bytes of a piece, decrypted where it is locked (CBC: each block by the one before)."""
    if piece.held:
        return piece.held[first:last]
    if not piece.key:
        return source.at(piece.origin + first, last - first)
    block = first // _BLOCK
    begin = block * _BLOCK
    before = source.at(piece.origin + begin - _BLOCK, _BLOCK) if block else piece.first
    data = source.at(piece.origin + begin, -(-last // _BLOCK) * _BLOCK - begin)
    data = data[: len(data) // _BLOCK * _BLOCK]
    reader = Cipher(algorithms.AES(piece.key), modes.CBC(before)).decryptor()
    return (reader.update(data) + reader.finalize())[first - begin : last - begin]
