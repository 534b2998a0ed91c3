"""tar, read header by header without believing one: ustar, pax, GNU long names, old v7.

POSIX.1-2024 pax, "ustar Interchange Format" and "pax Header Block"; the GNU tar manual, "Basic
Tar Format". A header whose checksum is wrong ends the archive as damaged: guessing where the
next one starts would let two readers see two archives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tasks.reader.answer import Member, MemberKind
from tasks.reader.containers import names
from tasks.reader.containers.stream import Forward
from tasks.reader.containers.walker import Broken, Entry, Tick, nothing
from tasks.reader.job import Refused
from tasks.reader.strict import MAX_NUMBER, clean

BLOCK = 512
_MAX_EXTENSION = 1 << 20
_ZEROS = bytes(BLOCK)
_KINDS: dict[bytes, MemberKind] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"S": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "special",
    b"4": "special",
    b"5": "folder",
    b"6": "special",
    b"D": "folder",
}
# Links, devices, folders and FIFOs have no data, whatever size their header claims.
_WITHOUT_DATA = b"123456"
_EXTENSIONS = (b"x", b"g", b"L", b"K", b"X")


@dataclass(frozen=True)
class Header:
    """One header block as it stands there."""

    name: bytes
    size: int
    modified: int
    type: bytes
    link: bytes


@dataclass
class _Extra:
    """What extension headers said about the next entry."""

    path: bytes | None = None
    link: bytes | None = None
    size: int | None = None
    modified: int | None = None
    sparse: bool = False

    def take(self, records: dict[bytes, bytes]) -> None:
        self.path = records.get(b"path", self.path)
        self.link = records.get(b"linkpath", self.link)
        if b"size" in records:
            self.size = _decimal(records[b"size"])
        if b"mtime" in records:
            self.modified = _decimal(records[b"mtime"].split(b".")[0].lstrip(b"-"))
        self.sparse = self.sparse or any(key.startswith(b"GNU.sparse.") for key in records)


class Tar:
    """A walk over a tar archive that ``stream`` yields."""

    def __init__(
        self, stream: Forward, tick: Tick, format: str = "tar", problems: list[str] | None = None
    ) -> None:
        """Walk ``stream``, whose own ``problems`` come into the same list."""
        self.format = format
        self.problems: list[str] = [] if problems is None else problems
        self._stream = stream
        self._tick = tick
        self._index = 0

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries; what follows the end of the archive is a problem unless zero."""
        everywhere, extra = _Extra(), _Extra()
        while True:
            block = self._stream.read(BLOCK)
            if not block or block == _ZEROS:
                return self._end(bool(block))
            header = parse_header(block)
            if header.type in _EXTENSIONS:
                self._extension(header, everywhere, extra)
                continue
            yield from self._entry(header, _merged(everywhere, extra))
            extra = _Extra()

    def _entry(self, header: Header, extra: _Extra) -> Iterator[Entry]:
        member = _member(self._index, header, extra)
        self._index += 1
        size = header.size if extra.size is None else extra.size
        data = 0 if header.type in _WITHOUT_DATA else size
        body = _Body(self._stream, data)
        yield Entry(member, body.pieces if member.kind == "file" else nothing)
        body.finish()

    def _extension(self, header: Header, everywhere: _Extra, extra: _Extra) -> None:
        if header.size > _MAX_EXTENSION:
            raise Broken("damaged", "tar 扩展头过大。 An extension header is too large.")
        body = _Body(self._stream, header.size)
        data = b"".join(body.pieces())
        body.finish()
        if header.type == b"L":
            extra.path = data.rstrip(b"\0")
        elif header.type == b"K":
            extra.link = data.rstrip(b"\0")
        else:
            (everywhere if header.type == b"g" else extra).take(pax_records(data))

    def _end(self, marked: bool) -> None:
        if not marked:
            # Every writer ends an archive with two blocks of zeros.
            self.problems.append("truncated")
            return
        for piece in self._stream.pieces(MAX_NUMBER):
            self._tick()
            if piece.count(0) != len(piece):
                self.problems.append("hidden")
                return


class _Body:
    """The data behind one header, and the way to the next whatever of it was taken."""

    def __init__(self, stream: Forward, size: int) -> None:
        self._stream = stream
        self._left = size
        self._padding = -size % BLOCK

    def pieces(self) -> Iterator[bytes]:
        for piece in self._stream.pieces(self._left):
            self._left -= len(piece)
            yield piece
        if self._left:
            raise _cut_off()

    def finish(self) -> None:
        rest = self._left + self._padding
        if self._stream.skip(rest) != rest:
            raise _cut_off()


