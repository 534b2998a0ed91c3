"""Compound files ([MS-CFB]) and Outlook messages ([MS-OXMSG]), byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SECTOR, MINI, CUTOFF = 512, 64, 4096

Tree = dict[str, "bytes | Tree"]


@dataclass
class _Node:
    """One directory entry."""

    name: str
    kind: int
    data: bytes = b""
    child: int = FREE
    right: int = FREE
    start: int = END


def compound(tree: Tree) -> bytes:
    """Return a version 3 compound file that holds this tree of streams."""
    nodes = [_Node("Root Entry", 5)]
    _add(nodes, 0, tree)
    mini, mini_fat = _mini_stream(nodes)
    nodes[0].data = mini
    fat: list[int] = []
    body = b""
    for node in nodes:
        if node.kind == 5 or (node.kind == 2 and len(node.data) >= CUTOFF):
            node.start, body = _chain(fat, body, node.data)
    first_mini, body = _chain(fat, body, struct.pack(f"<{len(mini_fat)}I", *mini_fat))
    first_directory, body = _chain(fat, body, _directory(nodes))
    return _whole(fat, body, first_directory, first_mini)


def _add(nodes: list[_Node], parent: int, tree: Tree) -> None:
    last = -1
    for name in sorted(tree, key=lambda each: (len(each), each.upper())):
        value = tree[name]
        at = len(nodes)
        nodes.append(_Node(name, 2, value) if isinstance(value, bytes) else _Node(name, 1))
        if last < 0:
            nodes[parent].child = at
        else:
            nodes[last].right = at
        last = at
        if not isinstance(value, bytes):
            _add(nodes, at, value)


def _mini_stream(nodes: Sequence[_Node]) -> tuple[bytes, list[int]]:
    stream, table = b"", list[int]()
    for node in nodes:
        if node.kind != 2 or len(node.data) >= CUTOFF or not node.data:
            continue
        node.start = len(table)
        count = -(-len(node.data) // MINI)
        table += [node.start + i + 1 for i in range(count - 1)] + [END]
        stream += node.data.ljust(count * MINI, b"\0")
    return stream, table


def _chain(fat: list[int], body: bytes, data: bytes) -> tuple[int, bytes]:
    if not data:
        return END, body
    start, count = len(fat), -(-len(data) // SECTOR)
    fat += [start + i + 1 for i in range(count - 1)] + [END]
    return start, body + data.ljust(count * SECTOR, b"\0")


def _directory(nodes: Sequence[_Node]) -> bytes:
    out = b""
    for node in nodes:
        name = (node.name + "\0").encode("utf-16-le")
        out += name.ljust(64, b"\0") + struct.pack("<HBB", len(name), node.kind, 1)
        out += struct.pack("<III", FREE, node.right, node.child) + bytes(36)
        out += struct.pack("<IQ", node.start, len(node.data))
    empty = bytes(68) + struct.pack("<III", FREE, FREE, FREE) + bytes(48)
    return out + empty * (-len(nodes) % 4)


def _whole(fat: list[int], body: bytes, directory: int, first_mini: int) -> bytes:
    sectors = -(-(len(fat) + 1) // 127)
    places = list(range(len(fat), len(fat) + sectors))
    fat += [FAT] * sectors
    fat += [FREE] * (-len(fat) % 128)
    header = MAGIC + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIII", 0, sectors, directory, 0) + struct.pack("<I", CUTOFF)
    header += struct.pack("<IIII", first_mini, 0 if first_mini == END else 1, END, 0)
    difat = places + [FREE] * (109 - len(places))
    table = struct.pack(f"<{len(fat)}I", *fat)
    return header + struct.pack("<109I", *difat) + body + table


def message(
    subject: str = "报价单",
    body: str = "附件是客户名单。",
    attachments: Sequence[tuple[str, bytes]] = (),
    *,
    inner: Tree | None = None,
) -> Tree:
    """Return an Outlook message as a tree of streams; ``inner`` is a message within it."""
    tree: Tree = {
        "__properties_version1.0": _header(32, len(attachments) + bool(inner)),
        "__nameid_version1.0": {
            "__substg1.0_00020102": b"",
            "__substg1.0_00030102": b"",
            "__substg1.0_00040102": b"",
        },
        "__substg1.0_001A001F": "IPM.Note".encode("utf-16-le"),
        "__substg1.0_0037001F": subject.encode("utf-16-le"),
        "__substg1.0_0C1F001F": "zhang@example.com".encode("utf-16-le"),
        "__substg1.0_1000001F": body.encode("utf-16-le"),
    }
    for at, (name, data) in enumerate(attachments):
        tree[f"__attach_version1.0_#{at:08X}"] = _attachment(name, data)
    if inner is not None:
        nested = _attachment("inner.msg", b"", method=5)
        del nested["__substg1.0_37010102"]
        nested["__substg1.0_3701000D"] = inner
        tree[f"__attach_version1.0_#{len(attachments):08X}"] = nested
    return tree


def as_inner(tree: Tree) -> Tree:
    """Return a message as it stands in another: its property header is shorter."""
    properties = tree["__properties_version1.0"]
    assert isinstance(properties, bytes)
    rest = {key: value for key, value in tree.items() if key != "__nameid_version1.0"}
    return rest | {"__properties_version1.0": properties[:24] + properties[32:]}


def _header(length: int, attachments: int) -> bytes:
    head = bytes(8) + struct.pack("<IIII", 0, attachments, 0, attachments)
    return head.ljust(length, b"\0") + struct.pack("<IIQ", 0x340D0003, 6, 0x40000)


def _attachment(name: str, data: bytes, method: int = 1) -> Tree:
    properties = bytes(8) + struct.pack("<IIQ", 0x37050003, 6, method)
    text = name.encode("utf-16-le", "surrogatepass")
    return {
        "__properties_version1.0": properties,
        "__substg1.0_37010102": data,
        "__substg1.0_3704001F": text,
        "__substg1.0_3707001F": text,
    }


def tnef(parts: Sequence[tuple[bytes, bytes]], *, spoil: bool = False) -> bytes:
    """Return a winmail.dat ([MS-OXTNEF]) with these attachments (title, data)."""
    out = struct.pack("<IH", 0x223E9F78, 1)
    out += b"".join(_tnef_all(parts))
    return out[:-1] + bytes([out[-1] ^ 0xFF]) if spoil else out


def _tnef_all(parts: Sequence[tuple[bytes, bytes]]) -> Iterator[bytes]:
    yield tnef_attribute(1, 0x00089006, struct.pack("<I", 0x10000))
    yield tnef_attribute(1, 0x00069007, struct.pack("<II", 936, 0))
    yield tnef_attribute(1, 0x00078008, b"IPM.Microsoft Mail.Note\0")
    yield tnef_attribute(1, 0x00018004, "报价单".encode("gbk") + b"\0")
    for title, data in parts:
        yield tnef_attribute(2, 0x00069002, struct.pack("<HIHHI", 1, 0xFFFFFFFF, 32, 32, 0))
        yield tnef_attribute(2, 0x00018010, title + b"\0")
        yield tnef_attribute(2, 0x0006800F, data)


def tnef_attribute(
    level: int, tag: int, data: bytes, *, length: int | None = None, checksum: int | None = None
) -> bytes:
    """Return one attribute; the checksum is the sum of its bytes."""
    total = sum(data) & 0xFFFF if checksum is None else checksum
    size = len(data) if length is None else length
    return struct.pack("<BII", level, tag, size) + data + struct.pack("<H", total)
