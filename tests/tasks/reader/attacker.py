"""A worker whose jobs attack the cell from inside; bound into it by the tests, nowhere else."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
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


def escapes(job: Job, descriptors: list[int]) -> Any:
    """Return what became of each attempt to reach outside."""
    document = f"/proc/self/fd/{descriptors[0]}"
    outside = job.name
    return {
        "read passwd": attempt(lambda: Path("/etc/passwd").read_text()),
        "list root's home": attempt(lambda: [n for n in names("/root") if n != ".pyenv"]),
        "read outside": attempt(lambda: Path(outside).read_text()),
        "write checkout": attempt(lambda: Path("/app/tasks/reader/x.py").write_text("x")),
        "write interpreter": attempt(lambda: Path(sys.prefix, "x").write_text("x")),
        "write root": attempt(lambda: Path("/x").write_text("x")),
        "write dev": attempt(lambda: Path("/dev/x").write_text("x")),
        "write proc": attempt(lambda: Path("/proc/sys/kernel/hostname").write_text("x")),
        "change document": attempt(lambda: os.write(os.open(document, os.O_RDWR), b"x")),
        "truncate document": attempt(lambda: os.truncate(document, 0)),
        "chmod document": attempt(lambda: os.fchmod(descriptors[0], 0o777)),
        "touch document": attempt(lambda: os.utime(descriptors[0])),
        "connect": attempt(lambda: socket.create_connection(("127.0.0.1", job.number), 2)),
        "unix socket": attempt(lambda: socket.socket(socket.AF_UNIX)),
        "become root": attempt(lambda: os.setuid(0)),
        "mount": attempt(lambda: _call("mount", b"none", b"/scratch", b"tmpfs", 0, None)),
        "new namespace": attempt(lambda: _call("unshare", 0x10000000)),
        "trace worker": attempt(lambda: _call("ptrace", 16, 1, 0, 0)),
        "open worker": attempt(lambda: names("/proc/1/fd")),
        "worker memory": attempt(lambda: Path("/proc/1/mem").open("rb")),
    }


def _call(name: str, *arguments: Any) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    if (result := getattr(libc, name)(*arguments)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)


def kill_worker(job: Job, descriptors: list[int]) -> Any:
    outcome = attempt(lambda: os.kill(1, signal.SIGKILL))
    time.sleep(0.1)
    return outcome


def see_others(job: Job, descriptors: list[int]) -> Any:
    """Return what an earlier document could have left behind."""
    return {
        "files": names("/scratch"),
        "processes": sorted(int(n) for n in names("/proc") if n.isdigit()),
        "me": os.getpid(),
    }


def leave_behind(job: Job, descriptors: list[int]) -> Any:
    """Leave files and a process that wants to live on."""
    deep = Path("/scratch/a")
    for _ in range(50):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "secret").write_text("of another document")
    if os.fork() == 0:
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


def fill_disk(job: Job, descriptors: list[int]) -> Any:
    written = 0
    try:
        for number in range(100):
            with Path(f"/scratch/{number}").open("wb") as out:
                for _ in range(100):
                    written += out.write(bytes(1 << 20))
    except OSError:
        pass
    return written


def crash(job: Job, descriptors: list[int]) -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


def huge_answer(job: Job, descriptors: list[int]) -> Any:
    block = b"x" * (1 << 20)
    while True:
        os.write(descriptors[1], block)


def lie(job: Job, descriptors: list[int]) -> Any:
    """Write what the caller asks for instead of an honest answer."""
    os.write(descriptors[1], job.name.encode())
    os._exit(0)


ATTACKS = {
    f.__name__: f
    for f in (
        escapes,
        kill_worker,
        see_others,
        leave_behind,
        fork_bomb,
        memory_bomb,
        native_memory,
        hang,
        fill_disk,
        crash,
        huge_answer,
        lie,
    )
}


def run(job: Job, descriptors: list[int]) -> Any:
    attack = ATTACKS.get(job.kind)
    return attack(job, descriptors) if attack else jobs.run(job, descriptors)


if __name__ == "__main__":
    sys.exit(worker.main(sys.argv[1:], run, jobs.preload))
