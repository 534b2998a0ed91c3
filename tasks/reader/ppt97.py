"""PowerPoint files of 1997 to 2003 ([MS-PPT]): the words of the slides that are shown.

A file is a stream of records, and every save appends to it: which slide records are alive is
said by the persist directory. Words in records that are not alive are of earlier versions;
they are kept apart and marked so.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from tasks.reader import ole
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

_MAX_RECORDS = 1_000_000
_MAX_DEPTH = 20
_ENCRYPTED_TOKEN = 0xF3D1C4DF
_DOCUMENT, _SLIDE, _NOTES, _MAIN_MASTER = 0x03E8, 0x03EE, 0x03F0, 0x03F8
_LIST, _PERSIST, _SHOW_INFO, _SLIDE_ATOM, _NOTES_ATOM = 0x0FF0, 0x03F3, 0x03F9, 0x03EF, 0x03F1
_WIDE, _NARROW, _STRING = 0x0FA0, 0x0FA8, 0x0FBA
_USER_EDIT, _DIRECTORY = 0x0FF5, 0x1772
_COMMENT, _BINARY_TAG = 0x2EE0, 0x138B
_TOP = {_SLIDE: "slide", _NOTES: "notes", _MAIN_MASTER: "master", _DOCUMENT: "document"}


class NotReadError(ValueError):
    """It is no PowerPoint file of this age; strings are the last resort."""


@dataclass
class _Block:
    """One slide, page of notes or document with the words that stand in it."""

    kind: str
    words: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    hidden: bool = False
    outlines: list[tuple[int, list[str]]] = field(default_factory=list)


def read_ppt(source: Source, context: Context) -> Reading:
    """Read slides in order, their notes and comments, then what earlier saves have left.

    Raises:
        NotReadError: the file is too broken or of another age.
    """
    reading = Reading()
    with ole.opened(source) as streams:
        if streams is None:
            raise NotReadError("no OLE file")
        data = streams.read("PowerPoint Document")
        user = streams.read("Current User", 64)
        streams.note(reading)
        if "EncryptedSummary" in streams.names or _token(user) == _ENCRYPTED_TOKEN:
            return Reading(state="encrypted")
    live = _live(data, user)
    blocks = dict(_blocks(data))
    if not blocks:
        raise NotReadError("no slides")
    if not live:
        reading.flag("versions_not_told")
    places = {live[n]: n for n in live} if live else dict.fromkeys(blocks, 0)
    _pages(blocks, places, live, reading, context)
    old = [word for offset, block in blocks.items() if offset not in places for word in block.words]
    if old:
        reading.flag("earlier_versions")
        context.page(
            reading,
            "\n".join(dict.fromkeys(old)),
            label="先前保存的版本 earlier versions",
            flags=("earlier_version",),
        )
    return reading


def _pages(
    blocks: dict[int, _Block],
    places: dict[int, int],
    live: dict[int, int],
    reading: Reading,
    context: Context,
) -> None:
    """Add a page for each living slide and page of notes, in the order of the document."""
    alive = {offset: block for offset, block in blocks.items() if offset in places}
    outlines = [o for b in alive.values() if b.kind == "document" for o in b.outlines]
    order = [live[number] for number, _ in outlines if live.get(number) in alive]
    order += [offset for offset in alive if offset not in order]
    spoken = {live.get(number): words for number, words in outlines}
    numbers = {"slide": 0, "notes": 0}
    for kind, label in (("slide", "幻灯片 slide"), ("notes", "备注 notes")):
        for offset in order:
            block = alive[offset]
            if block.kind != kind:
                continue
            numbers[kind] += 1
            text = "\n".join([*spoken.get(offset, ()), *block.words])
            flags = ("hidden_slide",) if block.hidden else ()
            if block.hidden:
                reading.flag("hidden_slides")
            if text.strip() or flags:
                context.page(reading, text, label=f"{label} {numbers[kind]}", flags=flags)
            if block.comments:
                said = f"{label} {numbers[kind]}: 批注 comments"
                context.page(reading, "\n".join(block.comments), label=said)
    if not live and (rest := [word for _, words in outlines for word in words]):
        context.page(reading, "\n".join(rest), label="大纲 outline")


def _blocks(data: bytes) -> Iterator[tuple[int, _Block]]:
    """Yield the records that stand at the top of the stream, with their places."""
    at, count = 0, 0
    while at + 8 <= len(data) and count < _MAX_RECORDS:
        _, kind, size = _head(data, at)
        if kind in _TOP:
            block = _Block(_TOP[kind])
            _fill(block, data, at + 8, min(at + 8 + size, len(data)))
            yield at, block
        at += 8 + size
        count += 1


def _fill(block: _Block, data: bytes, start: int, end: int) -> None:
    """Take the words out of a container; its containers are walked on a stack of their own."""
    stack = [(start, end, 0)]
    in_list = block.kind == "document"
    while stack:
        at, stop, depth = stack.pop()
        while at + 8 <= stop:
            version, kind, size = _head(data, at)
            inside, after = at + 8, min(at + 8 + size, stop)
            if kind == _COMMENT:
                if said := _comment(data, inside, after):
                    block.comments.append(said)
            elif (version & 0xF == 0xF or kind == _BINARY_TAG) and depth < _MAX_DEPTH:
                # What stands behind the container is read after it: words keep their order.
                stack.append((after, stop, depth))
                stack.append((inside, after, depth + 1))
                break
            elif kind == _PERSIST and in_list and size >= 4:
                block.outlines.append((struct.unpack_from("<I", data, inside)[0], []))
            elif kind in (_WIDE, _NARROW):
                text = _text(data[inside:after], kind)
                into = block.outlines[-1][1] if in_list and block.outlines else block.words
                if text.strip() and not (in_list and not block.outlines):
                    into.append(text)
            elif kind == _SHOW_INFO and size >= 12:
                # SlideShowSlideInfoAtom: the third bit behind the effects says that it is hidden.
                block.hidden = bool(data[inside + 10] & 0x04)
            at = after


def _comment(data: bytes, at: int, stop: int) -> str:
    """Return a comment: author, then words (Comment10Container: strings 0 and 1)."""
    said: dict[int, str] = {}
    while at + 8 <= stop:
        version, kind, size = _head(data, at)
        if kind == _STRING:
            said[version >> 4] = _text(data[at + 8 : min(at + 8 + size, stop)], _WIDE)
        at += 8 + size
    return f"[{said.get(0, '')}] {said.get(1, '')}".strip() if said else ""


def _text(data: bytes, kind: int) -> str:
    text = data.decode("utf-16-le" if kind == _WIDE else "latin-1", "replace")
    return text.replace("\r", "\n").replace("\x0b", "\n").strip("\n\0")


def _live(data: bytes, user: bytes) -> dict[int, int]:
    """Return where each living object stands, by its number; nothing where that is not said."""
    places: dict[int, int] = {}
    seen: set[int] = set()
    try:
        (edit,) = struct.unpack_from("<I", user, 16)
        while edit and edit not in seen and len(seen) < 10_000:
            seen.add(edit)
            _, kind, _ = _head(data, edit)
            if kind != _USER_EDIT:
                return {}
            before, directory = struct.unpack_from("<II", data, edit + 16)
            for number, place in _directory(data, directory):
                places.setdefault(number, place)
            edit = before
    except (struct.error, IndexError):
        return {}
    return places


def _directory(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    _, kind, size = _head(data, at)
    if kind != _DIRECTORY:
        return
    at, stop = at + 8, min(at + 8 + size, len(data))
    while at + 4 <= stop:
        (word,) = struct.unpack_from("<I", data, at)
        first, count = word & 0xFFFFF, word >> 20
        for index in range(count):
            yield first + index, struct.unpack_from("<I", data, at + 4 + 4 * index)[0]
        at += 4 + 4 * count


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    version, kind, size = struct.unpack_from("<HHI", data, at)
    return int(version), int(kind), int(size)


def _token(user: bytes) -> int:
    return int.from_bytes(user[12:16], "little")
