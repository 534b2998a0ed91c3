"""Loss of power, simulated: what was not flushed is not on the disk afterwards.

A disk is watched through the seam. The content of a file is durable as it was at the last fsync
of that file, the names in a folder as they were at the last fsync of that folder; everything that
lay there at the start is durable. A rename from one folder to another is one act, as journalling
file systems have it. SQLite, which flushes by itself and not through the seam, is trusted: its
files survive as they are, and its own recovery leaves what was committed.

What a crash leaves of the rest is the file system's choice, so there are three of them:

- ``lost``: nothing that was not flushed survives.
- ``hollow``: every name survives, and a file that was not flushed is empty.
- ``removed``: of names, removals survive, and what was named since the last flush does not.
"""

import os
import shutil
import stat
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODES = ("lost", "hollow", "removed")
DATABASE = ("custody.sqlite", "custody.sqlite-wal")
_OPEN, _LISTDIR, _LINK, _UTIME, _MKDIR = os.open, os.listdir, os.link, os.utime, os.mkdir


@dataclass
class _Inode:
    """What is durable of a file or a folder; ``held`` keeps its number from being used again."""

    held: int
    names: dict[str, int] = field(default_factory=dict)
    content: bytes = b""
    changed: float = 0.0

    @property
    def status(self) -> os.stat_result:
        return os.stat(self.held)  # noqa: PTH116 - a descriptor


class Disk:
    """What of a folder would be there after a loss of power now."""

    def __init__(self, root: Path) -> None:
        """Take what lies there for durable."""
        self.root = root
        self._guard = threading.RLock()
        self._inodes: dict[int, _Inode] = {}
        self._moved: list[tuple[int, str, int, str, int]] = []
        self._removed: set[tuple[int, str]] = set()
        for folder, _, files in os.walk(root):
            for each in map(Path(folder).joinpath, files):
                if not each.name.startswith(DATABASE[0]):
                    self._flushed_file(self._hold(each))
        for folder, *_ in os.walk(root):
            self._flushed_folder(self._hold(Path(folder)))

    def done(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Be told of a call that was made."""
        with self._guard:
            if name == "fsync":
                self._fsync(arguments[0])
            elif name in ("rename", "replace"):
                self._rename(Path(os.fsdecode(arguments[0])), Path(os.fsdecode(arguments[1])))
            elif name in ("unlink", "remove", "rmdir"):
                path = Path(os.fsdecode(arguments[0]))
                self._removed.add((path.parent.stat().st_ino, path.name))

    def image(self, target: Path, mode: str) -> None:
        """Write down what would be there after a loss of power."""
        with self._guard:
            top = self.root.stat().st_ino
            self._write(top, target, mode, {})

    def _hold(self, path: Path) -> int:
        descriptor = _OPEN(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        number = os.fstat(descriptor).st_ino
        if number in self._inodes:
            os.close(descriptor)
        else:
            self._inodes[number] = _Inode(descriptor)
        return number

    def _path(self, number: int) -> Path:
        """Return a way to a file or folder, wherever it is called what."""
        return Path(f"/proc/self/fd/{self._inodes[number].held}")

    def _fsync(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if not os.readlink(f"/proc/self/fd/{descriptor}").startswith(f"{self.root}/"):  # noqa: PTH115
            return
        number = self._hold_descriptor(descriptor, status)
        if stat.S_ISDIR(status.st_mode):
            self._flushed_folder(number)
        else:
            self._flushed_file(number)

    def _hold_descriptor(self, descriptor: int, status: os.stat_result) -> int:
        if status.st_ino not in self._inodes:
            self._inodes[status.st_ino] = _Inode(os.dup(descriptor))
        return status.st_ino

    def _flushed_file(self, number: int) -> None:
        inode = self._inodes[number]
        inode.content = self._path(number).read_bytes()
        inode.changed = inode.status.st_mtime

    def _flushed_folder(self, number: int) -> None:
        names = {}
        for name in _LISTDIR(self._path(number)):
            if not name.startswith(DATABASE[0]):
                try:
                    names[name] = self._hold(self._path(number) / name)
                except FileNotFoundError:
                    continue  # Another thread removed it in the same moment.
        self._inodes[number].names = names
        self._removed = {each for each in self._removed if each[0] != number}
        for move in [each for each in self._moved if number in (each[0], each[2])]:
            source, old, target, new, what = move
            self._moved.remove(move)
            if target != number and target in self._inodes:
                self._inodes[target].names[new] = what
            if source != number and self._inodes[source].names.get(old) == what:
                del self._inodes[source].names[old]

    def _rename(self, old: Path, new: Path) -> None:
        if old.parent != new.parent:
            source, target = self._hold(old.parent), self._hold(new.parent)
            self._moved.append((source, old.name, target, new.name, self._hold(new)))

    def _write(self, number: int, target: Path, mode: str, seen: dict[int, Path]) -> None:
        """Write a folder; one file under two names stays one file."""
        _MKDIR(target)
        target.chmod(self._inodes[number].status.st_mode & 0o7777)
        for name, inner in self._names(number, mode).items():
            place = target / name
            status = self._inodes[inner].status
            if stat.S_ISDIR(status.st_mode):
                self._write(inner, place, mode, seen)
            elif inner in seen:
                _LINK(seen[inner], place)
            else:
                seen[inner] = place
                self._write_file(inner, place, status)

    def _write_file(self, number: int, place: Path, status: os.stat_result) -> None:
        inode = self._inodes[number]
        place.write_bytes(inode.content)
        place.chmod(status.st_mode & 0o7777)
        _UTIME(place, (inode.changed, inode.changed))

    def _names(self, number: int, mode: str) -> dict[str, int]:
        if mode == "hollow":
            there = self._path(number)
            found = [each for each in _LISTDIR(there) if not each.startswith(DATABASE[0])]
            return {each: self._hold(there / each) for each in found}
        names = self._inodes[number].names
        if mode == "removed":
            gone = {name for folder, name in self._removed if folder == number}
            return {name: inner for name, inner in names.items() if name not in gone}
        return names


def power_comes_back(root: Path) -> None:
    """Put what survived in the place of what a process saw; SQLite's own files are trusted."""
    image = root.with_suffix(".image")
    for name in DATABASE:
        if (root / "home" / name).exists():
            shutil.copy2(root / "home" / name, image / "home" / name)
    shutil.rmtree(root)
    image.rename(root)
