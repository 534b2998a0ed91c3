"""Where a bag is written: into a zip, streamed, or into a folder of its own.

Both keep one promise: a path is written once, whole, below the bag's own folder, and nothing
that was there before is replaced.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import BinaryIO, Protocol

_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_0644 = (0o100644) << 16
_FOLDER_0755 = (0o040755) << 16 | 0x10
_UNIX = 3


class BagTarget(Protocol):
    """Takes the files of one bag; paths are plain ASCII and relative, the writer sees to it."""

    def open(self, path: str) -> BinaryIO:
        """Open a new file for writing; a context manager that ends the file."""
        ...

    def folder(self, path: str) -> None:
        """Make a folder that may stay empty."""
        ...

    def close(self) -> None:
        """End the bag."""
        ...


class ZipTarget:
    """Members stored, not deflated, with fixed times and ZIP64 headers, below one folder.

    The same files in the same order give the same bytes. Closing it never closes the stream. In
    a stream that cannot be sought, each member's size and checksum stand behind its bytes (data
    descriptors) as well as in the directory at the end, where every unpacking program looks.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        """Begin a zip in a stream, its members below the folder ``name``."""
        self._name = name
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True)

    def open(self, path: str) -> BinaryIO:
        """Open a new member."""
        member = self._member(path, _REGULAR_0644)
        return self._zip.open(member, "w", force_zip64=True)  # type: ignore[return-value]

    def folder(self, path: str) -> None:
        """Add the member of a folder."""
        self._zip.writestr(self._member(f"{path}/", _FOLDER_0755), b"")

    def close(self) -> None:
        """Write the zip's directory."""
        self._zip.close()

    def _member(self, path: str, attributes: int) -> zipfile.ZipInfo:
        member = zipfile.ZipInfo(f"{self._name}/{path}", _EPOCH)
        member.create_system = _UNIX
        member.external_attr = attributes
        return member


class FolderTarget:
    """Files below a folder that is made for them."""

    def __init__(self, root: Path) -> None:
        """Make the folder, which must not be there.

        Raises:
            FileExistsError: it is.
        """
        root.mkdir(parents=True)
        self._root = root

    def open(self, path: str) -> BinaryIO:
        """Open a new file."""
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")

    def folder(self, path: str) -> None:
        """Make a folder."""
        (self._root / path).mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Do nothing: every file was ended by itself."""
