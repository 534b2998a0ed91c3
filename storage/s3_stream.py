"""What goes up to an S3 server is measured while it is read, and what comes down is a stream."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from blake3 import blake3

from storage.digest import Fingerprint, Hasher
from storage.errors import IntegrityError, TransientError
from storage.s3_errors import translated


class _Read:
    """A source that is read in whole parts, each of them seen on its way."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.size = 0

    def _see(self, piece: bytes) -> None:
        raise NotImplementedError

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes; fewer only at the end."""
        pieces = []
        while size and (piece := self._source.read(size)):
            self._see(piece)
            self.size += len(piece)
            size -= len(piece)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Checked(_Read):
    """A source whose fingerprint is known already.

    Only BLAKE3 is computed: equal BLAKE3 means equal bytes.
    """

    def __init__(self, source: BinaryIO, expected: Fingerprint) -> None:
        super().__init__(source)
        self._expected = expected
        self._state = blake3()

    def _see(self, piece: bytes) -> None:
        self._state.update(piece)

    def end(self) -> None:
        """Refuse the source unless what was read is what was fingerprinted.

        Raises:
            IntegrityError: it is not.
        """
        if self.size == self._expected.size and self._state.hexdigest() == self._expected.blake3:
            return
        raise IntegrityError(
            "the bytes to be stored are not the bytes that were fingerprinted",
            remedy="the source changed while it was read; take it in again",
            expected=self._expected.blake3,
        )


class Hashed(_Read):
    """A source whose fingerprint is found while it is read."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__(source)
        self._hasher = Hasher()

    def _see(self, piece: bytes) -> None:
        self._hasher.update(piece)

    def end(self) -> None:
        """Accept whatever was read."""

    def finish(self) -> Fingerprint:
        """Return the fingerprint of everything that was read."""
        return self._hasher.finish()


class Body(io.RawIOBase):
    """A response's body as a raw stream; what breaks on the way is a transient error."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        try:
            with translated("the object"):
                piece = self._body.read(len(buffer))
        except OSError as error:
            raise TransientError(
                f"the S3 server broke off: {error}", remedy="it is tried again"
            ) from error
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()
        super().close()
