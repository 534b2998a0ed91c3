"""Seccomp: a BPF filter that lets a process make the listed system calls and no other.

What is not listed fails with EPERM, which every library takes for an ordinary error; calls of
another architecture (and the x32 numbers, a way round any list) kill the process. A few calls
are judged by one argument too: a process may ask for its own limits but not set another's,
duplicate a descriptor but not change a file's state, and start a process but no namespace (the
OCR engine: a thread, but no process).
"""

from __future__ import annotations

import ctypes
import platform
import struct
from functools import cache

from tasks.reader.syscalls import AARCH64, ALLOWED, NUMBERS, X86_64, Kind

_ARCHITECTURES = {"x86_64": (0xC000003E, X86_64), "aarch64": (0xC00000B7, AARCH64)}

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ALLOW, _EPERM, _ENOSYS = 0x80000000, 0x7FFF0000, 0x00050001, 0x00050026
_X32 = 0x40000000

_PR_SET_SECCOMP, _FILTER_MODE, _PR_SET_NO_NEW_PRIVS = 22, 2, 38

# TCGETS, TIOCGWINSZ, FIONREAD, FIONCLEX and FIOCLEX: what opening a file asks of it.
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC: no locks, leases, signals, no O_DIRECT.
_FCNTLS = (0, 1, 2, 3, 1030)
# PR_SET_NAME and PR_SET_VMA, by which libraries name threads and memory.
_PRCTLS = (15, 0x53564D41)
# And of the worker: dumpable, seccomp, subreaper, no_new_privs, the bounding and ambient sets.
_WORKER_PRCTLS = (*_PRCTLS, 3, 4, 21, 22, 23, 24, 36, 38, 39, 47)
_CLONE_THREAD = 0x00010000
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
_NAMESPACES = 0x7E020000

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


@cache
def program(kind: Kind, machine: str = "") -> bytes:
    """Return the compiled filter for ``machine`` (default: this one), empty where unknown."""
    known = _ARCHITECTURES.get(machine or platform.machine())
    if known is None:
        return b""
    architecture, column = known
    judged = _judged(kind)
    steps = [
        _step(_LOAD, 0, 0, 4),
        _step(_EQUAL, 1, 0, architecture),
        _step(_RETURN, 0, 0, _KILL),
        _step(_LOAD, 0, 0, 0),
        _step(_AT_LEAST, 0, 1, _X32),
        _step(_RETURN, 0, 0, _KILL),
    ]
    for name, block in judged.items():
        if (number := NUMBERS[name][column]) >= 0:
            steps += [_step(_EQUAL, 0, len(block), number), *block]
    numbers = sorted(NUMBERS[name][column] for name in ALLOWED[kind] - judged.keys())
    numbers = [number for number in numbers if number >= 0]
    steps += [_step(_EQUAL, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    return b"".join([*steps, _step(_RETURN, 0, 0, _EPERM), _step(_RETURN, 0, 0, _ALLOW)])


def install(compiled: bytes) -> bool:
    """Put this thread and all that it starts under the filter, for good; return if it holds."""
    if not compiled:
        return False
    filter_ = _Program(len(compiled) // 8, compiled)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    done: int = _libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(filter_), 0, 0)
    return done == 0


def _judged(kind: Kind) -> dict[str, list[bytes]]:
    """Return the steps for calls that are judged by an argument; each block ends in a verdict."""
    blocks = {"ioctl": _one_of(1, _IOCTLS), "fcntl": _one_of(1, _FCNTLS)}
    blocks["prctl"] = _one_of(0, _WORKER_PRCTLS if kind == "worker" else _PRCTLS)
    if kind != "worker":
        # The process number 0 is oneself: the worker has the same user and could be limited.
        blocks["prlimit64"] = _one_of(0, (0,))
    if kind == "engine":
        blocks["clone"] = _threads_only()
    elif kind != "document":
        blocks["clone"] = _none_of(0, _NAMESPACES)
    if kind != "document":
        # Its flags lie in memory, where a filter cannot see them; libraries fall back to clone.
        blocks["clone3"] = [_step(_RETURN, 0, 0, _ENOSYS)]
    return blocks


def _one_of(argument: int, values: tuple[int, ...]) -> list[bytes]:
    """Return steps that allow when the low half of the argument is one of ``values``."""
    tests = [_step(_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    ends = [_step(_RETURN, 0, 0, _EPERM), _step(_RETURN, 0, 0, _ALLOW)]
    return [_step(_LOAD, 0, 0, 16 + 8 * argument), *tests, *ends]


def _none_of(argument: int, bits: int) -> list[bytes]:
    """Return steps that allow when the low half of the argument has none of ``bits``."""
    ends = [_step(_RETURN, 0, 0, _EPERM), _step(_RETURN, 0, 0, _ALLOW)]
    return [_step(_LOAD, 0, 0, 16 + 8 * argument), _step(_ANY_BIT, 0, 1, bits), *ends]


def _threads_only() -> list[bytes]:
    """Return steps that allow ``clone`` for a thread in this process's own namespaces."""
    return [
        _step(_LOAD, 0, 0, 16),
        _step(_ANY_BIT, 1, 0, _NAMESPACES),
        _step(_ANY_BIT, 1, 0, _CLONE_THREAD),
        _step(_RETURN, 0, 0, _EPERM),
        _step(_RETURN, 0, 0, _ALLOW),
    ]


def _step(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
