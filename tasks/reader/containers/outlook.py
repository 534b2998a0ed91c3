"""Outlook's own forms: a message in an OLE file (.msg), and winmail.dat (TNEF).

[MS-OXMSG] and [MS-OXTNEF]. Both keep the message's text in properties and not as text, so the
text comes out as a member of its own, ``message.txt``: derived, in UTF-8, and the only member
whose bytes do not stand in the file as they are.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import Any

import olefile

from tasks.reader.answer import Member
from tasks.reader.charset import decode
from tasks.reader.containers import names
from tasks.reader.containers.mails import label_problems
from tasks.reader.containers.walker import CHUNK, Broken, Entry
from tasks.reader.ole import FAULTS
from tasks.reader.source import Source
from tasks.reader.strict import clean

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
TNEF = b"\x78\x9f\x3e\x22"
TEXT_NAME = "message.txt"

_ATTACHMENT, _EMBEDDED = "__attach_version1.0_", "__substg1.0_3701000D"
_DATA = "__substg1.0_37010102"
_MAX_LEVELS = 5
_NAMES = ("3707", "3704", "3001")
_SHOWN = (
    ("From", ("0C1A",)),
    ("From address", ("5D01", "0C1F")),
    ("To", ("0E04",)),
    ("Cc", ("0E03",)),
    ("Subject", ("0037",)),
    ("", ("007D",)),
    ("", ("1000",)),
)

# TNEF attributes: title and data of an attachment, the start of one, and the message's text.
_ATT_START, _ATT_TITLE, _ATT_DATA, _ATT_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
_ATT_BODY, _ATT_CODE_PAGE = 0x800C, 0x9007


class Message:
    """A walk over an Outlook message: its text, its attachments, and those of messages in it."""

    format = "msg"

    def __init__(self, source: Source) -> None:
        self.problems: list[str] = []
        self._source = source
        self._index = 0

    def __iter__(self) -> Iterator[Entry]:
        """Yield the members; raise ``Broken`` where the OLE file cannot be read."""
        try:
            with olefile.OleFileIO(self._source.file()) as ole:
                yield from self._message(ole, [], "", 0)
        except FAULTS as error:
            raise Broken("damaged", "邮件文件已损坏。 The message file is damaged.") from error

    def _message(self, ole: Any, at: list[str], above: str, level: int) -> Iterator[Entry]:
        text = _message_text(ole, at)
        yield self._next(above + TEXT_NAME, len(text), lambda: iter((text,)))
        inside = sorted({path[len(at)] for path in ole.listdir() if path[: len(at)] == at})
        for folder in (name for name in inside if name.startswith(_ATTACHMENT)):
            yield from self._attachment(ole, [*at, folder], above, level)

    def _attachment(self, ole: Any, at: list[str], above: str, level: int) -> Iterator[Entry]:
        name = next((t for p in _NAMES if (t := _property(ole, at, p))), at[-1][-8:])
        if ole.exists([*at, _DATA]):
            size = ole.get_size([*at, _DATA])
            yield self._next(above + name, size, lambda: _stream(ole, [*at, _DATA]))
        elif ole.exists([*at, _EMBEDDED]) and level < _MAX_LEVELS:
            yield from self._message(ole, [*at, _EMBEDDED], f"{above}{name}/", level + 1)
        else:
            # An OLE object or a link to a file: nothing in it is a file's bytes.
            self.problems.append("not_taken")

    def _next(self, name: str, size: int, pieces: Callable[[], Iterator[bytes]]) -> Entry:
        entry = Entry(_member(self._index, name, size), pieces)
        self._index += 1
        return entry


class Winmail:
    """A walk over winmail.dat: its text and its attachments."""

    format = "tnef"

    def __init__(self, source: Source) -> None:
        self.problems: list[str] = []
        self._source = source
        self._encoding = "gb18030"

    def __iter__(self) -> Iterator[Entry]:
        """Yield the members; raise ``Broken`` where an attribute is cut off or its sum is wrong."""
        index, title, data = 0, b"", (0, -1)
        for tag, start, size in self._attributes():
            if tag == _ATT_CODE_PAGE:
                self._encoding = f"cp{int.from_bytes(self._source.at(start, 4), 'little')}"
            elif tag == _ATT_BODY:
                text = _text(self._source.at(start, min(size, 8 << 20)), self._encoding)
                yield Entry(_member(index, TEXT_NAME, len(text)), lambda text=text: iter((text,)))  # type: ignore[misc]
                index += 1
            elif tag == _ATT_START:
                if data[1] >= 0:
                    yield self._entry(index, title, *data)
                    index += 1
                title, data = b"", (0, -1)
            elif tag == _ATT_TITLE:
                title = title or self._source.at(start, min(size, 4096))
            elif tag == _ATT_PROPERTIES:
                title = _long_name(self._source.at(start, min(size, 1 << 20))) or title
            elif tag == _ATT_DATA:
                data = (start, size)
        if data[1] >= 0:
            yield self._entry(index, title, *data)

    def _attributes(self) -> Iterator[tuple[int, int, int]]:
        """Yield tag, place and size of each attribute (2.1.3.1)."""
        at = 6
        while at < self._source.size:
            head = self._source.at(at, 9)
            if len(head) < 9 or head[0] not in (1, 2):
                raise Broken("damaged", "winmail.dat 已损坏。 The winmail.dat is damaged.")
            tag, size = struct.unpack_from("<HxxI", head, 1)
            start, total = at + 9, 0
            for piece in _slice(self._source, start, size):
                total += sum(piece)
            check = self._source.at(start + size, 2)
            if len(check) < 2:
                raise Broken("truncated", "winmail.dat 不完整。 The winmail.dat is cut off.")
            if total & 0xFFFF != int.from_bytes(check, "little"):
                raise Broken("damaged", "winmail.dat 校验和有误。 A checksum is wrong.")
            yield tag, start, size
            at = start + size + 2

    def _entry(self, index: int, title: bytes, start: int, size: int) -> Entry:
        raw = title.split(b"\0", 1)[0]
        name = names.decode(raw, self._encoding)[0] or f"{index:03d}"
        return Entry(_member(index, name, size), lambda: _slice(self._source, start, size))


def is_message(source: Source) -> bool:
    """Return whether an OLE file is an Outlook message: it has the stream that all of them have."""
    try:
        with olefile.OleFileIO(source.file()) as ole:
            return bool(ole.exists("__properties_version1.0"))
    except FAULTS:
        return False


def _member(index: int, name: str, size: int) -> Member:
    return Member(
        index=index,
        name=clean(name),
        raw_name="",
        encoding="",
        kind="file",
        size=size,
        packed=size,
        unsafe=label_problems(name),
    )


def _message_text(ole: Any, at: list[str]) -> bytes:
    lines = []
    for label, properties in _SHOWN:
        text = next((t for p in properties if (t := _property(ole, at, p))), "")
        if text:
            lines.append(f"{label}: {text}" if label else f"\n{text}")
    return clean("\n".join(lines)).encode()


def _property(ole: Any, at: list[str], tag: str) -> str:
    """Return a property of text: in UTF-16 (type 001F), or in the sender's code page (001E)."""
    wide, narrow = [*at, f"__substg1.0_{tag}001F"], [*at, f"__substg1.0_{tag}001E"]
    if ole.exists(wide):
        return str(ole.openstream(wide).read().decode("utf-16-le", "replace")).rstrip("\0")
    if ole.exists(narrow):
        return names.decode(ole.openstream(narrow).read())[0].rstrip("\0")
    return ""


def _stream(ole: Any, path: list[str]) -> Iterator[bytes]:
    stream: io.BytesIO = ole.openstream(path)
    while piece := stream.read(CHUNK):
        yield piece


def _slice(source: Source, start: int, size: int) -> Iterator[bytes]:
    for at in range(start, min(start + size, source.size), CHUNK):
        yield source.at(at, min(CHUNK, start + size - at))


def _text(data: bytes, encoding: str) -> bytes:
    return clean(decode(data.rstrip(b"\0"), encoding).text).encode()


def _long_name(properties: bytes) -> bytes:
    """Return PidTagAttachLongFilename out of an attachment's properties, empty if it has none.

    Searched for by its tag and type: to read the list in order all types would be needed.
    """
    for tag, width in ((b"\x1f\x00\x07\x37", 2), (b"\x1e\x00\x07\x37", 1)):
        at = properties.find(tag)
        if at >= 0 and at + 12 <= len(properties):
            length = int.from_bytes(properties[at + 8 : at + 12], "little")
            value = properties[at + 12 : at + 12 + min(length, 4096)]
            return value.decode("utf-16-le", "replace").encode() if width == 2 else value
    return b""
