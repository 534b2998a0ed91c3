"""The inside of the cell: a warm process that forks one child for each document.

It is process 1 of its own process namespace, so one ``kill(-1)`` ends whatever a document has
started, and no child can end it. It opens no document itself: all parsing is in the children.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.reader import landlock
from tasks.reader.job import Job, Refused
from tasks.reader.strict import as_json, loads, parse

TMP = "/scratch"
MAX_JOB_BYTES = 1 << 16
PROCESSES = 12
OPEN_FILES = 64

_PR_SET_DUMPABLE = 4

Run = Callable[[Job, list[int]], Any]


def main(arguments: list[str], run: Run, preload: Callable[[], None]) -> int:
    """Serve jobs from the control socket until the parent closes it.

    ``arguments`` are the socket's descriptor, the user to become (0: stay) and the size in
    bytes that files of a document may reach.
    """
    if os.getpid() != 1:
        # kill(-1) outside a process namespace of its own would end the whole session.
        sys.stderr.write("the worker runs only as process 1 of the cell\n")
        return 2
    control_fd, uid, tmp_bytes = map(int, arguments)
    control = socket.socket(fileno=control_fd)
    preload()
    lonely = _become(uid)
    guard = landlock.confine_writes(TMP)
    _dumpable(False)
    gc.collect()
    gc.freeze()
    _send(control, {"ready": True, "landlock": guard, "lonely": lonely})
    while _serve(control, run, tmp_bytes):
        pass
    return 0


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


def _serve(control: socket.socket, run: Run, tmp_bytes: int) -> bool:
    """Do one job; return whether there may be another."""
    packet, descriptors, _, _ = socket.recv_fds(control, MAX_JOB_BYTES, 4)
    if not packet:
        return False
    job = parse(Job, loads(packet))
    child = os.fork()
    if child == 0:
        control.close()
        _child(job, descriptors, run, tmp_bytes)
    for descriptor in descriptors:
        os.close(descriptor)
    outcome = _watch(control, child, job.seconds)
    _end_everything()
    if outcome is None or not _empty_tmp():
        return False
    _send(control, outcome)
    return True


def _watch(control: socket.socket, child: int, seconds: float) -> dict[str, Any] | None:
    """Wait for the child; return how it ended, or None when the parent has gone."""
    handle = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.register(control, select.POLLIN)
        ready = dict(poll.poll(seconds * 1000 if seconds else None))
    finally:
        os.close(handle)
    if handle in ready:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        return {"ended": "exit" if code >= 0 else "signal", "code": abs(code)}
    return None if ready else {"ended": "timeout", "code": 0}


def _end_everything() -> None:
    """Kill and reap every process of the namespace but this one."""
    while True:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        try:
            while os.waitpid(-1, 0):
                pass
        except ChildProcessError:
            return


def _empty_tmp() -> bool:
    """Remove what the last document left, so that the next cannot see it."""
    try:
        for entry in os.scandir(TMP):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                Path(entry.path).unlink()
    except (OSError, RecursionError):
        return False
    return True


def _send(control: socket.socket, value: dict[str, Any]) -> None:
    control.send(json.dumps(value).encode())


def _child(job: Job, descriptors: list[int], run: Run, tmp_bytes: int) -> None:
    """Do the job under limits, write the answer, and end without returning."""
    code = 1
    try:
        _limit(job, tmp_bytes)
        answer = _answer(job, descriptors, run)
        _write(descriptors[1], answer)
        code = 0
    except MemoryError:
        code = 3
    finally:
        os._exit(code)


def _answer(job: Job, descriptors: list[int], run: Run) -> bytes:
    try:
        value: dict[str, Any] = {"ok": as_json(run(job, descriptors))}
    except Refused as error:
        value = {"refused": str(error)[:1000]}
    except MemoryError:
        value = {"failed": "memory"}
    except Exception as error:  # noqa: BLE001 - parsers raise anything on hostile input
        value = {"failed": f"{type(error).__name__} {_place(error)}"[:120]}
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def _place(error: BaseException) -> str:
    """Return file and line where the error arose; its text may quote the document."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _limit(job: Job, tmp_bytes: int) -> None:
    _dumpable(True)
    os.setpgid(0, 0)
    os.chdir(TMP)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    for what, value in (
        (resource.RLIMIT_AS, job.memory_bytes),
        (resource.RLIMIT_CPU, job.cpu_seconds),
        (resource.RLIMIT_FSIZE, tmp_bytes),
        (resource.RLIMIT_NPROC, PROCESSES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(what, (value, value))


def _dumpable(yes: bool) -> None:
    # Not dumpable: children cannot reach this process by ptrace or through /proc.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, int(yes), 0, 0, 0)


def serve_documents() -> int:
    """Run as the real cell, with the job kinds of ``tasks.reader.jobs``."""
    import tasks.reader.jobs as jobs

    return main(sys.argv[1:], jobs.run, jobs.preload)


if __name__ == "__main__":
    sys.exit(serve_documents())
