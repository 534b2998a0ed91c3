"""Raw disk images (dd) told by their content: a partition table, or a file system's first sectors.

Nothing is opened; only numbers at fixed places are looked at. Two marks must agree before bytes
are called a disk: a boot signature alone stands at the end of many sectors.
"""

from __future__ import annotations

import struct

HEAD = 40_960
_SECTOR = 512
_MARKS = (
    (3, b"NTFS    "),
    (3, b"EXFAT   "),
    (54, b"FAT12   "),
    (54, b"FAT16   "),
    (82, b"FAT32   "),
)
_ALONE = (
    (32, b"NXSB"),
    (0, b"LUKS\xba\xbe"),
    (0, b"XFSB\x00\x00"),
    (3, b"-FVE-FS-"),
)


def is_raw_image(head: bytes, size: int) -> bool:
    """Say whether content is a disk or a volume; ``size`` is that of the whole."""
    if size < 4 * _SECTOR or len(head) < 2 * _SECTOR:
        return False
    signed = head[510:512] == b"\x55\xaa"
    if signed and any(head.startswith(mark, at) for at, mark in _MARKS):
        return True
    if any(head.startswith(mark, at) for at, mark in _ALONE) and size % _SECTOR == 0:
        return True
    return (signed and (_has_gpt(head) or _has_partitions(head, size))) or _has_ext(head)


def _has_gpt(head: bytes) -> bool:
    return any(head.startswith(b"EFI PART\0\0\1\0", at) for at in (512, 4096))


def _has_partitions(head: bytes, size: int) -> bool:
    """Say whether all four entries of a master boot record can be partitions of this disk."""
    used = 0
    for at in range(446, 510, 16):
        status, kind, first, count = struct.unpack("<B3xB3xII", head[at : at + 16])
        if status not in (0x00, 0x80):
            return False
        if kind == 0:
            continue
        if not first or not count or first * _SECTOR >= size:
            return False
        used += 1
    return used > 0


def _has_ext(head: bytes) -> bool:
    """Say whether there is the superblock of ext2, 3 or 4: its magic, and numbers that agree."""
    if len(head) < 2048 or head[1080:1082] != b"\x53\xef":
        return False
    inodes, blocks = struct.unpack_from("<II", head, 1024)
    (log_block,) = struct.unpack_from("<I", head, 1048)
    state, errors = struct.unpack_from("<HH", head, 1082)
    return bool(inodes and blocks) and log_block <= 6 and state <= 7 and 1 <= errors <= 3
