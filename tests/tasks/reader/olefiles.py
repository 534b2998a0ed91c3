"""A small writer of OLE files ([MS-CFB], version 3), for Outlook messages made in tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

SECTOR, MINI, CUTOFF = 512, 64, 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD

# A storage maps names to storages and streams.
Storage = Mapping[str, Any]


def ole_file(root: Storage) -> bytes:
    """Return an OLE file with the storages and streams of ``root``."""
    return _Writer().write(root)


def message(
    subject: str, body: str, attachments: Mapping[str, bytes | Storage], sender: str = "甲"
) -> dict[str, Any]:
    """Return an Outlook message; an attachment that is a storage is a message in the message."""
    made: dict[str, Any] = {
        "__properties_version1.0": bytes(32),
        "__nameid_version1.0": {"__substg1.0_00020102": b""},
        "__substg1.0_0037001F": subject.encode("utf-16-le"),
        "__substg1.0_0C1A001F": sender.encode("utf-16-le"),
        "__substg1.0_1000001F": body.encode("utf-16-le"),
    }
    for number, (name, data) in enumerate(attachments.items()):
        inside = "__substg1.0_37010102" if isinstance(data, bytes) else "__substg1.0_3701000D"
        made[f"__attach_version1.0_#{number:08X}"] = {
            "__properties_version1.0": bytes(8),
            "__substg1.0_3707001F": name.encode("utf-16-le"),
            inside: data,
        }
    return made


class _Writer:
    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.fat: list[int] = []
        self.sectors: list[bytes] = []
        self.mini = b""
        self.mini_fat: list[int] = []

    def write(self, root: Storage) -> bytes:
        self._entry("Root Entry", 5)
        self._children(0, root)
        self.entries[0] |= {"start": self._big(self.mini), "size": len(self.mini)}
        minis = b"".join(struct.pack("<I", each) for each in self.mini_fat)
        mini_start = self._big(minis, b"\xff")
        directory = self._big(b"".join(map(self._packed, self.entries)))
        count = 1
        while (len(self.fat) + count) * 4 > count * SECTOR:
            count += 1
        fat_start = len(self.sectors)
        table = [*self.fat, *[_FAT] * count]
        table += [_FREE] * (count * SECTOR // 4 - len(table))
        places = [fat_start + i for i in range(count)]
        head = struct.pack(
            "<8s16xHHHHH6x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 62, 3, 0xFFFE, 9, 6
        )
        head += struct.pack("<IIIIIIIIII", 0, count, directory, 0, CUTOFF, mini_start,
                            -(-len(minis) // SECTOR), _END, 0, places[0])  # fmt: skip
        head += struct.pack("<108I", *places[1:], *[_FREE] * (109 - count))
        return head + b"".join(self.sectors) + struct.pack(f"<{len(table)}I", *table)

    def _entry(self, name: str, kind: int) -> int:
        entry = {"name": name, "kind": kind, "child": _FREE, "right": _FREE, "start": 0, "size": 0}
        self.entries.append(entry)
        return len(self.entries) - 1

    def _children(self, parent: int, storage: Storage) -> None:
        # A list is a tree too: every entry has only a right neighbour.
        ordered = sorted(storage, key=lambda name: (len(name), name.upper()))
        numbers = [self._entry(n, 2 if isinstance(storage[n], bytes) else 1) for n in ordered]
        for at, (name, number) in enumerate(zip(ordered, numbers, strict=True)):
            if at == 0:
                self.entries[parent]["child"] = number
            else:
                self.entries[numbers[at - 1]]["right"] = number
            if isinstance(storage[name], bytes):
                self.entries[number] |= self._stream(storage[name])
            else:
                self._children(number, storage[name])

    def _stream(self, data: bytes) -> dict[str, int]:
        if not data:
            return {"start": _END, "size": 0}
        if len(data) >= CUTOFF:
            return {"start": self._big(data), "size": len(data)}
        start = len(self.mini_fat)
        count = -(-len(data) // MINI)
        self.mini += data.ljust(count * MINI, b"\0")
        self.mini_fat += [*range(start + 1, start + count), _END]
        return {"start": start, "size": len(data)}

    def _big(self, data: bytes, filler: bytes = b"\0") -> int:
        if not data:
            return _END
        start = len(self.sectors)
        for at in range(0, len(data), SECTOR):
            self.sectors.append(data[at : at + SECTOR].ljust(SECTOR, filler))
        self.fat += [*range(start + 1, len(self.sectors)), _END]
        return start

    def _packed(self, entry: dict[str, Any]) -> bytes:
        name = entry["name"].encode("utf-16-le") + b"\0\0"
        return struct.pack(
            "<64sHBBIII36xIQ", name, len(name), entry["kind"], 1, _FREE, entry["right"],
            entry["child"], entry["start"], entry["size"],
        )  # fmt: skip
