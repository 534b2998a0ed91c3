"""The inside of the OCR worker: pixels in, a page's words out, an engine that stays loaded.

It goes behind its walls before it loads anything, so that every thread of the engine is born
behind them. It opens no file of a document and parses no format: a job is a size and exactly
that many bytes. Unlike the ordinary worker it does not fork for each page, because threads of an
engine do not survive a fork; the parent ends it after so many pages, or when it has grown.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from tasks.reader import confinement
from tasks.reader.answer import Page
from tasks.reader.answering import place, write_all
from tasks.reader.engine.form import MAX_JOB_BYTES, PixelJob, Told
from tasks.reader.strict import as_json, loads, parse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_PAGE = os.sysconf("SC_PAGE_SIZE")
# Numbers of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


class PixelEngine(Protocol):
    """Reads pages of pixels, several at a time from several threads."""

    def read(self, pixels: Pixels, dpi: int) -> Page:
        """Return what is written on the page; its number and place are filled in outside.

        ``pixels`` has the shape (height, width) or, in RGB, (height, width, 3).
        """


Build = Callable[[Told], PixelEngine]


def main(arguments: list[str], build: Build) -> int:
    """Serve pages from the control socket until the parent closes it.

    ``arguments`` are what ``Told`` says, as JSON, and then what every worker is given: the
    socket's descriptor, the user to become, sizes and places of scratch files (there are none
    here), and the sandbox's mode.
    """
    told = parse(Told, loads(arguments[0].encode()))
    control = socket.socket(fileno=int(arguments[1]))
    _give_back_memory()
    # Only this tells how much is resident, and behind the walls it could not be opened.
    resident = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    report = confinement.enclose_engine(int(arguments[2]), told.memory_bytes)
    engine = build(told)
    os.write(control.fileno(), json.dumps({"ready": True} | report).encode())
    _turn_away()
    with ThreadPoolExecutor(told.threads, thread_name_prefix="page") as threads:
        while True:
            packet, descriptors, _, _ = socket.recv_fds(control, MAX_JOB_BYTES, 2)
            if not packet:
                # Nobody waits for the pages that are still being read.
                os._exit(0)
            threads.submit(_serve, engine, packet, descriptors, resident)


def _give_back_memory() -> None:
    """Let threads share one heap, and large pieces go back when they are free."""
    libc = ctypes.CDLL(None)
    for option, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, 4 << 20), (_TRIM_THRESHOLD, 32 << 20)):
        libc.mallopt(option, value)


def _turn_away() -> None:
    """Leave the standard descriptors: filled by one page's messages, they would stop others."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.close(nowhere)


def _serve(engine: PixelEngine, packet: bytes, descriptors: list[int], resident: int) -> None:
    """Read one page and answer; whatever goes wrong concerns this page alone."""
    try:
        answer = _answer(engine, packet, descriptors[0])
        answer["resident"] = int(os.pread(resident, 100, 0).split()[1]) * _PAGE
        write_all(descriptors[1], json.dumps(answer, separators=(",", ":")).encode())
    except OSError:
        # The parent has lost patience and reads no more.
        pass
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _answer(engine: PixelEngine, packet: bytes, pixels: int) -> dict[str, Any]:
    try:
        job = parse(PixelJob, loads(packet))
        return {"ok": as_json(engine.read(_pixels(job, pixels), job.dpi))}
    except MemoryError:
        return {"failed": "memory"}
    except Exception as error:  # noqa: BLE001 - engines raise anything
        return {"failed": f"{type(error).__name__} {place(error)}"[:120]}


def _pixels(job: PixelJob, descriptor: int) -> Pixels:
    import numpy as np

    if not job.valid or os.fstat(descriptor).st_size != job.size:
        raise ValueError("the pixels are not those of the job")
    shape = (job.height, job.width) + ((3,) if job.channels == 3 else ())
    mapped = mmap.mmap(descriptor, job.size, prot=mmap.PROT_READ)
    return np.frombuffer(mapped, np.uint8).reshape(shape)


def serve_pages() -> int:
    """Run with the real engine."""
    from tasks.reader.engine.rapid import Rapid

    return main(sys.argv[1:], Rapid)


if __name__ == "__main__":
    sys.exit(serve_pages())
