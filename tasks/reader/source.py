"""The bytes of one document, or of a part of one, with a position of their own."""

from __future__ import annotations

import io
import os
from typing import IO

# Larger documents are read piece by piece instead of at once.
WHOLE_BYTES = 64 << 20


class PositionedFile(io.RawIOBase):
    """An open descriptor read at a position of its own, because others share the descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = 0
        self._size = os.fstat(descriptor).st_size

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read at the position into ``buffer`` and return the number of bytes."""
        data = os.pread(self._descriptor, len(buffer), self._position)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("negative position")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position


class Source:
    """One document: an open descriptor, or the bytes of a part that was taken out of another."""

    def __init__(self, content: int | bytes, name: str = "") -> None:
        """Wrap a descriptor of a regular file, or bytes."""
        self._content = content
        self.name = name
        self.size = os.fstat(content).st_size if isinstance(content, int) else len(content)

    def at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer at the end."""
        if isinstance(self._content, bytes):
            return self._content[offset : offset + length]
        parts = []
        while length > 0 and (part := os.pread(self._content, length, offset)):
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)

    def head(self, length: int) -> bytes:
        """Return the first bytes."""
        return self.at(0, length)

    def tail(self, length: int) -> bytes:
        """Return the last bytes."""
        return self.at(max(0, self.size - length), length)

    def whole(self) -> bytes:
        """Return all bytes; the memory limit of the process is the bound."""
        return self._content if isinstance(self._content, bytes) else self.at(0, self.size)

    def file(self) -> IO[bytes]:
        """Return a new seekable file over the bytes."""
        if isinstance(self._content, bytes):
            return io.BytesIO(self._content)
        if self.size <= WHOLE_BYTES:
            return io.BytesIO(self.whole())
        return io.BufferedReader(PositionedFile(self._content), 1 << 16)
