"""One living worker in its sandbox, as the parent sees it: jobs out, distrusted answers back."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storage.errors import HostError
from tasks.reader import sandbox, seccomp
from tasks.reader.job import Job
from tasks.reader.strict import as_bytes, loads

MAX_ANSWER_BYTES = 96 << 20
# Three bytes of JSON can become sixty of memory; every value follows one of these marks.
MAX_ANSWER_MARKS = 6_000_000
CHUNK = 1 << 18

_START_SECONDS = 60.0
# How much later than the worker itself the parent loses patience.
_BACKSTOP_SECONDS = 10.0
# How many times its processor time a stream may keep its reader waiting: loaded hosts are slow,
# but what trickles for ever only pretends to make progress.
_PATIENCE = 10
FULL = ("-m", "tasks.reader.worker")
LIGHT = ("-m", "tasks.reader.light")


class CellFailure(Exception):
    """The cell could not do the job; ``code`` says how, ``detail`` what was seen."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class LostWorker(CellFailure):
    """The worker has gone, and nothing says that the document did it."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("lost", detail)

    def __reduce__(self) -> tuple[type[LostWorker], tuple[str]]:
        """Pickle with this class's own arguments."""
        return type(self), (self.detail,)


class RefusedDocument(CellFailure):
    """The worker looked at the document and it is not what the job needs."""


class NeedsFullWorker(CellFailure):
    """A light worker was asked, and the document needs what it has not loaded."""

    def __init__(self, module: str) -> None:
        super().__init__("elsewhere", module)

    def __reduce__(self) -> tuple[type[NeedsFullWorker], tuple[str]]:
        """Pickle with this class's own arguments."""
        return type(self), (self.detail,)


class Cell:
    """A sandboxed worker that does one job at a time.

    After a ``CellFailure`` the cell is either ready again or ``alive`` is false; it never
    carries anything over from one document to the next.
    """

    def __init__(
        self,
        *,
        worker: tuple[str, ...] = FULL,
        binds: tuple[tuple[Path, str], ...] = (),
        reduced: bool = False,
    ) -> None:
        """Start the sandbox and wait until its worker is warm."""
        self.mode = sandbox.mode(reduced=reduced)
        self._uid = 0 if self.mode == "namespace" or os.geteuid() else sandbox.lonely_uid()
        self._scratch = _own_scratch(self._uid) if self.mode == "bare" else None
        self._control, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        info, tell = os.pipe()
        handed = [inner.fileno(), tell]
        if self.mode != "bare" and (filter_read := _filter_pipe()) >= 0:
            handed.append(filter_read)
        try:
            self._process = self._popen(worker, binds, handed)
        finally:
            inner.close()
            for descriptor in handed[1:]:
                os.close(descriptor)
        if self.mode == "bare":
            os.close(info)
            self._worker = os.pidfd_open(self._process.pid)
        else:
            self._worker = _worker_handle(info)
        self.alive = True
        self.greeting = self._greeting()

    def _popen(
        self, worker: tuple[str, ...], binds: tuple[tuple[Path, str], ...], handed: list[int]
    ) -> subprocess.Popen[bytes]:
        scratch = self._scratch or sandbox.SCRATCH
        values = [str(handed[0]), str(self._uid), str(sandbox.TMP_BYTES), scratch, self.mode]
        line = sandbox.command(
            self.mode,
            [*worker, *values],
            seccomp_fd=handed[2] if len(handed) > 2 else -1,
            info_fd=handed[1],
            extra=binds,
        )
        bare = self._scratch is not None
        return subprocess.Popen(
            line,
            pass_fds=handed[:1] if bare else handed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=sandbox.CHECKOUT if bare else None,
            env=sandbox.environment(scratch) if bare else {"PATH": "/usr/bin:/bin"},
            start_new_session=bare,
        )

    def ask(self, job: Job, document: int, output: int = -1) -> Any:
        """Hand over the open descriptor ``document`` and return the untrusted answer.

        The job may write to ``output``, where it is given one.
        """
        answer, give = os.pipe()
        try:
            more = [os.dup(output)] if output >= 0 else []
            self._hand_over(job, [document, give, *more])
            deadline = time.monotonic() + (job.seconds or _START_SECONDS) + _BACKSTOP_SECONDS
            untrusted, ended = self._collect(answer, deadline)
        finally:
            os.close(answer)
        return _judge(untrusted, ended, job)

    def stream(
        self, job: Job, document: int, stall_seconds: float, beside: int = -1
    ) -> Iterator[bytes]:
        """Yield what the job writes to its output; raise ``CellFailure`` if it was not whole.

        The job may read from the open descriptor ``beside``, where it is given one.
        Nothing that was yielded may be used before the iterator has ended without an error.
        """
        output, write = os.pipe()
        answer, give = os.pipe()
        done = False
        try:
            more = [os.dup(beside)] if beside >= 0 else []
            self._hand_over(job, [document, give, write, *more])
            given = 0
            patience = stall_seconds + _PATIENCE * job.cpu_seconds
            while True:
                asked = time.monotonic()
                chunk = self._chunk(output, min(stall_seconds, patience))
                patience -= time.monotonic() - asked
                if not chunk:
                    break
                given += len(chunk)
                if given > job.limit:
                    self.kill()
                    raise CellFailure("lie", "more bytes than were announced")
                yield chunk
            untrusted, ended = self._collect(answer, time.monotonic() + stall_seconds)
            done = True
        finally:
            os.close(output)
            os.close(answer)
            if not done:
                self.kill()
        _judge(untrusted, ended, job)

    def usable(self) -> bool:
        """Return whether the next job can be given to this worker."""
        return self.alive and not _readable(self._worker, 0)

    def kill(self) -> None:
        """End the sandbox and everything in it at once."""
        self.alive = False
        if self._worker >= 0:
            # The worker first: as process 1 it takes its whole namespace with it.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._worker, signal.SIGKILL)
            os.close(self._worker)
            self._worker = -1
        self._process.kill()
        self._process.wait()
        self._control.close()
        if self._process.stderr:
            self._process.stderr.close()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _greeting(self) -> dict[str, Any]:
        if _readable(self._control.fileno(), _START_SECONDS):
            with contextlib.suppress(ValueError, OSError):
                greeting = loads(self._control.recv(1 << 16))
                if isinstance(greeting, dict):
                    return greeting
        self._process.kill()
        said = self._process.stderr.read(1 << 16) if self._process.stderr else b""
        self.kill()
        # Its last line says what was wrong; before that stands where in our code it was.
        last = (said.decode(errors="replace").strip().splitlines() or ["no word of why"])[-1]
        raise HostError(
            f"隔离区没有启动。 The sandbox did not start: {last[:300]}",
            remedy="custody doctor",
        )

    def _hand_over(self, job: Job, descriptors: list[int]) -> None:
        """Send the job; our copies of all descriptors but the document are closed."""
        try:
            packet = as_bytes(job)
            socket.send_fds(self._control, [packet], descriptors)
        except OSError as error:
            self.kill()
            raise LostWorker(str(error)) from error
        finally:
            for descriptor in descriptors[1:]:
                os.close(descriptor)

    def _chunk(self, output: int, seconds: float) -> bytes:
        if not _readable(output, seconds):
            self.kill()
            raise CellFailure("timeout", "no progress")
        return os.read(output, CHUNK)

    def _collect(self, answer: int, deadline: float) -> tuple[bytes, dict[str, Any]]:
        """Read the answer to its end and then how the child ended."""
        parts: list[bytes] = []
        size = 0
        while True:
            if not _readable(answer, deadline - time.monotonic()):
                self.kill()
                raise CellFailure("timeout", "the worker did not answer")
            part = os.read(answer, CHUNK)
            if not part:
                break
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                self.kill()
                raise CellFailure("lie", "the answer is too large")
        return b"".join(parts), self._ended(deadline)

    def _ended(self, deadline: float) -> dict[str, Any]:
        try:
            if _readable(self._control.fileno(), deadline - time.monotonic()):
                packet = self._control.recv(1 << 16)
                if packet:
                    ended = loads(packet)
                    if isinstance(ended, dict):
                        return ended
        except (OSError, ValueError):
            pass
        self.kill()
        raise LostWorker("the worker has gone")


