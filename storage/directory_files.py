"""Files of a directory store: written once, durably, and named without overwriting."""

from __future__ import annotations

import errno
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from blake3 import blake3

from storage.digest import CHUNK, Fingerprint, Hasher, chunks, digest_stream
from storage.directory_readback import following
from storage.errors import HostError, IntegrityError, NotFoundError
from storage.workspace import fsync_folder

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
"""How a new file is opened: it is read back through the descriptor that wrote it."""


def copy_expected(source: BinaryIO, target: Path, expected: Fingerprint, until: int) -> None:
    """Copy, compare on the way, flush, and read back from the disk.

    Only BLAKE3 is computed: the other digests were taken before, and equal BLAKE3 means equal
    bytes; a second pass of SM3 would halve the throughput.

    Raises:
        IntegrityError: the source is not what was fingerprinted, or the disk not what was written.
    """
    state, size = blake3(), 0
    descriptor = os.open(target, _NEW, 0o444)
    with os.fdopen(descriptor, "wb", buffering=0) as file, following(descriptor) as follower:
        for piece in chunks(source, CHUNK):
            state.update(piece)
            size += len(piece)
            _write(file, piece)
            follower.written(size)
        os.utime(descriptor, (until, until))
        held = follower.finish(size)
    if size != expected.size or state.hexdigest() != expected.blake3:
        raise IntegrityError(
            "the bytes to be stored are not the bytes that were fingerprinted",
            remedy="the source changed while it was read; take it in again",
            expected=expected.blake3,
            seen=state.hexdigest(),
        )
    _require_held(target, held, expected)


class Copied(NamedTuple):
    """What was written, and whether it is flushed and read back already."""

    fingerprint: Fingerprint
    settled: bool


def copy_hashed(source: BinaryIO, target: Path) -> Copied:
    """Copy a stream of unknown digest to a new file and hash what was written.

    A file longer than a segment is flushed and read back meanwhile; a shorter one is not flushed
    yet. Only what the disk refuses is turned into an error of the host: what reading the source
    raises is another's fault and passes as it is.

    Raises:
        IntegrityError: what was read back is not what was written.
    """
    with host_errors(target):
        descriptor = os.open(target, _NEW, 0o444)
    hasher, size = Hasher(), 0
    with os.fdopen(descriptor, "wb", buffering=0) as file, following(descriptor) as follower:
        for piece in chunks(source, CHUNK):
            hasher.update(piece)
            size += len(piece)
            with host_errors(target):
                _write(file, piece)
                follower.written(size)
        with host_errors(target):
            os.utime(descriptor, (0, 0))
            if not follower.has_begun:
                # The disk begins to write, beside what is copied next; nobody waits for it here.
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                return Copied(hasher.finish(), settled=False)
            held = follower.finish(size)
    seen = hasher.finish()
    _require_held(target, held, seen)
    return Copied(seen, settled=True)


def _write(file: FileIO, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]


def status_of(path: Path) -> os.stat_result | None:
    """Return what lies under a name, without following a link; None where there is nothing."""
    try:
        return path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def names_file(path: Path, status: os.stat_result) -> bool:
    """Say whether a name already stands for the file with this status."""
    found = status_of(path)
    return found is not None and os.path.samestat(found, status)


def require_file(path: Path, status: os.stat_result, expected: Fingerprint) -> None:
    """Refuse what cannot be the stored file, without reading it.

    Raises:
        IntegrityError: it is no regular file, or has another size.
    """
    if not stat.S_ISREG(status.st_mode) or status.st_size != expected.size:
        raise IntegrityError(
            f"{path.name} is not the file that was stored",
            remedy="run 'custody verify'",
            key=str(path),
            expected=expected.size,
            seen=status.st_size,
        )


def seconds_of(retain_until: datetime | None) -> int:
    """Return the end of a retention as the time of a file; 0 for none."""
    return math.ceil(retain_until.timestamp()) if retain_until else 0


def moment_of(seconds: int) -> str:
    """Return the end of a retention that a file's time stands for, RFC 3339; empty for none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds > 0 else ""


_FEW = 8
"""Inodes that a step which failed may have given back already."""


def make_folders(root: Path, folder: Path, durable: set[Path]) -> None:
    """Make missing folders below a root and make their names durable.

    ``durable`` holds the folders whose names this process has seen flushed: one that another
    is just making is there, but it may not be durable yet.
    """
    missing = [each for each in (folder, *folder.parents) if each.is_relative_to(root)]
    for each in reversed(missing):
        if each not in durable:
            each.mkdir(exist_ok=True)
            fsync_folder(each.parent)
            durable.add(each)


def open_file(path: Path) -> BinaryIO:
    """Open a stored file for reading; a link in its place is not followed.

    Raises:
        NotFoundError: it is gone.
        HostError: it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFoundError(f"object {path.name} is gone", key=str(path)) from error
    except OSError as error:
        raise HostError(f"object {path.name} cannot be read: {error.strerror}") from error
    return os.fdopen(descriptor, "rb", buffering=0)


def read_back(path: Path, expected: Fingerprint) -> None:
    """Read a flushed file from the disk, not from memory.

    Raises:
        IntegrityError: it is not what was written.
    """
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        _require_held(path, digest_stream(file, "blake3"), expected)


def _require_held(path: Path, held: str, expected: Fingerprint) -> None:
    if held != expected.blake3:
        raise IntegrityError(
            "what was read back from the disk is not what was written",
            remedy="check this disk; the source is untouched",
            path=str(path),
        )


def require_same(path: Path, expected: Fingerprint) -> None:
    """Refuse what lies under a name already unless its bytes are the expected ones.

    Raises:
        IntegrityError: they are not.
    """
    with open_file(path) as file:
        if digest_stream(file, "blake3") != expected.blake3:
            raise IntegrityError(
                f"{path.name} is already stored with other bytes",
                remedy="run 'custody verify' on its case",
                key=str(path),
            )


def discard(path: Path) -> None:
    """Remove a temporary file, if it is there; what cannot be removed is swept at a start."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


@contextmanager
def host_errors(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into an error that says what to do."""
    try:
        yield
    except OSError as error:
        raise HostError(
            f"cannot store {path.name}: {error.strerror}",
            remedy=_remedy(error.errno or 0, path),
            errno=error.errno,
        ) from error


def _remedy(number: int, path: Path) -> str:
    if number == errno.ENOSPC and _without_inodes(path):
        return "this disk has no room for another file (no inodes): remove some; nothing was lost"
    return {
        errno.ENOSPC: "free some space on this disk; nothing was lost",
        errno.EDQUOT: "raise this user's quota; nothing was lost",
        errno.EROFS: "the disk is mounted read-only; mount it writable",
        errno.EACCES: "give this user permission to write there",
    }.get(number, "check this disk")


def _without_inodes(path: Path) -> bool:
    """Say whether a full disk is full of files rather than of bytes."""
    folder = next(each for each in path.parents if each.exists())
    counts = os.statvfs(folder)
    return counts.f_files > 0 and counts.f_favail < _FEW
