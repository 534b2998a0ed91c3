"""Takes and moves in a directory store that become durable together.

A disk answers for many flushes that it is asked for at once with about as much work as for one.
So a batch writes its files first and lets the disk begin, then flushes and reads them
back side by side, and only then names them; one flush makes all the names of a folder durable, and
only after it are old names given up. A batch of one does the same steps in the same order.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from storage.digest import Fingerprint
from storage.directory_files import (
    copy_hashed,
    discard,
    host_errors,
    make_folders,
    moment_of,
    names_file,
    read_back,
    require_file,
    require_same,
    seconds_of,
    status_of,
)
from storage.errors import NotFoundError
from storage.objects import Kept, ObjectRef, check_key, still_retained
from storage.workspace import fsync_file, fsync_folder

T = TypeVar("T")
_PENDING = 128
"""Steps after which a batch is made durable by itself, so that it stays small."""
_AT_ONCE = 16


class _New(NamedTuple):
    """A file that is written and has no name of its own yet."""

    temporary: Path
    final: Path
    expected: Fingerprint
    settled: bool


class DirectoryBatch:
    """``Batch`` on a local file system; belongs to one thread."""

    def __init__(
        self,
        root: Path,
        clock: Callable[[], datetime],
        temporary: Callable[[], Path],
        durable: set[Path],
    ) -> None:
        """Work below a root; ``durable`` are folders whose names are known to be flushed."""
        self._root = root
        self._clock = clock
        self._temporary = temporary
        self._durable = durable
        self._new: list[_New] = []
        self._retained: list[tuple[Path, int]] = []
        self._named: set[Path] = set()
        self._left: list[Path] = []

    def take(self, prefix: str, source: BinaryIO) -> Kept:
        """Store a stream under its own digest; see ``Batch``."""
        folder = self._root / check_key(prefix)
        temporary = self._temporary()
        try:
            seen, settled = copy_hashed(source, temporary)
        except BaseException:
            discard(temporary)
            raise
        final = folder / seen.sha256
        self._new.append(_New(temporary, final, seen, settled))
        found = status_of(final)
        until = moment_of(int(found.st_mtime)) if found else ""
        self._finish_if_long()
        return Kept(ObjectRef(f"{prefix}/{seen.sha256}", "", seen.size, until), seen)

    def move(
        self,
        ref: ObjectRef,
        key: str,
        expected: Fingerprint,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Give an object another key; see ``Batch``.

        The file gets a second name and loses the first; its bytes are not touched or read. A
        file that is named twice after a crash is told by being the same file.
        """
        old, new = self._root / check_key(ref.key), self._root / check_key(key)
        with host_errors(new):
            if old != new:
                self._name_anew(old, new, ref, expected)
                self._named.add(new.parent)
                self._left.append(old)
            elif not os.path.lexists(new):
                raise NotFoundError(f"object {old.name} is gone", key=str(old))
            until = self._retain(new, seconds_of(retain_until))
        self._finish_if_long()
        return ObjectRef(key, "", expected.size, moment_of(until))

    def _name_anew(self, old: Path, new: Path, ref: ObjectRef, expected: Fingerprint) -> None:
        """Give the file its new name, beside the old one if that is there."""
        status = status_of(old)
        if status is not None and not names_file(new, status):
            still_retained(ref, self._clock())
            until = moment_of(int(status.st_mtime))
            still_retained(ObjectRef(ref.key, "", ref.size, until), self._clock())
            require_file(old, status, expected)
            make_folders(self._root, new.parent, self._durable)
            with suppress(FileExistsError, FileNotFoundError):
                os.link(old, new, follow_symlinks=False)
        found = status_of(new)
        if found is None:
            raise NotFoundError(f"object {old.name} is gone", key=str(old))
        if status is None or not os.path.samestat(status, found):
            require_same(new, expected)

    def _retain(self, path: Path, wanted: int) -> int:
        until = int(path.stat(follow_symlinks=False).st_mtime)
        if wanted <= until:
            return until
        self._retained.append((path, wanted))
        return wanted

    def _finish_if_long(self) -> None:
        if len(self._new) + len(self._left) >= _PENDING:
            self.finish()

    def finish(self) -> None:
        """Make everything so far durable.

        Raises:
            IntegrityError: what was read back is not what was written, or a key holds other
                bytes.
            HostError: the disk refuses.
        """
        try:
            _side_by_side(_settle, self._new)
            for each in self._new:
                with host_errors(each.final):
                    self._name(each)
            with host_errors(self._root):
                self._flush_names()
        finally:
            self.drop()

    def _name(self, each: _New) -> None:
        make_folders(self._root, each.final.parent, self._durable)
        try:
            os.link(each.temporary, each.final)
        except FileExistsError:
            require_same(each.final, each.expected)
        self._named.add(each.final.parent)

    def _flush_names(self) -> None:
        for folder in sorted(self._named):
            fsync_folder(folder)
        # Not before the new name is durable: a file that had the old one alone and were retained
        # could not be moved again.
        _side_by_side(_lengthen, self._retained)
        for path in self._left:
            path.unlink(missing_ok=True)
        for folder in sorted({path.parent for path in self._left}):
            if folder.exists():
                fsync_folder(folder)

    def drop(self) -> None:
        """Forget what is not durable yet: nothing that was only taken was visible."""
        for each in self._new:
            discard(each.temporary)
        self._new, self._retained, self._named, self._left = [], [], set(), []


def _settle(each: _New) -> None:
    """Flush a new file and read it back, if that is not done yet."""
    if each.settled:
        return
    with host_errors(each.final):
        fsync_file(each.temporary)
        read_back(each.temporary, each.expected)


def _lengthen(retained: tuple[Path, int]) -> None:
    path, wanted = retained
    if int(path.stat(follow_symlinks=False).st_mtime) < wanted:
        os.utime(path, (wanted, wanted), follow_symlinks=False)
    fsync_file(path)


def _side_by_side(act: Callable[[T], None], these: list[T]) -> None:
    """Do to many at once what waits for the disk, so that it answers for several together."""
    if len(these) <= 1:
        for each in these:
            act(each)
        return
    with ThreadPoolExecutor(min(_AT_ONCE, len(these)), thread_name_prefix="flush") as pool:
        for _ in pool.map(act, these):
            pass
