"""The rules that hold for every case, whatever it is: what is watched while one is taken in."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = frozenset({
    "os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.remove", "os.truncate",
    "os.chmod", "os.chown",
})  # fmt: skip
EVIL = ("new.txt", "hostile-new.txt", "link", "passwd")
"""Names that hostile bundles try to bring into the world; a path of ours never ends so."""
MAX_MEMORY = 256 << 20
"""Bytes by which a case may raise the memory of the parent at most."""
MAX_SECONDS = 60.0
"""A case is given several times what the slowest takes on an idle machine."""

_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


class Watch:
    """Sees every file that Python opens for writing, every change of a folder, every address."""

    def __init__(self, home: Path) -> None:
        """Watch this process from now on; what lies below ``home`` may be written."""
        self._home = os.fsencode(home.resolve())
        self._on = False
        self._seen: list[str] = []
        # A hook cannot be taken away again; while no case runs it does nothing.
        sys.addaudithook(self._hook)

    @contextlib.contextmanager
    def watching(self) -> Iterator[list[str]]:
        """Yield the list of what was done that nobody may do."""
        self._seen = []
        self._on = True
        try:
            yield self._seen
        finally:
            self._on = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING:
                self._written(event, path)
        elif event in _CHANGES:
            for path in arguments[: 2 if event in ("os.rename", "os.link") else 1]:
                self._written(event, path)
        elif event == "socket.connect" and not isinstance(arguments[1], (str, bytes)):
            self._seen.append(f"connected to {arguments[1]}")

    def _written(self, event: str, path: Any) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        name = os.path.normpath(os.fsencode(Path.cwd() / os.fsdecode(path)))
        inside = name == self._home or name.startswith(self._home + b"/")
        evil = name.rpartition(b"/")[2] in {each.encode() for each in EVIL}
        if evil or not (
            inside or name.startswith((b"/dev/null", b"/proc/")) or b"__pycache__" in name
        ):
            self._seen.append(f"{event} {name!r}")


def tree(root: Path) -> dict[bytes, tuple[str, int, int, int]]:
    """Return everything below a root: kind, size, mode and time of change; nothing is opened."""
    found = {}
    pending = [os.fsencode(root)]
    while pending:
        here = pending.pop()
        status = os.lstat(here)
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "special")
        found[here] = (kind, status.st_size, status.st_mode, status.st_mtime_ns)
        if kind == "folder":
            pending += [each.path for each in os.scandir(here)]
    return found


def digests(root: Path) -> dict[bytes, str]:
    """Return the SHA-256 of every regular file of a drop, before it is dropped."""
    return {
        path: hashlib.sha256(_bytes(path)).hexdigest()
        for path, (kind, _, _, _) in tree(root).items()
        if kind == "file"
    }


def _bytes(path: bytes) -> bytes:
    return Path(os.fsdecode(path)).read_bytes()


class Memory:
    """The most memory that this process held since it was last asked."""

    def __init__(self) -> None:
        """Begin to measure."""
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self._before = self._read("VmRSS")

    def grown(self) -> int:
        """Return by how many bytes the peak stands above the start."""
        return self._read("VmHWM") - self._before

    @staticmethod
    def _read(key: str) -> int:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) << 10
        return 0
