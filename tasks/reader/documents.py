"""Open descriptors for the cell: regular files only, and never one that can be written to."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from storage.errors import InputError

Document = IO[bytes] | Path | str


class NotAFileError(InputError):
    """Something that is not a regular file was handed in for reading."""


@contextlib.contextmanager
def opened(document: Document) -> Iterator[int]:
    """Yield a read-only descriptor of a regular file.

    An open file is opened anew: what was shared with the cell, its position and its flags,
    could be changed from inside. A path is opened without following a link and without waiting
    for the writer of a FIFO.
    """
    descriptor = _descriptor(document)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotAFileError(
                f"不是普通文件。 Not a regular file: {getattr(document, 'name', document)}",
                remedy="只提交普通文件。 Hand in regular files only.",
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _descriptor(document: Document) -> int:
    if isinstance(document, (str, Path)):
        return os.open(document, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if document.writable():
        document.flush()
    path = f"/proc/self/fd/{document.fileno()}"
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
