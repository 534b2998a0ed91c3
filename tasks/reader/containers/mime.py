"""The parts of a mail as slices of it, so that an attached mail keeps its very bytes.

RFC 2046, 5.1, read line by line: no part is held in memory, and nothing is written anew. The
headers of each part go through the standard library, names through ``tasks.reader.mail``.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from typing import Any

from tasks.reader import mail
from tasks.reader.containers.walker import CHUNK, Tick
from tasks.reader.job import Refused
from tasks.reader.source import Source

MAX_HEADER_BYTES = 1 << 18
_MAX_LEVELS = 20
_MAX_PARTS = 20_000
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")


@dataclass(frozen=True)
class Part:
    """One part that is not made of others: its headers, and where its body stands."""

    headers: Message
    start: int
    end: int

    @property
    def media_type(self) -> str:
        """The type that the part claims."""
        return str(safe(self.headers.get_content_type, "application/octet-stream"))

    @property
    def name(self) -> str:
        """The file name that the sender gave, empty if none."""
        return str(safe(lambda: mail.file_name(self.headers), ""))

    @property
    def body(self) -> bool:
        """Whether it is text of the mail itself and no attachment."""
        stated = safe(self.headers.get_content_disposition, None)
        kinds = ("text/plain", "text/html")
        return self.media_type in kinds and not self.name and stated != "attachment"

    @property
    def encoding(self) -> str:
        """The transfer encoding, in lower case."""
        return str(self.headers.get("content-transfer-encoding", "")).strip().lower()


def safe(ask: Callable[[], Any], otherwise: Any) -> Any:
    """Return what the standard library says of a header, or ``otherwise`` where it stumbles."""
    try:
        return ask()
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return otherwise


class Parts:
    """A walk over the parts of the mail that stands in ``source`` from ``start`` to ``end``.

    ``problems`` gets ``truncated`` for a multipart without its end, ``hidden`` for bytes behind
    one, and ``damaged`` where there are more parts or levels than any mail has.
    """

    def __init__(self, source: Source, start: int, end: int, tick: Tick) -> None:
        self.problems: list[str] = []
        self._source = source
        self._whole = (start, end)
        self._tick = tick
        self._count = 0

    def __iter__(self) -> Iterator[Part]:
        """Yield the parts in order."""
        yield from self._part(*self._whole, level=0)

    def _part(self, start: int, end: int, level: int) -> Iterator[Part]:
        headers, body = read_headers(self._source, start, end)
        boundary = safe(headers.get_boundary, None)
        kind = safe(headers.get_content_maintype, "")
        self._count += 1
        if kind == "multipart" and boundary and self._allowed(level):
            mark = b"--" + str(boundary).encode("utf-8", "surrogateescape")
            for first, last in self._slices(body, end, mark):
                yield from self._part(first, last, level + 1)
        else:
            yield Part(headers, body, end)

    def _allowed(self, level: int) -> bool:
        if level < _MAX_LEVELS and self._count <= _MAX_PARTS:
            return True
        self.problems.append("damaged")
        return False

    def _slices(self, start: int, end: int, mark: bytes) -> Iterator[tuple[int, int]]:
        """Yield where the parts between the lines that begin with ``mark`` stand."""
        opened = -1
        for line, after, closing in self._lines(start, end, mark):
            if opened >= 0:
                yield opened, max(opened, self._before_newline(line))
            opened = after
            if closing:
                if self._visible(after, end):
                    self.problems.append("hidden")
                return
        self.problems.append("truncated")
        if opened >= 0:
            yield opened, end

    def _lines(self, start: int, end: int, mark: bytes) -> Iterator[tuple[int, int, bool]]:
        """Yield start and end of each delimiter line, and whether it is the closing one."""
        for at in find(self._source, start, end, mark, self._tick):
            if at > start and self._source.at(at - 1, 1) != b"\n":
                continue
            rest = self._source.at(at + len(mark), min(1000, end - at - len(mark)))
            line, newline, _ = rest.partition(b"\n")
            if line.strip() not in (b"", b"--"):
                continue
            yield at, at + len(mark) + len(line) + len(newline), line.startswith(b"--")

    def _before_newline(self, at: int) -> int:
        """Return where a body ends: the line break before a delimiter belongs to it (5.1.1)."""
        before = self._source.at(max(0, at - 2), min(2, at))
        return at - (2 if before == b"\r\n" else 1 if before.endswith(b"\n") else 0)

    def _visible(self, start: int, end: int) -> bool:
        return any(piece.strip() for piece in slices(self._source, start, end))


def read_headers(source: Source, start: int, end: int) -> tuple[Message, int]:
    """Return the headers that stand at ``start``, and where the body begins."""
    head = source.at(start, min(MAX_HEADER_BYTES, end - start))
    if head.startswith((b"\n", b"\r\n")):
        return Message(), start + head.index(b"\n") + 1
    found = _END_OF_HEADERS.search(head)
    block = head[: found.end()] if found else head
    parsed: Message = safe(lambda: BytesParser().parsebytes(block, headersonly=True), Message())
    return parsed, start + len(block)


def decoded(source: Source, part: Part) -> Iterator[bytes]:
    """Yield the bytes of a part without its transfer encoding; raise ``Refused`` for damage."""
    pieces = slices(source, part.start, part.end)
    try:
        if part.encoding == "base64":
            yield from _base64(pieces)
        elif part.encoding == "quoted-printable":
            for lines in _whole_lines(pieces):
                yield binascii.a2b_qp(lines)
        elif part.encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
            yield from _uuencoded(pieces)
        else:
            yield from pieces
    except binascii.Error as error:
        raise Refused("附件编码已损坏。 The attachment's encoding is damaged.") from error


def slices(source: Source, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from ``start`` to ``end`` as they stand."""
    for at in range(start, end, CHUNK):
        yield source.at(at, min(CHUNK, end - at))


def find(source: Source, start: int, end: int, mark: bytes, tick: Tick) -> Iterator[int]:
    """Yield every place between ``start`` and ``end`` where ``mark`` stands."""
    keep = len(mark) - 1
    held, base = b"", start
    for piece in slices(source, start, end):
        tick()
        held += piece
        at = held.find(mark)
        while at >= 0:
            yield base + at
            at = held.find(mark, at + 1)
        cut = max(0, len(held) - keep)
        held, base = held[cut:], base + cut


def _base64(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        held += _NOT_BASE64.sub(b"", piece)
        if b"=" in held:
            # What follows the padding is no part of the file (RFC 2045, 6.8).
            held = held[: held.index(b"=")]
            break
        whole = len(held) // 4 * 4
        yield binascii.a2b_base64(held[:whole])
        held = held[whole:]
    yield binascii.a2b_base64(held + b"=" * (-len(held) % 4))


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        held += piece
        cut = held.rfind(b"\n") + 1
        yield held[:cut]
        held = held[cut:]
        if len(held) > MAX_HEADER_BYTES:
            raise binascii.Error("a line without end")
    yield held


def _uuencoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    started = False
    for lines in _whole_lines(pieces):
        for line in lines.splitlines():
            if not started:
                started = line.startswith(b"begin ")
            elif line.strip() in (b"end", b"`", b""):
                return
            else:
                # Some writers count wrongly; the length that a line states decides.
                yield binascii.a2b_uu(line[: 1 + ((line[0] - 32 & 63) * 8 + 5) // 6 + 2])
