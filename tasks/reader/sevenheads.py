"""The header of a 7z archive, as far as locks stand in it: read, and written without them.

After 7zFormat.txt of the LZMA SDK. A folder is a chain of coders over packed streams; one of them
may be 7zAES, in front of a packed stream. Taken out of the chain, what is left is the folder of
the archive with that stream in the clear. Everything else of a header stays as it is, byte for
byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

END, HEADER, PROPERTIES, ADDITIONAL, STREAMS = 0x00, 0x01, 0x02, 0x03, 0x04
PACKED, FOLDERS, SUBSTREAMS = 0x06, 0x07, 0x08
SIZES, CHECKSUMS, FOLDER, UNPACKED_SIZES, ENCODED = 0x09, 0x0A, 0x0B, 0x0C, 0x17
AES = bytes.fromhex("06f10701")
COPY = b"\0"
_MOST = 1 << 16


class Malformed(Exception):
    """The header is none, or has what no archive is written with."""


@dataclass(frozen=True)
class Coder:
    """One step of a folder: its method, how many streams go in and out, its properties."""

    method: bytes
    streams_in: int = 1
    streams_out: int = 1
    properties: bytes = b""


@dataclass
class Folder:
    """A chain of coders; ``bonds`` lead from a stream out of one into another.

    ``packed`` are the streams in that come from the file; ``sizes`` those of all streams out.
    """

    coders: list[Coder]
    bonds: list[tuple[int, int]]
    packed: list[int]
    sizes: list[int] = field(default_factory=list)


@dataclass
class Streams:
    """Where packed streams begin (beyond the first 32 bytes), their sizes, and their folders.

    ``checksums`` and ``rest`` are as they stand in the header, up to the end of the streams.
    """

    position: int
    sizes: list[int]
    folders: list[Folder]
    checksums: bytes = b""
    rest: bytes = b""


class Reading:
    """A header that is read from its beginning on."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def take(self, length: int) -> bytes:
        """Return the next bytes, or raise ``Malformed`` where there are not so many."""
        found = self.data[self.at : self.at + length]
        if len(found) != length:
            raise Malformed("the header is cut off")
        self.at += length
        return found

    def number(self) -> int:
        """Return a number: each leading bit of the first byte that is set is a byte more."""
        first, value = self.byte(), 0
        for place in range(8):
            mask = 0x80 >> place
            if not first & mask:
                return value | (first & (mask - 1)) << 8 * place
            value |= self.byte() << 8 * place
        return value

    def count(self) -> int:
        """Return a number of things that a header has."""
        found = self.number()
        if found > _MOST:
            raise Malformed("too many of them")
        return found

    def expect(self, kind: int) -> None:
        """Read on over a kind of property, or raise ``Malformed``."""
        if self.byte() != kind:
            raise Malformed("not what stands here")


def number(value: int) -> bytes:
    """Return a number as ``Reading.number`` reads it."""
    for more in range(8):
        if value < 1 << (7 * (more + 1)):
            first = (0xFF00 >> more & 0xFF) | value >> 8 * more
            return bytes([first]) + (value & (1 << 8 * more) - 1).to_bytes(more, "little")
    return b"\xff" + value.to_bytes(8, "little")


def streams(reading: Reading) -> Streams:
    """Read the information on streams, whose mark was read before."""
    reading.expect(PACKED)
    found = Streams(reading.number(), [], [])
    count = reading.count()
    while (kind := reading.byte()) != END:
        if kind == SIZES:
            found.sizes = [reading.number() for _ in range(count)]
        elif kind == CHECKSUMS:
            _checksums(reading, count)
        else:
            raise Malformed("unknown of packed streams")
    reading.expect(FOLDERS)
    reading.expect(FOLDER)
    folders = reading.count()
    reading.expect(0)
    found.folders = [_folder(reading) for _ in range(folders)]
    reading.expect(UNPACKED_SIZES)
    for folder in found.folders:
        folder.sizes = [reading.number() for c in folder.coders for _ in range(c.streams_out)]
    start = reading.at
    if reading.byte() == CHECKSUMS:
        _checksums(reading, folders)
        reading.expect(END)
    found.checksums = reading.data[start : reading.at]
    if len(found.sizes) != count or count != sum(len(f.packed) for f in found.folders):
        raise Malformed("streams of no folder")
    return found


