"""Kept objects as real files: the cell is handed open descriptors, and not every store has any.

And what an ingest writes at length before it is kept.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from storage.custody import Custody
from storage.directory_files import host_errors
from storage.objects import ObjectRef


@contextmanager
def scratch(custody: Custody, name: str) -> Iterator[BinaryIO]:
    """Open a file of scratch space that is gone when the block ends; ``name`` is for people.

    Raises:
        HostError: the disk refuses what is done in the block.
    """
    work = custody.workspace.work
    with host_errors(work / name), tempfile.TemporaryFile(dir=work) as file:
        yield file


@contextmanager
def opened(custody: Custody, ref: ObjectRef) -> Iterator[BinaryIO]:
    """Open a kept object as a real file; a stream is spooled to scratch space for as long."""
    with custody.objects.open(ref) as stream:
        try:
            stream.fileno()
        except (OSError, AttributeError):
            with tempfile.TemporaryFile(dir=custody.workspace.work) as spool:
                shutil.copyfileobj(stream, spool, 1 << 20)
                spool.seek(0)
                yield spool
            return
        yield stream
