"""Checksums of members that libarchive reads without checking them: those of rar."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

from tasks.reader.containers.rarheads import Head
from tasks.reader.job import Refused

_BLOCK, _LEAVES = 64, 8


def verified(pieces: Iterator[bytes], head: Head) -> Iterator[bytes]:
    """Yield the bytes; raise ``Refused`` at their end if the header's checksum is another."""
    crc, tree = 0, Blake2sp()
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
        if head.blake2sp:
            tree.update(piece)
        yield piece
    if head.crc not in (-1, crc) or head.blake2sp not in (b"", tree.digest()):
        raise Refused("内容与其校验值不符。 The content does not match its checksum.")


class Blake2sp:
    """BLAKE2sp: eight BLAKE2s leaves that take blocks in turn, and a root over them."""

    def __init__(self) -> None:
        self._leaves = [self._node(number, 0, number == _LEAVES - 1) for number in range(_LEAVES)]
        self._held = b""

    @staticmethod
    def _node(offset: int, depth: int, last: bool) -> hashlib.blake2s:
        return hashlib.blake2s(
            fanout=_LEAVES,
            depth=2,
            node_offset=offset,
            node_depth=depth,
            inner_size=32,
            last_node=last,
        )

    def update(self, data: bytes) -> None:
        """Take in more bytes."""
        data = self._held + data
        whole = len(data) // (_BLOCK * _LEAVES) * _BLOCK * _LEAVES
        self._spread(data[:whole])
        self._held = data[whole:]

    def digest(self) -> bytes:
        """Return the hash of all bytes; nothing may be added afterwards."""
        self._spread(self._held)
        self._held = b""
        root = self._node(0, 1, True)
        for leaf in self._leaves:
            root.update(leaf.digest())
        return root.digest()

    def _spread(self, data: bytes) -> None:
        for number, leaf in enumerate(self._leaves):
            starts = range(number * _BLOCK, len(data), _BLOCK * _LEAVES)
            leaf.update(b"".join(data[at : at + _BLOCK] for at in starts))
