"""What makes forking a warm process cheap: large pages, and mappings that children inherit.

A child that parses a small document spends its time on page faults, not on parsing. Heap pages
that are joined to large ones are copied to a child as one entry each; a private file mapping is
handed down whole if one page of it was ever written, and faulted in again page by page if not.
Nothing here changes what a process sees, and a kernel that lacks a feature only makes it slower.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_LARGE = 2 << 20
_MADV_POPULATE_READ, _MADV_COLLAPSE = 22, 25
_MAP_FIXED = 0x10
# Written by nobody, read for every document: code and constants, by protection.
_READ_ONLY = {"r--p": mmap.PROT_READ, "r-xp": mmap.PROT_READ | mmap.PROT_EXEC}
_HOT = ("python", "libpython", "libc.so", "ld-linux", "libm.so", "libmagic.so", "_json")
_TABLES = ".mgc"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_fork = ctypes.PyDLL(None, use_errno=True).fork


class _Mapping(NamedTuple):
    start: int
    end: int
    mode: str
    path: str


def settle() -> None:
    """Prepare this process for being forked many times; call it once everything is loaded."""
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError):
        for mapping in _mappings():
            if mapping.mode == "r--p" and mapping.path.endswith(_TABLES):
                _take_over(mapping)
            elif mapping.mode in _READ_ONLY and Path(mapping.path).name.startswith(_HOT):
                _hand_down(mapping)
            elif mapping.path in ("", "[heap]") and mapping.mode == "rw-p":
                _join(mapping)


def fork() -> int:
    """Fork as the C library does, without what Python does after a fork.

    Python would renew locks and random seeds by which nothing in a child is decided, and touch
    two hundred pages for it. Only for a process with one thread.
    """
    child: int = _fork()
    if child < 0:
        raise OSError(ctypes.get_errno(), "fork failed")
    return child


def _mappings() -> Iterator[_Mapping]:
    for line in Path("/proc/self/maps").read_text().splitlines():
        parts = line.split(maxsplit=5)
        start, end = (int(number, 16) for number in parts[0].split("-"))
        yield _Mapping(start, end, parts[1], parts[5] if len(parts) > 5 else "")


def _join(mapping: _Mapping) -> None:
    """Join the pages of each aligned stretch of memory; where it cannot be, it stays as it is."""
    first = -(-mapping.start // _LARGE) * _LARGE
    for start in range(first, mapping.end - _LARGE + 1, _LARGE):
        _advise(start, _LARGE, _MADV_COLLAPSE)


def _hand_down(mapping: _Mapping) -> None:
    """Make children inherit a private file mapping instead of faulting it in again.

    One byte is written as it was: that page becomes our own, and the kernel copies the entries
    of a mapping that has such a page when it forks.
    """
    length = mapping.end - mapping.start
    _advise(mapping.start, length, _MADV_POPULATE_READ)
    kept = _READ_ONLY[mapping.mode]
    if _protect(mapping.start, length, kept | mmap.PROT_WRITE):
        ctypes.memmove(mapping.start, ctypes.string_at(mapping.start, 1), 1)
        _protect(mapping.start, length, kept)


def _take_over(mapping: _Mapping) -> None:
    """Put a copy in large pages in the place of a mapped table, which no code runs from."""
    length = mapping.end - mapping.start
    content = ctypes.string_at(mapping.start, length)
    writable = mmap.PROT_READ | mmap.PROT_WRITE
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_FIXED
    if _libc.mmap(mapping.start, length, writable, flags, -1, 0) != mapping.start:
        return
    ctypes.memmove(mapping.start, content, length)
    _join(mapping)
    _protect(mapping.start, length, mmap.PROT_READ)


def _protect(start: int, length: int, protection: int) -> bool:
    done: int = _libc.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(length), protection)
    return done == 0


def _advise(start: int, length: int, advice: int) -> None:
    _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), advice)
