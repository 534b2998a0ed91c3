"""Listing a drop: what lies in a claimed bundle, without opening anything.

Symbolic links, devices, pipes and sockets are named with their kind and never followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from storage.errors import InputError, TransientError
from storage.names import display
from tasks.bundle import DONE_MARKER, Arrival, File, Irregular, IrregularKind
from tasks.packed import Packed


def list_drop(root: Path, accession: str) -> Arrival:
    """List what lies in a claimed bundle: a folder, or one file that is a container.

    Raises:
        InputError: it is gone.
        TransientError: a folder cannot be read at this moment.
    """
    status = _status(root)
    if not stat.S_ISDIR(status.st_mode):
        found = _one(str(root), root.name, status)
        files, irregular = ([found], []) if isinstance(found, File) else ([], [found])
        return Arrival(accession, "container", str(root), tuple(files), tuple(irregular))
    files, irregular = [], []
    for found in _walk(root):
        if isinstance(found, Irregular):
            irregular.append(found)
        elif found.path != DONE_MARKER or found.size:
            files.append(found)
    return Arrival(
        accession,
        "folder",
        str(root),
        Packed(sorted(files, key=lambda file: os.fsencode(file.path))),
        tuple(sorted(irregular, key=lambda each: os.fsencode(each.path))),
    )


def _status(root: Path) -> os.stat_result:
    try:
        return root.stat(follow_symlinks=False)
    except OSError as error:
        raise InputError(
            f"the bundle {display(root.name)} cannot be found: {error.strerror}",
            remedy="somebody moved it while it was being taken in; drop it again",
        ) from error


def _walk(root: Path) -> Iterator[File | Irregular]:
    """Yield everything below a folder."""
    pending = [(str(root), "")]
    while pending:
        folder, prefix = pending.pop()
        try:
            with os.scandir(folder) as entries:
                listed = list(entries)
        except FileNotFoundError:
            yield Irregular(prefix.rstrip("/"), "gone")
            continue
        except OSError as error:
            raise TransientError(
                f"the folder {display(prefix) or display(root.name)} cannot be read: "
                f"{error.strerror}",
                remedy="it is tried again; check its rights if this lasts",
            ) from error
        for entry in listed:
            path = prefix + entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                yield Irregular(path, "gone")
                continue
            if stat.S_ISDIR(status.st_mode):
                pending.append((entry.path, path + "/"))
            else:
                yield _one(entry.path, path, status)


def _one(location: str, path: str, status: os.stat_result) -> File | Irregular:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return File(path, location, status.st_size)
    if stat.S_ISLNK(mode):
        return Irregular(path, "symlink", _target(location))
    kind: IrregularKind = (
        "fifo" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
    )
    return Irregular(path, kind)


def _target(location: str) -> str:
    try:
        return os.readlink(location)  # noqa: PTH115 - the target may be any bytes
    except OSError:
        return ""
