"""An engine that does what its page says in letters; bound into the OCR worker by the tests."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.reader.answer import Page
from tasks.reader.engine import serve
from tasks.reader.engine.form import Told

CLONE_NEWUSER = 0x10000000


class Fake:
    """Reads the bytes of a page as an order."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.kept: list[bytearray] = []

    def read(self, pixels: Any, dpi: int) -> Page:
        order, _, argument = bytes(pixels.reshape(-1)).decode().strip().partition(" ")
        said = getattr(self, order)(argument) or order
        return Page(1, "ocr", str(said), engine="fake")

    def say(self, argument: str) -> str:
        return argument

    def thread(self, _: str) -> str:
        time.sleep(0.2)
        return threading.current_thread().name

    def fault(self, argument: str) -> None:
        raise KeyError(argument)

    def memory(self, _: str) -> None:
        raise MemoryError

    def crash(self, _: str) -> None:
        ctypes.string_at(0)

    def end(self, _: str) -> None:
        os._exit(0)

    def hang(self, _: str) -> None:
        time.sleep(60)

    def grow(self, argument: str) -> None:
        self.kept.append(bytearray(b"x" * (int(argument) << 20)))

    def lie(self, argument: str) -> None:
        vars(serve)["write_all"] = lambda descriptor, _: os.write(descriptor, argument.encode())

    def garbage(self, _: str) -> None:
        # Whoever took the engine over writes what he likes.
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, b"\xff{not json")
            except OSError:
                continue

    def escape(self, secret: str) -> str:
        return json.dumps({name: attempt(action) for name, action in tries(secret).items()})


def attempt(action: Callable[[], Any]) -> str:
    try:
        return f"done: {action()!r}"[:200]
    except OSError as error:
        return f"refused: {error.strerror}"


def tries(secret: str) -> dict[str, Callable[[], Any]]:
    """Return what an engine that was taken over might try."""
    system = ctypes.CDLL(None, use_errno=True)

    def call(name: str, *arguments: Any) -> int:
        done: int = getattr(system, name)(*arguments)
        if done < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return done

    return {
        "connect": lambda: socket.create_connection(("127.0.0.1", 9), 2),
        "unix socket": lambda: socket.socket(socket.AF_UNIX),
        "read outside": lambda: Path(secret).read_text(),
        "read passwd": lambda: Path("/etc/passwd").read_text(),
        "read itself": lambda: Path("/proc/self/status").read_text(),
        "read its memory": lambda: Path("/proc/self/mem").open("rb"),
        "list processes": lambda: list(Path("/proc").iterdir()),
        "write outside": lambda: Path(secret + ".new").write_text("x"),
        "write scratch": lambda: Path("/scratch/x").write_text("x"),
        "write temporary": lambda: Path("/tmp/x").write_text("x"),
        "write checkout": lambda: Path(serve.__file__).with_name("x.py").write_text("x"),
        "write models": lambda: Path(sys.prefix, "x").write_text("x"),
        "make folder": lambda: Path("/scratch/y").mkdir(),
        "fork": lambda: os.fork() or os._exit(0),
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "replace itself": lambda: os.execv("/bin/true", ["true"]),
        "namespace": lambda: call("unshare", CLONE_NEWUSER),
        "signal": lambda: os.kill(os.getppid() or 1, signal.SIGTERM),
        "memory file": lambda: os.memfd_create("x"),
        "pipe": os.pipe,
        "become root": lambda: os.setuid(0),
        "pin": lambda: os.sched_setaffinity(0, {0}),
        "send descriptors": lambda: socket.socketpair(),
    }


if __name__ == "__main__":
    sys.exit(serve.main(sys.argv[1:], Fake))