def _judge(untrusted: bytes, ended: dict[str, Any], job: Job) -> Any:
    """Return the answer's value, or raise the failure that the answer or the end tells of."""
    if ended.get("ended") == "timeout":
        raise CellFailure("timeout", f"{job.seconds:g} s")
    if ended.get("ended") != "exit" or ended.get("code") not in (0, 3):
        raise CellFailure("crash", f"{ended.get('ended')} {ended.get('code')}")
    if ended.get("code") == 3:
        raise CellFailure("memory")
    if sum(map(untrusted.count, (b",", b"[", b"{"))) > MAX_ANSWER_MARKS:
        raise CellFailure("lie", "the answer has too many values")
    try:
        answer = loads(untrusted)
    except ValueError as error:
        raise CellFailure("lie", "the answer is not JSON") from error
    if not isinstance(answer, dict) or len(answer) != 1:
        raise CellFailure("lie", "the answer has another form")
    if "ok" in answer:
        return answer["ok"]
    kind, said = next(iter(answer.items()))
    said = "".join(c for c in str(said)[:1000] if c.isprintable())
    if kind == "elsewhere":
        raise NeedsFullWorker(said)
    if kind == "refused":
        raise RefusedDocument("refused", said)
    raise CellFailure("memory" if said == "memory" else "fault", said[:120])


def _readable(descriptor: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def _worker_handle(info: int) -> int:
    """Return a handle of the worker by what bubblewrap tells on ``info``, or -1; closes it."""
    try:
        told = b""
        while not told.rstrip().endswith(b"}") and _readable(info, _START_SECONDS):
            part = os.read(info, 4096)
            if not part:
                break
            told += part
        return os.pidfd_open(int(json.loads(told)["child-pid"]))
    except (OSError, ValueError, KeyError):
        return -1
    finally:
        os.close(info)


def _own_scratch(uid: int) -> str:
    """Return a new folder that only the worker's user may enter; a bare worker has no mounts."""
    folder = tempfile.mkdtemp(prefix="cell-")
    if uid:
        os.chown(folder, uid, uid)
    return folder


def _filter_pipe() -> int:
    """Return a descriptor from which bubblewrap reads the system-call filter, or -1."""
    program = seccomp.program("worker")
    if not program:
        return -1
    read, write = os.pipe()
    os.write(write, program)
    os.close(write)
    return read
