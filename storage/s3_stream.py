"""What goes up to an S3 server is counted and hashed while the client reads it."""

from __future__ import annotations

from typing import BinaryIO

from blake3 import blake3


class Checked:
    """A source that counts and hashes what is read from it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._state = blake3()
        self.size = 0

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes; fewer only at the end."""
        pieces = []
        while size and (piece := self._source.read(size)):
            self._state.update(piece)
            self.size += len(piece)
            size -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def digest(self) -> str:
        """Return the BLAKE3 digest of what was read, in hex."""
        return str(self._state.hexdigest())
