"""The embedded object store: files in one folder, written once, read back before they count.

::

    <root>/cases/<case>/originals/<sha256>              mode 0444
    <root>/quarantine/<accession>/originals/<sha256>    taken, not accepted yet
    <root>/log/checkpoint, log/tile/...                 the published log
    <root>/.incoming/<pid>-<n>                          a put in progress

The end of an object's retention is its file's modification time, as write-once filers keep it in
the access time: it travels with every careful copy. A file without one has the time 0. Nothing
here removes an object before that time; the host's administrator could.

A final name appears by ``link``, which never overwrites. The owner of the files, and the
administrator of the host, can still change or remove them outside of this software: the store
says so, and the custody log is what shows it.
"""

from __future__ import annotations

import errno
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from storage.digest import Fingerprint
from storage.directory_batch import DirectoryBatch
from storage.directory_files import (
    copy_expected,
    discard,
    host_errors,
    make_folders,
    moment_of,
    open_file,
    require_same,
    seconds_of,
)
from storage.errors import CustodyError, HostError, IntegrityError, NotFoundError
from storage.objects import (
    Capability,
    Kept,
    ObjectRef,
    StoreReport,
    check_key,
    still_retained,
)
from storage.workspace import fsync_file, fsync_folder, write_durably

_INCOMING = ".incoming"


