"""The inside of the cell: a warm process that forks one child for each document.

It is process 1 of its own process namespace, so one ``kill(-1)`` ends whatever a document has
started, and no child can end it. Without namespaces (a reduced cell) it adopts what its children
leave behind and ends that instead. It opens no document itself: all parsing is in the children.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.reader import warmth
from tasks.reader.answering import place, write_all
from tasks.reader.confinement import Walls
from tasks.reader.heavy import Elsewhere
from tasks.reader.job import Job, Refused
from tasks.reader.strict import as_bytes, loads, parse

MAX_JOB_BYTES = 1 << 16

Run = Callable[[Job, list[int]], Any]


@dataclass(frozen=True)
class _Service:
    """What stays the same from one job to the next."""

    control: socket.socket
    walls: Walls
    scratch: str
    run: Run
    programs: frozenset[str]


def main(
    arguments: list[str],
    run: Run,
    preload: Callable[[], None],
    programs: frozenset[str] = frozenset(),
) -> int:
    """Serve jobs from the control socket until the parent closes it.

    ``arguments`` are the socket's descriptor, the user to become (0: stay), the size in bytes
    that files of a document may reach, the folder for scratch files, and the sandbox's mode.
    ``programs`` are the kinds of job that start another program.
    """
    control_fd, uid, tmp_bytes = map(int, arguments[:3])
    scratch, mode = arguments[3:]
    if os.getpid() != 1 and mode != "bare":
        # kill(-1) outside a process namespace of its own would end the whole session.
        sys.stderr.write("the worker runs only as process 1 of the cell\n")
        return 2
    control = socket.socket(fileno=control_fd)
    preload()
    warmth.settle()
    walls = Walls(uid, scratch, tmp_bytes)
    service = _Service(control, walls, scratch, run, programs)
    _send(control, {"ready": True} | walls.report)
    while _serve(service):
        pass
    return 0


def _serve(service: _Service) -> bool:
    """Do one job; return whether there may be another."""
    packet, descriptors, _, _ = socket.recv_fds(service.control, MAX_JOB_BYTES, 4)
    if not packet:
        return False
    job = parse(Job, loads(packet))
    child = warmth.fork()
    if child == 0:
        service.control.close()
        _child(job, descriptors, service)
    for descriptor in descriptors:
        os.close(descriptor)
    ended = _watch(service.control, child, job.seconds)
    code = _end_everything(child)
    if ended == "parent" or not _empty(service.scratch):
        return False
    if ended == "timeout":
        _send(service.control, {"ended": "timeout", "code": 0})
    else:
        _send(service.control, {"ended": "exit" if code >= 0 else "signal", "code": abs(code)})
    return True


def _watch(control: socket.socket, child: int, seconds: float) -> str:
    """Wait for the child; return whether it, its time or the ``parent`` has ended."""
    handle = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.register(control, select.POLLIN)
        ready = dict(poll.poll(seconds * 1000 if seconds else None))
    finally:
        os.close(handle)
    if handle in ready:
        return "child"
    return "parent" if ready else "timeout"


def _end_everything(child: int) -> int:
    """Kill and reap every process that the document has started; return the child's end.

    The child is reaped after its group is killed: until then the group's number is its own.
    """
    _kill(child, -child)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ChildProcessError):
        while True:
            _kill(*([-1] if os.getpid() == 1 else _adopted()))
            os.waitpid(-1, 0)
    return os.waitstatus_to_exitcode(status)


def _kill(*numbers: int) -> None:
    for number in numbers:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGKILL)


def _adopted() -> list[int]:
    """Return the children of this process; those of an ended child are among them."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(number) for number in listed.split()]


def _empty(scratch: str) -> bool:
    """Remove what the last document left, so that the next cannot see it."""
    try:
        for entry in os.scandir(scratch):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                Path(entry.path).unlink()
    except (OSError, RecursionError):
        return False
    return True


def _send(control: socket.socket, value: dict[str, Any]) -> None:
    control.send(json.dumps(value).encode())


def _child(job: Job, descriptors: list[int], service: _Service) -> None:
    """Do the job behind its walls, write the answer, and end without returning."""
    code = 1
    try:
        service.walls.enclose(job, starts_program=job.kind in service.programs)
        answer = _answer(job, descriptors, service.run)
        write_all(descriptors[1], answer)
        code = 0
    except MemoryError:
        code = 3
    finally:
        os._exit(code)


def _answer(job: Job, descriptors: list[int], run: Run) -> bytes:
    try:
        value: dict[str, Any] = {"ok": run(job, descriptors)}
    except Elsewhere as error:
        value = {"elsewhere": str(error)}
    except Refused as error:
        value = {"refused": str(error)[:1000]}
    except MemoryError:
        value = {"failed": "memory"}
    except Exception as error:  # noqa: BLE001 - parsers raise anything on hostile input
        value = {"failed": f"{type(error).__name__} {place(error)}"[:120]}
    return as_bytes(value)


def serve_documents() -> int:
    """Run as the real cell, with the job kinds of ``tasks.reader.jobs``."""
    import tasks.reader.jobs as jobs

    return main(sys.argv[1:], jobs.run, jobs.preload, jobs.STARTS_PROGRAM)


if __name__ == "__main__":
    sys.exit(serve_documents())