def is_tar(block: bytes) -> bool:
    """Return whether a block is a tar header: a right checksum, and a name or the magic."""
    try:
        return bool(parse_header(block).name) or block[257:262] == b"ustar"
    except Refused:
        return False


def parse_header(block: bytes) -> Header:
    """Return the header, or raise ``Broken`` unless every field is spelt as the format says."""
    if len(block) != BLOCK:
        raise _cut_off()
    blank = block[:148] + b" " * 8 + block[156:]
    claimed, total = _number(block[148:156]), sum(blank)
    if not block[148:156].strip(b" \0"):
        raise Broken("damaged", "tar 头没有校验和。 A tar header has no checksum.")
    # Some old writers took bytes for signed numbers.
    if claimed != total and claimed != total - 256 * sum(1 for byte in blank if byte > 127):
        raise Broken("damaged", "tar 头校验和有误。 The checksum of a tar header is wrong.")
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = prefix + b"/" + name
    return Header(
        name=name,
        size=_number(block[124:136]),
        modified=_number(block[136:148]),
        type=block[156:157],
        link=_text(block[157:257]),
    )


def pax_records(data: bytes) -> dict[bytes, bytes]:
    """Return the records ``length key=value newline``; raise ``Broken`` for another form."""
    records: dict[bytes, bytes] = {}
    while data:
        digits, space, _ = data[:12].partition(b" ")
        length = _decimal(digits) if space else 0
        record = data[len(digits) + 1 : length]
        key, equals, value = record.partition(b"=")
        if not equals or not record.endswith(b"\n") or length > len(data):
            raise Broken("damaged", "tar 扩展头格式有误。 An extension header is malformed.")
        records[key] = value[:-1]
        data = data[length:]
    return records


def _member(index: int, header: Header, extra: _Extra) -> Member:
    raw = header.name if extra.path is None else extra.path
    size = header.size if extra.size is None else extra.size
    kind = _KINDS.get(header.type, "special")
    if kind == "file" and header.type == b"\0" and raw.endswith(b"/"):
        kind = "folder"
    text, encoding = names.decode(raw)
    name = _plain(text, kind)
    unsafe = names.unsafe_path(name) if name != "." or kind != "folder" else []
    if b"\0" in raw:
        unsafe.append("nul")
    if kind == "file" and name.endswith("/") and "empty_name" not in unsafe:
        # To some readers this is a folder.
        unsafe.append("empty_name")
    if kind in ("symlink", "special"):
        unsafe.append(kind)
    if extra.sparse or header.type == b"S":
        unsafe.append("sparse")
    if size and kind != "file":
        unsafe.append("hidden_data")
    link = header.link if extra.link is None else extra.link
    linked = names.decode(link)[0] if kind in ("symlink", "hardlink") else ""
    return Member(
        index=index,
        name=clean(name),
        raw_name=raw.hex(),
        encoding=encoding,
        kind=kind,
        size=min(size, MAX_NUMBER) if kind == "file" else 0,
        modified=_time(header.modified if extra.modified is None else extra.modified),
        unsafe=tuple(unsafe),
        target=clean(_plain(linked, kind) if kind == "hardlink" else linked),
    )


def _plain(name: str, kind: MemberKind) -> str:
    """Return the name without what ``tar c .`` puts before it and behind a folder's."""
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    if kind == "folder":
        name = name.rstrip("/") or ("/" if name else ".")
    return name


def _merged(everywhere: _Extra, extra: _Extra) -> _Extra:
    return replace(
        extra,
        path=extra.path if extra.path is not None else everywhere.path,
        link=extra.link if extra.link is not None else everywhere.link,
        size=extra.size if extra.size is not None else everywhere.size,
        modified=extra.modified if extra.modified is not None else everywhere.modified,
        sparse=extra.sparse or everywhere.sparse,
    )


def _text(field: bytes) -> bytes:
    return field.split(b"\0", 1)[0]


def _number(field: bytes) -> int:
    """Return a number in octal, or in base 256 as GNU writes what octal cannot hold."""
    if field[0] == 0x80:
        value = int.from_bytes(field[1:])
    else:
        digits = field.split(b"\0", 1)[0].strip(b" ")
        if digits.strip(b"01234567"):
            raise Broken("damaged", "tar 头中的数字有误。 A number in a tar header is malformed.")
        value = int(digits or b"0", 8)
    if value > MAX_NUMBER:
        raise Broken("damaged", "tar 头中的数字过大。 A number in a tar header is too large.")
    return value


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 16:
        raise Broken("damaged", "tar 扩展头中的数字有误。 A number in a pax header is malformed.")
    return int(digits)


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return ""


def _cut_off() -> Broken:
    return Broken("truncated", "tar 包不完整。 The tar archive is cut off.")
