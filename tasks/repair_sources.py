"""Where bytes can be got back from: backups, replicas, folders and files that somebody kept.

Nothing here is trusted. A copy counts only once all of its digests are those on record; what a
file is called, and who made it, does not matter. Containers are not opened: whoever has the
bytes inside one unpacks it first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from storage.errors import CustodyError, InputError
from storage.settings import Settings
from tasks.backup_form import SHARED

_ROOTS = ("", SHARED, "objects")
"""Below which folders an object may lie under its own key: a store, backups, a workspace."""


class Source(Protocol):
    """Copies from one place."""

    name: str
    """What the record says of where bytes came from."""

    def streams(self, key: str, size: int | None = None) -> Iterator[BinaryIO]:
        """Yield what may be the bytes of an object, opened, the likeliest first.

        Args:
            key: where the object lies in the store.
            size: its size in bytes; None if nobody knows it, and then only the key counts.
        """
        ...


class Files:
    """A folder (a store, backups, dropped media, an unpacked package), or one file."""

    def __init__(self, path: Path) -> None:
        """Use what lies at a path."""
        self.name = str(path)
        self._path = path
        self._by_size: dict[int, list[Path]] | None = None

    def streams(self, key: str, size: int | None = None) -> Iterator[BinaryIO]:
        """Yield files that lie under the key, then any others of that size."""
        tried = set()
        for root in _ROOTS:
            path = self._path / root / key
            tried.add(path)
            yield from _opened(path, size)
        if size is not None:
            for path in self._sized(size):
                if path not in tried:
                    yield from _opened(path, size)

    def _sized(self, size: int) -> Sequence[Path]:
        """Return all files of a size; the folder is walked once, when a key was not enough."""
        if self._by_size is None:
            self._by_size = {}
            files = [self._path] if self._path.is_file() else self._walked()
            for path in files:
                self._by_size.setdefault(path.lstat().st_size, []).append(path)
        return self._by_size.get(size, ())

    def _walked(self) -> Iterator[Path]:
        for folder, _, names in os.walk(self._path):
            for name in sorted(names):
                path = Path(folder) / name
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path


def _opened(path: Path, size: int | None) -> Iterator[BinaryIO]:
    """Yield a file opened, if it is a regular one of that size; a link is not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and size in (None, status.st_size):
            yield file


class _Bucket:
    """A replica, named as the person named it."""

    def __init__(self, chosen: Settings, address: str) -> None:
        from storage.s3_replica import open_replica

        self.name = address
        self._replica = open_replica(chosen, address)

    def streams(self, key: str, size: int | None = None) -> Iterator[BinaryIO]:
        return self._replica.streams(key, size)


def open_sources(chosen: Settings, names: Sequence[str]) -> list[Source]:
    """Open what a person named: folders, files, or ``s3://`` addresses.

    Raises:
        InputError: something that was named is not there.
    """
    return [_open(chosen, name) for name in names]


def _open(chosen: Settings, name: str) -> Source:
    if name.startswith("s3://"):
        return _Bucket(chosen, name)
    path = Path(name)
    try:
        there = path.exists()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from error
    if not there:
        raise InputError(f"there is nothing at {name}", remedy="see what --from names")
    return Files(path.resolve())


def copies(sources: Sequence[Source], key: str, size: int | None) -> Iterator[tuple[str, BinaryIO]]:
    """Yield what may be the bytes of an object, with the name of its source; it is closed after.

    A source that fails is passed over: another may have the bytes.
    """
    for source in sources:
        try:
            for stream in source.streams(key, size):
                with stream:
                    yield source.name, stream
        except (CustodyError, OSError):
            continue
