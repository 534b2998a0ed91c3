"""Landlock: after this a process reads and writes only where it was told, whatever it has open.

Mounts already hide the file system; this closes the way through an open descriptor, because
reopening the document by its entry in /proc is judged by the file's real place. From version 4
on it also refuses TCP, from version 6 signals and abstract sockets that lead out of the domain.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
# REMOVE_DIR up to MAKE_SYM; REFER came with version 2, TRUNCATE with 3, IOCTL_DEV with 5.
_CHANGES = sum(1 << bit for bit in range(4, 13))
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_TCP = 0b11
_SCOPES = 0b11

_libc = ctypes.CDLL(None, use_errno=True)

READ = _READ_FILE | _READ_DIR
RUN = READ | _EXECUTE
WRITE = _READ_FILE | _READ_DIR | _WRITE_FILE | _CHANGES | _REFER | _TRUNCATE


def version() -> int:
    """Return the kernel's Landlock version, 0 where there is none."""
    found = _libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION_FLAG))
    return max(0, int(found))


def ruleset(rules: Iterable[tuple[str, int]]) -> int:
    """Return a descriptor of rules (a path, and what is allowed beneath it), or -1.

    Everything that this kernel's Landlock can refuse is refused elsewhere. Paths that do not
    exist are left out.
    """
    found = version()
    if not found:
        return -1
    handled = _handled(found)
    values = (handled, _TCP if found >= 4 else 0, _SCOPES if found >= 6 else 0)
    # A kernel takes the form of its own version, and a longer one only if the rest is zero.
    attributes = struct.pack("<QQQ", *values)[: 24 if found >= 6 else 16 if found >= 4 else 8]
    made = int(
        _libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    )
    if made >= 0:
        for path, rights in rules:
            _allow(made, path, rights & handled)
    return made


def restrict(made: int) -> bool:
    """Put this thread and all that it starts under the rules, for good; return if it holds."""
    if made < 0:
        return False
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    done: int = _libc.syscall(_RESTRICT, made, ctypes.c_uint(0))
    return done == 0


def _handled(found: int) -> int:
    later = (_REFER if found >= 2 else 0) | (_TRUNCATE if found >= 3 else 0)
    later |= _IOCTL_DEV if found >= 5 else 0
    return RUN | _WRITE_FILE | _CHANGES | later


def _allow(made: int, path: str, rights: int) -> None:
    try:
        target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(target).st_mode):
            rights &= _FILE_ONLY
        rule = struct.pack("<Qi", rights, target)
        if _libc.syscall(_ADD_RULE, made, _PATH_BENEATH, rule, ctypes.c_uint(0)) != 0:
            raise OSError(ctypes.get_errno(), "Landlock refused a rule")
    finally:
        os.close(target)