def _checksums(reading: Reading, count: int) -> None:
    defined = count
    if not reading.byte():
        bits = int.from_bytes(reading.take((count + 7) // 8), "big")
        defined = bits.bit_count()
    reading.take(4 * defined)


def _folder(reading: Reading) -> Folder:
    coders = []
    for _ in range(reading.count()):
        flags = reading.byte()
        method = reading.take(flags & 0x0F)
        ins, outs = (reading.count(), reading.count()) if flags & 0x10 else (1, 1)
        properties = reading.take(reading.count()) if flags & 0x20 else b""
        if flags & 0xC0:
            raise Malformed("reserved")
        coders.append(Coder(method, ins, outs, properties))
    ins, outs = sum(c.streams_in for c in coders), sum(c.streams_out for c in coders)
    bonds = [(reading.number(), reading.number()) for _ in range(outs - 1)]
    left = ins - len(bonds)
    bound = {into for into, _ in bonds}
    free = [at for at in range(ins) if at not in bound]
    if left < 1 or len(free) != left:
        raise Malformed("streams of nothing")
    packed = free if left == 1 else [reading.number() for _ in range(left)]
    return Folder(coders, bonds, packed)


@dataclass(frozen=True)
class Lock:
    """A packed stream that is locked: which it is of its folder, how, its size in the clear."""

    index: int
    properties: bytes
    size: int


def unlocked(folder: Folder) -> tuple[Folder, list[Lock]]:
    """Return a folder without its locks, and what they were."""
    locks = []
    while (found := _lock(folder)) is not None:
        at, index = found
        locks.append(Lock(index, folder.coders[at].properties, folder.sizes[at]))
        folder = _without(folder, at, index)
    return folder, locks


def _lock(folder: Folder) -> tuple[int, int] | None:
    """Return the first 7zAES coder of a folder, and which packed stream it opens."""
    for at, coder in enumerate(folder.coders):
        if coder.method == AES:
            if any((c.streams_in, c.streams_out) != (1, 1) for c in folder.coders[:at]):
                raise Malformed("a lock behind what joins streams")
            if at not in folder.packed:
                raise Malformed("a lock on no packed stream")
            return at, folder.packed.index(at)
    return None


def _without(folder: Folder, at: int, index: int) -> Folder:
    if len(folder.coders) == 1:
        return Folder([Coder(COPY)], [], [0], folder.sizes)
    into = next((i for i, out in folder.bonds if out == at), None)
    if into is None:
        raise Malformed("a lock at the end of a chain")
    packed = [into if number_ == index else p for number_, p in enumerate(folder.packed)]
    return Folder(
        [coder for place, coder in enumerate(folder.coders) if place != at],
        [(i - (i > at), o - (o > at)) for i, o in folder.bonds if o != at],
        [p - (p > at) for p in packed],
        [size for place, size in enumerate(folder.sizes) if place != at],
    )


def written(found: Streams) -> bytes:
    """Return the information on streams as a header has it, with its mark."""
    out = bytes([STREAMS, PACKED]) + number(found.position) + number(len(found.sizes))
    out += bytes([SIZES]) + b"".join(map(number, found.sizes)) + bytes([END])
    out += bytes([FOLDERS, FOLDER]) + number(len(found.folders)) + b"\0"
    out += b"".join(piece for folder in found.folders for piece in _pieces(folder))
    out += bytes([UNPACKED_SIZES])
    out += b"".join(number(size) for folder in found.folders for size in folder.sizes)
    return out + found.checksums + found.rest


def _pieces(folder: Folder) -> Iterator[bytes]:
    yield number(len(folder.coders))
    for coder in folder.coders:
        simple = (coder.streams_in, coder.streams_out) == (1, 1)
        flags = len(coder.method) | 0x10 * (not simple) | 0x20 * bool(coder.properties)
        yield bytes([flags]) + coder.method
        if not simple:
            yield number(coder.streams_in) + number(coder.streams_out)
        if coder.properties:
            yield number(len(coder.properties)) + coder.properties
    for bond in folder.bonds:
        yield number(bond[0]) + number(bond[1])
    if len(folder.packed) > 1:
        yield b"".join(map(number, folder.packed))