class DirectoryStore:
    """``ObjectStore`` on a local file system."""

    def __init__(
        self, root: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Use (and make) a root folder; remove what a killed process left half-written."""
        self.root = root
        self._clock = clock
        self._incoming = root / _INCOMING
        self._counter = itertools.count()
        self._durable = {root}
        with host_errors(root):
            self._incoming.mkdir(parents=True, exist_ok=True)
            for stale in self._incoming.iterdir():
                if not Path(f"/proc/{stale.name.partition('-')[0]}").exists():
                    stale.unlink(missing_ok=True)

    def put(
        self,
        key: str,
        source: BinaryIO,
        expected: Fingerprint,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Store bytes under a key; see ``ObjectStore.put``."""
        final = self.root / check_key(key)
        if os.path.lexists(final):
            require_same(final, expected)
            with host_errors(final):
                # Whoever put it there may not have come to that yet.
                fsync_folder(final.parent)
            return self._retained(key, final, expected.size, retain_until)
        temporary = self._temporary()
        try:
            with host_errors(final):
                copy_expected(source, temporary, expected, seconds_of(retain_until))
                self._link(temporary, final, expected)
        finally:
            discard(temporary)
        return self._retained(key, final, expected.size, retain_until)

    def take(self, prefix: str, source: BinaryIO) -> Kept:
        """Store a stream under its own digest; see ``ObjectStore.take``."""
        with self.batch() as batch:
            return batch.take(prefix, source)

    def move(
        self,
        ref: ObjectRef,
        key: str,
        expected: Fingerprint,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Give an object another key; see ``ObjectStore.move``."""
        with self.batch() as batch:
            return batch.move(ref, key, expected, retain_until)

    def put_back(
        self,
        ref: ObjectRef,
        source: BinaryIO,
        expected: Fingerprint,
        aside: str,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Bring back what is damaged or gone; see ``ObjectStore.put_back``."""
        final = self.root / check_key(ref.key)
        if os.path.lexists(final):
            with suppress(CustodyError, OSError):
                require_same(final, expected)
                return self._retained(ref.key, final, expected.size, retain_until)
        temporary = self._temporary()
        try:
            with host_errors(final):
                copy_expected(source, temporary, expected, seconds_of(retain_until))
                if os.path.lexists(final):
                    self._set_aside(final, self.root / check_key(aside))
                make_folders(self.root, final.parent, self._durable)
                temporary.replace(final)
                fsync_folder(final.parent)
        finally:
            discard(temporary)
        return self._retained(ref.key, final, expected.size, retain_until)

    def _set_aside(self, damaged: Path, aside: Path) -> None:
        """Give what lies under a name a second one; a folder in a file's place only the second."""
        make_folders(self.root, aside.parent, self._durable)
        if damaged.is_dir() and not damaged.is_symlink():
            damaged.rename(aside)
        else:
            # Its name says its bytes: what has it already is the same.
            with suppress(FileExistsError):
                os.link(damaged, aside, follow_symlinks=False)
        fsync_folder(aside.parent)

    @contextmanager
    def batch(self) -> Iterator[DirectoryBatch]:
        """Begin takes and moves that become durable together; see ``ObjectStore.batch``."""
        batch = DirectoryBatch(self.root, self._clock, self._temporary, self._durable)
        try:
            yield batch
            batch.finish()
        finally:
            batch.drop()

    def _retained(
        self, key: str, final: Path, size: int, retain_until: datetime | None
    ) -> ObjectRef:
        """Lengthen the retention if it is to be longer, and return what is then kept."""
        with host_errors(final):
            until = int(final.stat(follow_symlinks=False).st_mtime)
            if seconds_of(retain_until) > until:
                until = seconds_of(retain_until)
                os.utime(final, (until, until), follow_symlinks=False)
                fsync_file(final)
        return ObjectRef(key, "", size, moment_of(until))

    def delete(self, ref: ObjectRef) -> None:
        """Remove an object whose retention is over; see ``ObjectStore.delete``."""
        path = self.root / check_key(ref.key)
        now = self._clock()
        still_retained(ref, now)
        with host_errors(path):
            if not os.path.lexists(path):
                return
            until = int(path.stat(follow_symlinks=False).st_mtime)
            still_retained(ObjectRef(ref.key, "", ref.size, moment_of(until)), now)
            path.unlink()
            fsync_folder(path.parent)

    def _temporary(self) -> Path:
        return self._incoming / f"{os.getpid()}-{next(self._counter)}"

    def _link(self, temporary: Path, final: Path, expected: Fingerprint) -> None:
        make_folders(self.root, final.parent, self._durable)
        try:
            os.link(temporary, final)
        except FileExistsError:
            require_same(final, expected)
        fsync_folder(final.parent)

    def open(self, ref: ObjectRef) -> BinaryIO:
        """Open an object; see ``ObjectStore.open``."""
        return open_file(self.root / check_key(ref.key))

    def find(self, key: str) -> ObjectRef | None:
        """Return the reference under a key, or None."""
        try:
            status = (self.root / check_key(key)).stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        return ObjectRef(key, "", status.st_size, moment_of(int(status.st_mtime)))

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix, sorted."""
        top = self.root / check_key(prefix.rstrip("/"))
        found = (path.relative_to(self.root) for path in top.rglob("*") if path.is_file())
        yield from sorted(str(path) for path in found)

    def tidy(self, prefix: str) -> None:
        """Remove the prefix's folder and those above it, if empty; see ``ObjectStore.tidy``."""
        folder = self.root / check_key(prefix.rstrip("/"))
        with host_errors(folder):
            # A folder directly below the root is shared by everybody and stays.
            while self.root not in (folder, folder.parent):
                try:
                    # One that is gone: whoever was killed in between had come so far.
                    with suppress(FileNotFoundError):
                        folder.rmdir()
                except OSError as error:
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                    return
                self._durable.discard(folder)
                folder = folder.parent
                if folder.exists():
                    fsync_folder(folder)

    def probe(self) -> StoreReport:
        """Try what this file system and user enforce."""
        data = b"zhenglian probe"
        path = self._incoming / f"{os.getpid()}-probe"
        with host_errors(self.root):
            path.write_bytes(data)
            path.chmod(0o444)
            try:
                path.open("r+b").close()
                writable = True
            except PermissionError:
                writable = False
            linked = path.with_name(f"{path.name}-link")
            os.link(path, linked)
            try:
                os.link(path, linked)
                overwrites = True
            except FileExistsError:
                overwrites = False
            linked.unlink()
            path.unlink()
            fsync_folder(self._incoming)
        return StoreReport(
            f"directory {self.root}",
            (
                Capability("refuses a second object under one key", not overwrites, "tried"),
                Capability("durable (fsync of file and folder)", True, "fsync succeeded"),
                Capability(
                    "read-only files are read-only to this user",
                    not writable,
                    "this user can write through mode 0444: run as another user than root"
                    if writable
                    else "writing through mode 0444 was refused",
                ),
                Capability(
                    "write-once against the administrator",
                    False,
                    "the host's administrator can still change or remove files; "
                    "the custody log shows it, S3 with Object Lock prevents it",
                ),
            ),
        )


class DirectoryLogStore:
    """``LogStore`` on a local file system, below ``<root>/log``."""

    def __init__(self, root: Path) -> None:
        """Use (and make) the log folder."""
        self.root = root / "log"
        self._durable = {self.root}
        # Files of a checkpoint come side by side: each folder is made and flushed once.
        self._making = threading.Lock()
        with host_errors(self.root):
            root.mkdir(parents=True, exist_ok=True)
            make_folders(root, self.root, {root})

    def put_tile(self, path: str, data: bytes) -> None:
        """Store an immutable resource; see ``LogStore.put_tile``."""
        final = self.root / check_key(path)
        if final.exists():
            if final.read_bytes() != data:
                raise IntegrityError(
                    f"log resource {path} is already there with other bytes",
                    remedy="stop; run 'custody verify' and ask the administrator",
                    path=path,
                )
            return
        with host_errors(final):
            self._make_folder(final.parent)
            try:
                write_durably(final, data, 0o444)
            except FileNotFoundError:
                # Another process removed the folder: its full tile is there by now.
                self._durable.discard(final.parent)
                self._make_folder(final.parent)
                write_durably(final, data, 0o444)

    def _make_folder(self, folder: Path) -> None:
        with self._making:
            make_folders(self.root, folder, self._durable)

    def replace_tile(self, path: str, data: bytes, aside: str) -> None:
        """Store a resource in the place of a damaged one; see ``LogStore.replace_tile``."""
        final, kept = self.root / check_key(path), self.root.parent / check_key(f"{aside}/{path}")
        with host_errors(final):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.link(final, kept, follow_symlinks=False)
            fsync_folder(kept.parent)
            write_durably(final, data, 0o444)

    def publish(self, checkpoint: bytes) -> None:
        """Replace the checkpoint durably and whole."""
        with host_errors(self.root):
            write_durably(self.root / "checkpoint", checkpoint)

    def drop_partials(self, paths: Sequence[str]) -> int:
        """Remove the partial tiles of full ones; see ``LogStore.drop_partials``."""
        count = 0
        for path in paths:
            full = self.root / check_key(path)
            folder = full.with_name(f"{full.name}.p")
            with host_errors(folder), suppress(FileNotFoundError):
                if full.stat().st_size:
                    for partial in sorted(folder.iterdir()):
                        partial.unlink(missing_ok=True)
                        count += 1
                    self._durable.discard(folder)
                    folder.rmdir()
        return count

    def get(self, path: str) -> bytes:
        """Return a resource's bytes."""
        try:
            return (self.root / check_key(path)).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(f"log resource {path} is missing", path=path) from error
        except OSError as error:
            raise HostError(f"log resource {path} cannot be read: {error.strerror}") from error
