"""One look at something dropped: what lies in it, without opening any of it.

Two looks agree exactly when no name, size or time in it differs. What counts as an archive or
as an unfinished upload is told by the name alone.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from tasks.bundle import DONE_MARKER

_CONTAINERS = (
    ".zip",
    ".tar",
    ".tar.gz",
    ".tgz",
    ".tar.bz2",
    ".tbz2",
    ".tar.xz",
    ".txz",
    ".tar.zst",
    ".7z",
    ".rar",
)
_UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".uploading")
_PART_OF_SET = re.compile(r"\.(part\d+\.rar|\d{3}|z\d\d+|r\d\d+)\Z", re.ASCII)
_FIRST_OF_SET = {".zip": ".z01", ".rar": ".r00"}
"""The last volume of a split zip, the first of an old split rar: told by what lies beside it."""


def is_container_name(name: str) -> bool:
    """Say whether a single file of this name is a bundle: an archive, whole in one file."""
    return name.lower().endswith(_CONTAINERS) and not _split_name(name)


def is_unfinished_name(name: str) -> bool:
    """Say whether a program gives such a name to what it has not finished writing."""
    return name.lower().endswith(_UNFINISHED)


def is_part_of_set(path: Path) -> bool:
    """Say whether a file is one volume of an archive that was split into several."""
    other = _FIRST_OF_SET.get(path.suffix.lower())
    beside = (path.with_suffix(each) for each in (other, other.upper())) if other else ()
    return _split_name(path.name) or any(os.path.lexists(each) for each in beside)


def _split_name(name: str) -> bool:
    return _PART_OF_SET.search(name.lower()) is not None


@dataclass(frozen=True)
class Look:
    """What one look found.

    ``digest`` is over the names, sizes and times of everything; ``top`` are the names directly
    in a folder; ``size`` is in bytes. ``marked``: a ``.done`` marker lies in the folder and
    nothing in it is newer. ``unfinished`` is the first path with the name of an unfinished
    upload, ``unreadable`` what could not be looked at, and why.
    """

    identity: tuple[int, int]
    digest: bytes
    top: frozenset[str]
    files: int
    size: int
    marked: bool
    unfinished: str
    unreadable: str

    def continues(self, part: Look) -> bool:
        """Say whether this can be what was seen as ``part``: nothing in it has become less.

        A file system gives the number of a removed file to the next one made.
        """
        return part.files > 0 and part.top <= self.top and 0 < part.size <= self.size


def look_at(path: Path) -> Look | None:
    """Look at a file or a folder and all below it; None when it is gone."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    walk = _Walk(os.fspath(path))
    if stat.S_ISDIR(status.st_mode):
        walk.folder(status)
    else:
        walk.note("", status)
    return walk.look((status.st_dev, status.st_ino))


class _Walk:
    """Goes through a tree in a fixed order, holding no more than one folder's names."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._digest = blake2b(digest_size=32)
        self._top: frozenset[str] = frozenset()
        self._files = self._size = 0
        self._newest = self._marker = -1
        self._unfinished = self._unreadable = ""

    def look(self, identity: tuple[int, int]) -> Look:
        """Return what was found."""
        return Look(
            identity,
            self._digest.digest(),
            self._top,
            self._files,
            self._size,
            self._marker >= 0 and self._marker >= self._newest,
            self._unfinished,
            self._unreadable,
        )

    def folder(self, status: os.stat_result) -> None:
        """Go through a folder; its own change time is left out: a rename of it alters that."""
        self._add("", status.st_mode, status.st_mtime_ns)
        pending = [""]
        while pending:
            prefix = pending.pop()
            for name in self._names(prefix):
                self._entry(prefix + name, pending)

    def note(self, path: str, status: os.stat_result) -> None:
        """Take something that is no folder into account."""
        self._add(path, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if path == DONE_MARKER and stat.S_ISREG(status.st_mode):
            self._marker = status.st_ctime_ns
            return
        self._files += 1
        self._size += status.st_size
        self._newest = max(self._newest, status.st_ctime_ns)

    def _entry(self, path: str, pending: list[str]) -> None:
        if is_unfinished_name(path) and not self._unfinished:
            self._unfinished = path
        try:
            status = os.lstat(f"{self._root}/{path}")
        except OSError as error:
            self._failed(path, error)
            return
        if stat.S_ISDIR(status.st_mode):
            self._add(path, status.st_mode, status.st_mtime_ns, status.st_ctime_ns)
            self._newest = max(self._newest, status.st_ctime_ns)
            pending.append(f"{path}/")
        else:
            self.note(path, status)

    def _names(self, prefix: str) -> list[str]:
        try:
            names = sorted(os.listdir(f"{self._root}/{prefix}"))  # noqa: PTH208 - names, not paths
        except OSError as error:
            self._failed(prefix, error)
            return []
        if not prefix:
            self._top = frozenset(names)
        return names

    def _failed(self, path: str, error: OSError) -> None:
        """What vanished a moment ago is a change; anything else is a person's business."""
        self._add(path, -1)
        if not isinstance(error, FileNotFoundError | NotADirectoryError) and not self._unreadable:
            self._unreadable = f"{path or 'the folder'} cannot be read: {error.strerror}"

    def _add(self, path: str, *values: int) -> None:
        self._digest.update(f"{path}\0{values}\n".encode("utf-8", "surrogateescape"))
