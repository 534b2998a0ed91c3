"""Landlock: after this a process can write nowhere but in one folder, whatever it has open.

Mounts already hide the file system; this closes the way through an open descriptor, because
reopening the document for writing by its entry in /proc is judged by the file's real place.
"""

from __future__ import annotations

import ctypes
import os
import struct

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

# WRITE_FILE, and REMOVE_DIR up to MAKE_SYM; REFER came with version 2, TRUNCATE with 3.
_WRITE_FILE = 1 << 1
_CHANGES = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_TRUNCATE = 1 << 14


def version() -> int:
    """Return the kernel's Landlock version, 0 where there is none."""
    found = _libc().syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION_FLAG))
    return max(0, int(found))


def confine_writes(folder: str) -> int:
    """Allow writing beneath ``folder`` and to /dev/null only; return the version used, or 0."""
    found = version()
    if not found:
        return 0
    libc = _libc()
    rights = _CHANGES | (_TRUNCATE if found >= 3 else 0)
    attributes = struct.pack("<Q", rights)
    ruleset = libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    if ruleset < 0:
        return 0
    try:
        _allow(libc, ruleset, folder, rights)
        _allow(libc, ruleset, "/dev/null", rights & (_WRITE_FILE | _TRUNCATE))
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return found if libc.syscall(_RESTRICT, ruleset, ctypes.c_uint(0)) == 0 else 0
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("<Qi", rights, target)
        if libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, ctypes.c_uint(0)) != 0:
            raise OSError(ctypes.get_errno(), "Landlock refused a rule")
    finally:
        os.close(target)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
