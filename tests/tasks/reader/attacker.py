"""A worker whose jobs attack the cell from inside; bound into it by the tests, nowhere else."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tasks.reader import jobs, worker
from tasks.reader.job import Job


def names(folder: str) -> list[str]:
    return [path.name for path in Path(folder).iterdir()]


def attempt(action: Callable[[], Any]) -> str:
    try:
        return f"done: {action()!r}"[:200]
    except OSError as error:
        return f"refused: {error.strerror}"
    except StopIteration:
        return "refused: nothing is there"


def escapes(job: Job, descriptors: list[int]) -> Any:
    """Return what became of each attempt to reach outside."""
    tries = outside(job.name, job.number, descriptors[0]) | worker_reached(os.getppid())
    return {name: attempt(action) for name, action in (tries | beyond()).items()}


def outside(secret: str, port: int, document: int) -> dict[str, Callable[[], Any]]:
    """Return attempts that succeed for a process without walls; the tests see that they do."""
    again = f"/proc/self/fd/{document}"
    return {
        "read passwd": lambda: Path("/etc/passwd").read_text(),
        "read outside": lambda: Path(secret).read_text(),
        "write outside": lambda: Path(secret + ".new").write_text("x"),
        "remove outside": lambda: Path(secret + ".victim").unlink(),
        "read kernel's files": lambda: Path("/proc/sys/kernel/osrelease").read_text(),
        "open document for writing": lambda: os.write(os.open(again, os.O_RDWR), b""),
        "chmod document": lambda: os.fchmod(document, 0o777),
        "touch document": lambda: os.utime(document),
        "lock document": lambda: fcntl.flock(document, fcntl.LOCK_EX),
        "flags of document": lambda: fcntl.fcntl(document, fcntl.F_SETFL, os.O_APPEND),
        "connect": lambda: socket.create_connection(("127.0.0.1", port), 2),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "unix socket": lambda: socket.socket(socket.AF_UNIX),
        "abstract socket": lambda: socket.socketpair(),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "memory file": lambda: os.memfd_create("x"),
        "own group": lambda: os.setpgid(0, 0),
    }


def worker_reached(worker: int) -> dict[str, Callable[[], Any]]:
    """Return attempts on the worker, whose user the document's process shares."""
    return {
        "signal worker": lambda: os.kill(worker, signal.SIGTERM),
        "limit worker": lambda: resource.prlimit(worker, resource.RLIMIT_CPU, (0, 0)),
        "pin worker": lambda: os.sched_setaffinity(worker, {0}),
        "slow worker": lambda: os.setpriority(os.PRIO_PROCESS, worker, 19),
        "handle of worker": lambda: os.pidfd_open(worker),
        "trace worker": lambda: _call("ptrace", 16, worker, 0, 0),
        "worker's files": lambda: names(f"/proc/{worker}/fd"),
        "worker's memory": lambda: Path(f"/proc/{worker}/mem").open("rb"),
        "worker's root": lambda: names(f"/proc/{worker}/root/"),
        "worker's environment": lambda: Path(f"/proc/{worker}/environ").read_bytes(),
        "worker's oom score": lambda: Path(f"/proc/{worker}/oom_score_adj").write_text("0"),
    }


def beyond() -> dict[str, Callable[[], Any]]:
    """Return attempts that need rights, or that would harm a host without walls."""
    system = {
        "io_uring": (425, 425, 8, 0),
        "bpf": (321, 280, 0, 0),
        "keyring": (250, 219, 0, -3),
        "userfaultfd": (323, 282, 1, 0),
        "perf": (298, 241, 0, 0),
        "memory of another": (310, 270, 1, 0),
        "file by handle": (304, 265, -100, 0),
        "clone3 by hand": (435, 435, 0, 0),
        "set name space": (308, 268, 0, 0),
    }
    column = 0 if platform.machine() == "x86_64" else 1
    calls: dict[str, Callable[[], Any]] = {
        name: partial(_call, "syscall", numbers[column], *numbers[2:], 0, 0, 0)
        for name, numbers in system.items()
    }
    return calls | {
        "list root's home": lambda: next(n for n in names("/root") if n != ".pyenv"),
        "write checkout": lambda: Path(worker.__file__).with_name("x.py").write_text("x"),
        "write interpreter": lambda: Path(sys.prefix, "x").write_text("x"),
        "write root": lambda: Path("/x").write_text("x"),
        "write dev": lambda: Path("/dev/x").write_text("x"),
        "write proc": lambda: Path("/proc/sys/kernel/hostname").write_text("x"),
        "shared memory": lambda: _call("shmget", 0, 4096, 0o1600),
        "become root": lambda: os.setuid(0),
        "mount": lambda: _call("mount", b"none", b"/scratch", b"tmpfs", 0, None),
        "new namespace": lambda: _call("unshare", 0x10000000),
        "new session": lambda: os.setsid(),
    }


def starts(job: Job, descriptors: list[int]) -> Any:
    """Return what became of attempts to start a process, a thread or a program."""
    script = Path("evil")
    script.write_text("#!/bin/sh\n")
    return {
        "fork": attempt(lambda: os.fork() or os._exit(0)),
        "thread": attempt(_thread),
        "program": attempt(lambda: subprocess.run(["/bin/true"], check=True).returncode),
        "own program": attempt(lambda: subprocess.run(["./evil"], check=True).returncode),
        "namespace": attempt(lambda: _call("syscall", CLONE, 0x10000000 | 17, 0, 0, 0, 0)),
    }


