"""HEIF containers (ISO/IEC 23008-12) taken apart: which items are pictures, and what they need.

Only numbers and byte ranges are read here; pictures are decoded in ``heifimage``. libheif is not
used because its decoder starts threads, and a document may start none in the cell.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

MAX_ITEMS: Final = 20_000
_MAX_META: Final = 16 << 20
_PICTURES: Final = frozenset({b"hvc1", b"hev1", b"grid", b"jpeg", b"av01"})


class Box(NamedTuple):
    """One box: its type and what is in it."""

    kind: bytes
    body: bytes


@dataclass
class Item:
    """One item of the file: its type, where its bytes are, and its properties in order."""

    kind: bytes = b""
    content_type: bytes = b""
    hidden: bool = False
    extents: list[tuple[int, int, int]] = field(default_factory=list)
    """Construction (0: in the file, 1: in ``idat``), offset, length (0: to the end)."""
    properties: list[Box] = field(default_factory=list)
    refers: dict[bytes, list[int]] = field(default_factory=dict)

    def property(self, kind: bytes) -> bytes:
        """Return the first property of a kind, empty if there is none."""
        return next((box.body for box in self.properties if box.kind == kind), b"")


@dataclass
class Container:
    """What a file holds; ``primary`` is the item that is shown."""

    primary: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    data: bytes = b""

    def pictures(self) -> list[int]:
        """Return the items that are pictures of their own, the primary one first.

        Tiles, thumbnails, depth maps and other auxiliary pictures are none.
        """
        parts = {part for item in self.items.values() for part in item.refers.get(b"dimg", ())}
        found = [
            number
            for number, item in self.items.items()
            if item.kind in _PICTURES and not item.hidden and number not in parts
            and not {b"thmb", b"auxl"} & item.refers.keys()
        ]  # fmt: skip
        return sorted(found, key=lambda number: (number != self.primary, number))

    def content(self, item: Item, file: bytes) -> bytes:
        """Return the bytes of an item, no more than there are in the file."""
        parts, left = [], len(file)
        for construction, offset, length in item.extents[:1000]:
            where = self.data if construction == 1 else file
            parts.append(where[offset : offset + min(length or left, left)])
            left -= len(parts[-1])
        return b"".join(parts)

    def first(self, kind: bytes, content_type: bytes = b"") -> Item | None:
        """Return the first item of a type."""
        for item in self.items.values():
            if item.kind == kind and content_type in item.content_type:
                return item
        return None


def parsed(file: bytes) -> Container:
    """Return what a file holds.

    Raises:
        ValueError: it is no HEIF file, or a broken one.
    """
    try:
        meta = next((box.body for box in _boxes(file) if box.kind == b"meta"), b"")
        if not meta or len(meta) > _MAX_META:
            raise ValueError("there is no list of items")
        return _of_meta(meta[4:])
    except (struct.error, IndexError) as error:
        raise ValueError("the list of items is broken") from error


def _of_meta(meta: bytes) -> Container:
    found = Container()
    properties: list[Box] = []
    for box in _boxes(meta):
        if box.kind == b"pitm":
            found.primary = _number(box.body, 4, 2 if box.body[0] == 0 else 4)
        elif box.kind == b"iinf":
            _read_kinds(box.body, found)
        elif box.kind == b"iloc":
            _read_places(box.body, found)
        elif box.kind == b"iref":
            _read_references(box.body, found)
        elif box.kind == b"idat":
            found.data = box.body
        elif box.kind == b"iprp":
            properties = [each for part in _boxes(box.body) if part.kind == b"ipco"
                          for each in _boxes(part.body)]  # fmt: skip
            for part in _boxes(box.body):
                if part.kind == b"ipma":
                    _read_associations(part.body, properties, found)
    return found


def _boxes(data: bytes) -> Iterator[Box]:
    """Yield the boxes that lie one behind the other; the last may be cut off."""
    at, seen = 0, 0
    while at + 8 <= len(data) and seen < MAX_ITEMS:
        size, kind, head = _number(data, at, 4), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = _number(data, at + 8, 8), 16
        elif size == 0:
            size = len(data) - at
        if size < head:
            return
        yield Box(kind, data[at + head : at + size])
        at, seen = at + size, seen + 1


def _item(found: Container, number: int) -> Item:
    if number not in found.items and len(found.items) >= MAX_ITEMS:
        raise ValueError("too many items")
    return found.items.setdefault(number, Item())


def _read_kinds(body: bytes, found: Container) -> None:
    for box in _boxes(body[6 if body[0] == 0 else 8 :]):
        if box.kind != b"infe" or box.body[0] < 2:
            continue
        wide = 2 if box.body[0] == 2 else 4
        item = _item(found, _number(box.body, 4, wide))
        item.kind = box.body[6 + wide : 10 + wide]
        item.hidden = bool(box.body[3] & 1)
        # A name that ends in NUL, and then the media type of what is no picture.
        item.content_type = box.body[10 + wide :].split(b"\0", 1)[-1]


def _read_places(body: bytes, found: Container) -> None:
    version = body[0]
    offset_size, length_size = body[4] >> 4, body[4] & 15
    base_size, index_size = body[5] >> 4, body[5] & 15 if version else 0
    wide = 2 if version < 2 else 4
    count, at, left = _number(body, 6, wide), 6 + wide, MAX_ITEMS
    for _ in range(min(count, MAX_ITEMS)):
        item = _item(found, _number(body, at, wide))
        at += wide
        construction = _number(body, at, 2) & 15 if version else 0
        at += (2 if version else 0) + 2
        base = _number(body, at, base_size)
        extents, at = _number(body, at + base_size, 2), at + base_size + 2
        left -= extents
        if left < 0:
            # Places of no size take no bytes: their number alone must be bounded.
            raise ValueError("too many places")
        for _ in range(extents):
            at += index_size
            offset = base + _number(body, at, offset_size)
            length = _number(body, at + offset_size, length_size)
            at += offset_size + length_size
            item.extents.append((construction, offset, length))


def _read_references(body: bytes, found: Container) -> None:
    wide = 2 if body[0] == 0 else 4
    for box in _boxes(body[4:]):
        item = _item(found, _number(box.body, 0, wide))
        count = min(_number(box.body, wide, 2), MAX_ITEMS)
        places = range(wide + 2, wide + 2 + count * wide, wide)
        item.refers.setdefault(box.kind, []).extend(_number(box.body, at, wide) for at in places)


def _read_associations(body: bytes, properties: list[Box], found: Container) -> None:
    wide, long = (2 if body[0] == 0 else 4), bool(body[3] & 1)
    count, at = _number(body, 4, 4), 8
    for _ in range(min(count, MAX_ITEMS)):
        item = _item(found, _number(body, at, wide))
        many, at = body[at + wide], at + wide + 1
        for _ in range(many):
            index = _number(body, at, 2) & 0x7FFF if long else body[at] & 0x7F
            at += 2 if long else 1
            if 0 < index <= len(properties):
                item.properties.append(properties[index - 1])


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise ValueError("the list of items is cut off")
    return int.from_bytes(data[at : at + size], "big")
