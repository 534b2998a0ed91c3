"""Working copies in a folder of their own, and ranges of them."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from storage.directory import DirectoryStore
from storage.directory_files import host_errors
from storage.objects import ObjectRef


class DirectoryWorkingStore(DirectoryStore):
    """``WorkingStore`` on a local file system."""

    def open_range(self, ref: ObjectRef, start: int, end: int) -> BinaryIO:
        """Open some of an object's bytes; see ``WorkingStore.open_range``."""
        file = self.open(ref)
        with host_errors(self.root / ref.key):
            file.seek(start)
        return cast(BinaryIO, io.BufferedReader(_Range(file, max(0, end - start)), 1 << 20))

    def link(self, ref: ObjectRef, seconds: int, name: str) -> str | None:
        """Return nothing: a folder has no addresses; see ``WorkingStore.link``."""
        return None


class _Range(io.RawIOBase):
    """A file from where it stands, for so many bytes."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file, self._left = file, left

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Read some bytes."""
        view = memoryview(buffer)[: self._left]  # type: ignore[arg-type]
        piece = self._file.read(len(view))
        view[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
