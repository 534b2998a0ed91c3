"""Private key files: one line that only its owner may read, made once and never replaced.

A key file that others could read is refused, because what it signed would prove nothing.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from storage.errors import HostError
from storage.workspace import fsync_folder, remove_leftovers, temporary_name

MAX_FILE = 4096
"""Bytes of a key file."""


def write_private(path: Path, data: bytes) -> None:
    """Write a file that must not exist, whole or not at all, readable by its owner alone.

    Raises:
        FileExistsError: it exists; it is left alone.
    """
    remove_leftovers(path)
    temporary = temporary_name(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        # A link, unlike a rename, fails when another process made the key first.
        path.hardlink_to(temporary)
    finally:
        temporary.unlink()
    fsync_folder(path.parent)


def read_private(path: Path, what: str, remedy: str) -> str:
    """Return the text of a private key file.

    Args:
        path: where it lies; links are not followed.
        what: what it is called in messages, for example "log key".
        remedy: what to do when it cannot be read.

    Raises:
        HostError: no plain file, or others than its owner may use it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _require_private(path, os.fstat(descriptor), what)
            return file.read(MAX_FILE).decode("utf-8", "replace")
    except OSError as error:
        raise HostError(
            f"the {what} {path} cannot be read: {error.strerror}", remedy=remedy, path=str(path)
        ) from error


def _require_private(path: Path, state: os.stat_result, what: str) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise HostError(f"the {what} {path} is not a plain file", path=str(path))
    mode = stat.S_IMODE(state.st_mode)
    if mode & 0o177:
        raise HostError(
            f"the {what} {path} has mode {mode:04o}: others than its owner may use it",
            remedy=f"find out who read it, then run: chmod 600 {path}",
            path=str(path),
            mode=mode,
        )
