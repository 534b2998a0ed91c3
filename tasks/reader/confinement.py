"""The walls that a worker builds round itself, and the closer ones round each document.

Bubblewrap has already taken away the network, the other processes and the file system. Here
follow, from the outside in: a user of its own in a user namespace of its own, Landlock, and for
each document a second Landlock layer without /proc, resource limits, and the seccomp list of
its kind. None of it can be undone by the process that it holds.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
from pathlib import Path
from typing import Any

from tasks.reader import landlock, sandbox, seccomp
from tasks.reader.job import Job
from tasks.reader.syscalls import Kind

PROCESSES = 12
OPEN_FILES = 64

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER = 4, 24, 36
_CLONE_NEWUSER = 0x10000000
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63
# Kinds of job that look at their own walls, which only /proc shows.
_SELF_SEEING = frozenset({"probe"})

_libc = ctypes.CDLL(None, use_errno=True)


class Walls:
    """Everything that holds a worker; build it once, after all parsers are loaded."""

    def __init__(self, uid: int, scratch: str, tmp_bytes: int) -> None:
        """Build the outer walls; ``uid`` is the user to become, 0 to stay."""
        self._scratch, self._tmp_bytes = scratch, tmp_bytes
        # In want of memory the kernel shall end documents, and not what keeps their records.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
        own_user = _become(uid)
        own_namespace = bool(uid) and _new_user_namespace()
        rules = sandbox.readable(scratch)
        self._inner = landlock.ruleset(rules)
        outer = landlock.ruleset([*rules, ("/proc", landlock.READ)])
        confined = landlock.restrict(outer)
        if outer >= 0:
            os.close(outer)
        self._nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self._filters: dict[Kind, bytes] = {
            kind: seccomp.program(kind) for kind in ("document", "program")
        }
        # Bubblewrap has put the worker under this list; without bubblewrap it is done here.
        filtered = os.getpid() == 1 or seccomp.install(seccomp.program("worker"))
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _dumpable(False)
        self.report: dict[str, Any] = {
            "landlock": landlock.version() if confined else 0,
            "seccomp": filtered and bool(self._filters["document"]),
            "own_user": own_user,
            "own_user_namespace": own_namespace,
        }

    def enclose(self, job: Job, *, starts_program: bool) -> None:
        """Put this process, a fresh child of the worker, behind the walls of one document."""
        _dumpable(True)
        os.setpgid(0, 0)
        os.chdir(self._scratch)
        # The worker's error pipe is read by nobody: filled by one document, it would stop others.
        for standard in range(3):
            os.dup2(self._nowhere, standard)
        for what, value in (
            (resource.RLIMIT_AS, job.memory_bytes),
            (resource.RLIMIT_CPU, job.cpu_seconds),
            (resource.RLIMIT_FSIZE, self._tmp_bytes),
            (resource.RLIMIT_NPROC, PROCESSES),
            (resource.RLIMIT_NOFILE, OPEN_FILES),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_MEMLOCK, 0),
            (resource.RLIMIT_MSGQUEUE, 0),
        ):
            resource.setrlimit(what, (value, value))
        os.close(self._nowhere)
        if self._inner >= 0:
            if job.kind not in _SELF_SEEING and not landlock.restrict(self._inner):
                raise OSError(ctypes.get_errno(), "Landlock holds the worker but not this")
            os.close(self._inner)
        compiled = self._filters["program" if starts_program else "document"]
        if compiled and self.report["seccomp"] and not seccomp.install(compiled):
            raise OSError(ctypes.get_errno(), "seccomp holds the worker but not this")


def enclose_engine(uid: int, memory_bytes: int) -> dict[str, Any]:
    """Put this process, which has one thread yet, behind the walls of the OCR engine, for good.

    It may read interpreter, libraries and models, and write what is open already: nothing else.
    ``uid`` is the user to become, 0 to stay; ``memory_bytes`` bounds its address space.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    own_user = _become(uid)
    own_namespace = bool(uid) and _new_user_namespace()
    inner = landlock.ruleset(sandbox.readable_by_engine())
    confined = landlock.restrict(inner)
    if inner >= 0:
        os.close(inner)
    for what, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(what, (value, value))
    _dumpable(False)
    return {
        "landlock": landlock.version() if confined else 0,
        "seccomp": seccomp.install(seccomp.program("engine")),
        "own_user": own_user,
        "own_user_namespace": own_namespace,
    }


def _become(uid: int) -> bool:
    """Become the lonely user, if the parent chose one; this drops every capability.

    It also undoes bubblewrap's promise to die with the parent; the end of the control socket
    takes its place.
    """
    if uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    return bool(uid)


def _new_user_namespace() -> bool:
    """Move into a user namespace where only this user exists, and keep no capability in it.

    Bubblewrap cannot do it for root: in a namespace that it makes there is no lonely user.
    """
    uid, gid = os.getuid(), os.getgid()
    # A process that changed its user may not open its own maps until it is dumpable again.
    _dumpable(True)
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        return False
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    finally:
        _drop_capabilities()
    return True


def _drop_capabilities() -> None:
    for capability in range(_LAST_CAPABILITY):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = struct.pack("<Ii", _CAPABILITY_VERSION, 0)
    if _libc.capset(header, bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities could not be dropped")


def _dumpable(yes: bool) -> None:
    # Not dumpable: children cannot reach this process by ptrace or through /proc.
    _libc.prctl(_PR_SET_DUMPABLE, int(yes), 0, 0, 0)
