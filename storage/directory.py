"""The embedded object store: files in one folder, written once, read back before they count.

::

    <root>/cases/<case>/originals/<sha256>   mode 0444
    <root>/log/checkpoint, log/tile/...      the published log
    <root>/.incoming/<pid>-<n>               a put in progress

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
import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from storage.digest import CHUNK, Fingerprint, chunks, digest_stream
from storage.errors import CustodyError, HostError, InputError, IntegrityError, NotFoundError
from storage.objects import Capability, ObjectRef, StoreReport, still_retained
from storage.workspace import fsync_folder, write_durably

_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}", re.ASCII)
_INCOMING = ".incoming"


def check_key(key: str) -> str:
    """Return a key if it is one of ours: ASCII segments, none empty or beginning with a dot.

    Raises:
        InputError: it is not.
    """
    if not all(_SEGMENT.fullmatch(part) for part in key.split("/")):
        raise InputError(f"{key!r} is not a storage key", key=key)
    return key


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
        with _host_errors(root):
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
            self._same(final, expected)
            return self._retained(key, final, expected.size, retain_until)
        temporary = self._incoming / f"{os.getpid()}-{next(self._counter)}"
        with _host_errors(final):
            try:
                _copy(source, temporary, expected, _seconds(retain_until))
                self._read_back(temporary, expected)
                self._link(temporary, final, expected)
            finally:
                temporary.unlink(missing_ok=True)
        return self._retained(key, final, expected.size, retain_until)

    def _retained(
        self, key: str, final: Path, size: int, retain_until: datetime | None
    ) -> ObjectRef:
        """Lengthen the retention if it is to be longer, and return what is then kept."""
        with _host_errors(final):
            until = int(final.stat(follow_symlinks=False).st_mtime)
            if _seconds(retain_until) > until:
                until = _seconds(retain_until)
                os.utime(final, (until, until), follow_symlinks=False)
        return ObjectRef(key, "", size, _moment(until))

    def delete(self, ref: ObjectRef) -> None:
        """Remove an object whose retention is over; see ``ObjectStore.delete``."""
        path = self.root / check_key(ref.key)
        now = self._clock()
        still_retained(ref, now)
        with _host_errors(path):
            if not os.path.lexists(path):
                return
            until = int(path.stat(follow_symlinks=False).st_mtime)
            still_retained(ObjectRef(ref.key, "", ref.size, _moment(until)), now)
            path.unlink()
            fsync_folder(path.parent)

    def _link(self, temporary: Path, final: Path, expected: Fingerprint) -> None:
        _make_folders(self.root, final.parent)
        try:
            os.link(temporary, final)
        except FileExistsError:
            self._same(final, expected)
        fsync_folder(final.parent)

    def _read_back(self, path: Path, expected: Fingerprint) -> None:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            if digest_stream(file, "blake3") != expected.blake3:
                raise IntegrityError(
                    "what was read back from the disk is not what was written",
                    remedy="check this disk; the source is untouched",
                    path=str(path),
                )

    def _same(self, final: Path, expected: Fingerprint) -> None:
        with self._open(final) as file:
            if digest_stream(file, "blake3") != expected.blake3:
                raise IntegrityError(
                    f"{final.name} is already stored with other bytes",
                    remedy="run 'custody verify' on its case",
                    key=str(final),
                )

    def open(self, ref: ObjectRef) -> BinaryIO:
        """Open an object; see ``ObjectStore.open``."""
        return self._open(self.root / check_key(ref.key))

    def _open(self, path: Path) -> BinaryIO:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise NotFoundError(f"object {path.name} is gone", key=str(path)) from error
        except OSError as error:
            raise HostError(f"object {path.name} cannot be read: {error.strerror}") from error
        return os.fdopen(descriptor, "rb", buffering=0)

    def find(self, key: str) -> ObjectRef | None:
        """Return the reference under a key, or None."""
        try:
            status = (self.root / check_key(key)).stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        return ObjectRef(key, "", status.st_size, _moment(int(status.st_mtime)))

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix, sorted."""
        top = self.root / check_key(prefix.rstrip("/"))
        found = (path.relative_to(self.root) for path in top.rglob("*") if path.is_file())
        yield from sorted(str(path) for path in found)

    def probe(self) -> StoreReport:
        """Try what this file system and user enforce."""
        data = b"zhenglian probe"
        path = self._incoming / f"{os.getpid()}-probe"
        with _host_errors(self.root):
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
        with _host_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)

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
        with _host_errors(final):
            _make_folders(self.root, final.parent)
            write_durably(final, data, 0o444)

    def publish(self, checkpoint: bytes) -> None:
        """Replace the checkpoint durably and whole."""
        with _host_errors(self.root):
            write_durably(self.root / "checkpoint", checkpoint)

    def get(self, path: str) -> bytes:
        """Return a resource's bytes."""
        try:
            return (self.root / check_key(path)).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(f"log resource {path} is missing", path=path) from error
        except OSError as error:
            raise HostError(f"log resource {path} cannot be read: {error.strerror}") from error


def _copy(source: BinaryIO, target: Path, expected: Fingerprint, until: int) -> None:
    """Copy and compare on the way.

    Only BLAKE3 is computed: the other digests were taken before, and equal BLAKE3 means equal
    bytes; a second pass of SM3 would halve the throughput.
    """
    state, size = blake3(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(target, flags, 0o444)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        for piece in chunks(source, CHUNK):
            state.update(piece)
            size += len(piece)
            view = memoryview(piece)
            while view:
                view = view[file.write(view) :]
        os.utime(descriptor, (until, until))
        os.fsync(descriptor)
    if size != expected.size or state.hexdigest() != expected.blake3:
        raise IntegrityError(
            "the bytes to be stored are not the bytes that were fingerprinted",
            remedy="the source changed while it was read; take it in again",
            expected=expected.blake3,
            seen=state.hexdigest(),
        )


def _seconds(retain_until: datetime | None) -> int:
    """Return the end of a retention as the time of a file; 0 for none."""
    return math.ceil(retain_until.timestamp()) if retain_until else 0


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds > 0 else ""


def _make_folders(root: Path, folder: Path) -> None:
    """Make missing folders and make their names durable."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        fsync_folder(each.parent)


@contextmanager
def _host_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except CustodyError:
        raise
    except OSError as error:
        remedies = {
            errno.ENOSPC: "free some space on this disk; nothing was lost",
            errno.EDQUOT: "raise this user's quota; nothing was lost",
            errno.EROFS: "the disk is mounted read-only; mount it writable",
            errno.EACCES: "give this user permission to write there",
        }
        raise HostError(
            f"cannot store {path.name}: {error.strerror}",
            remedy=remedies.get(error.errno or 0, "check this disk"),
            errno=error.errno,
        ) from error