def _thread() -> None:
    try:
        threading.Thread(target=time.sleep, args=(0,)).start()
    except RuntimeError as error:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM)) from error


def _call(name: str, *arguments: Any) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    if (result := getattr(libc, name)(*arguments)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)


def move_document(job: Job, descriptors: list[int]) -> Any:
    """Move the place in the document, which whoever shares its descriptor would see."""
    return os.lseek(descriptors[0], 5, os.SEEK_SET)


def x32(job: Job, descriptors: list[int]) -> Any:
    return ctypes.CDLL(None).syscall(0x40000000 | 39)


def old_architecture(job: Job, descriptors: list[int]) -> Any:
    """Make a call by the numbers of a 386 (getpid), as machine code."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    place = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return ctypes.CFUNCTYPE(ctypes.c_int)(place)()


def kill_worker(job: Job, descriptors: list[int]) -> Any:
    outcome = attempt(lambda: os.kill(os.getppid(), signal.SIGKILL))
    time.sleep(0.1)
    return outcome


def see_others(job: Job, descriptors: list[int]) -> Any:
    """Return what an earlier document could have left behind."""
    return {
        "files": names("."),
        "processes": sorted(n for n in range(1, 300) if alive(n)),
        "me": os.getpid(),
        "open": [number for number in range(64) if is_open(number)],
    }


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def fill_errors(job: Job, descriptors: list[int]) -> Any:
    """Fill what the worker writes its own errors to, as far as a pipe holds."""
    return os.write(2, bytes(1 << 16))


def alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def leave_behind(job: Job, descriptors: list[int]) -> Any:
    """Leave files and a process that wants to live on."""
    deep = Path("a")
    for _ in range(50):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "secret").write_text("of another document")
    if os.fork() == 0:
        with contextlib.suppress(OSError):
            os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
        os._exit(0)
    return "left"


def fork_bomb(job: Job, descriptors: list[int]) -> Any:
    count = 0
    while count < 1000:
        try:
            if os.fork() == 0:
                time.sleep(600)
        except OSError:
            return count
        count += 1
    return count


def memory_bomb(job: Job, descriptors: list[int]) -> Any:
    held = []
    while True:
        held.append(bytearray(50 << 20))


def native_memory(job: Job, descriptors: list[int]) -> Any:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    got = libc.malloc(ctypes.c_size_t(8 << 30))
    return "got" if got else "refused"


def hang(job: Job, descriptors: list[int]) -> Any:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        time.sleep(60)


def trickle(job: Job, descriptors: list[int]) -> Any:
    """Pretend progress for ever."""
    while True:
        os.write(descriptors[2], b"x")
        time.sleep(0.02)


def fill_disk(job: Job, descriptors: list[int]) -> Any:
    written = 0
    try:
        for number in range(100):
            with Path(f"{number}").open("wb") as out:
                for _ in range(100):
                    written += out.write(bytes(1 << 20))
    except OSError:
        pass
    return written


def crash(job: Job, descriptors: list[int]) -> Any:
    ctypes.string_at(0)


def huge_answer(job: Job, descriptors: list[int]) -> Any:
    block = b"x" * (1 << 20)
    while True:
        os.write(descriptors[1], block)


def wide_answer(job: Job, descriptors: list[int]) -> Any:
    """Write an answer that is small as text and large as objects."""
    os.write(descriptors[1], b'{"ok":[' + b"[]," * 7_000_000 + b"[]]}")
    os._exit(0)


def lie(job: Job, descriptors: list[int]) -> Any:
    """Write what the caller asks for instead of an honest answer."""
    os.write(descriptors[1], job.name.encode())
    os._exit(0)


ATTACKS = {
    f.__name__: f
    for f in (
        escapes,
        starts,
        move_document,
        x32,
        old_architecture,
        kill_worker,
        see_others,
        fill_errors,
        leave_behind,
        fork_bomb,
        memory_bomb,
        native_memory,
        hang,
        trickle,
        fill_disk,
        crash,
        huge_answer,
        wide_answer,
        lie,
    )
}


def run(job: Job, descriptors: list[int]) -> Any:
    attack = ATTACKS.get(job.kind.removesuffix(AS_PROGRAM))
    return attack(job, descriptors) if attack else jobs.run(job, descriptors)


# An attack under this ending runs behind the walls of a job that may start programs.
AS_PROGRAM = "_as_program"
CLONE = 56 if platform.machine() == "x86_64" else 220
PROGRAMS = jobs.STARTS_PROGRAM | {name + AS_PROGRAM for name in ATTACKS}


def without_walls(secret: str, port: str) -> int:
    """Print what becomes of the attempts where nothing holds them."""
    with Path(secret).open("rb") as document:
        tries = outside(secret, int(port), document.fileno())
        print(json.dumps({name: attempt(action) for name, action in tries.items()}))
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "without-walls":
        sys.exit(without_walls(*sys.argv[2:]))
    sys.exit(worker.main(sys.argv[1:], run, jobs.preload, PROGRAMS))
