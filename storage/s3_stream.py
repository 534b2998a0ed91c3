"""What goes up to an S3 server is measured while it is read, and what comes down is a stream."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, cast

from blake3 import blake3

from storage.digest import Fingerprint, Hasher
from storage.errors import IntegrityError, TransientError
from storage.s3_errors import translated

_SEEN = 4 << 20
"""Bytes that are hashed at once. The slowest digest may be some of these behind, so that it goes on
while the thread that reads waits for room, and memory holds so many of them besides."""


class _Read:
    """A source that is read in whole parts, each of them seen on its way in small pieces."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.size = 0

    def _see(self, piece: memoryview) -> None:
        raise NotImplementedError

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes; fewer only at the end."""
        pieces = []
        while size and (piece := self._source.read(size)):
            whole = memoryview(piece)
            for start in range(0, len(piece), _SEEN):
                self._see(whole[start : start + _SEEN])
            self.size += len(piece)
            size -= len(piece)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def parts(self, first: bytes, size: int, limit: int | None = None) -> Iterator[bytes]:
        """Yield the part that was read first, and the next ones, up to a limit of them all."""
        part, given = first, 0
        while part:
            given += len(part)
            yield part
            if limit is not None and given + size > limit:
                return
            part = self.read(size)


class Checked(_Read):
    """A source whose fingerprint is known already.

    Only BLAKE3 is computed: equal BLAKE3 means equal bytes.
    """

    def __init__(self, source: BinaryIO, expected: Fingerprint) -> None:
        super().__init__(source)
        self._expected = expected
        self._state = blake3()

    def _see(self, piece: memoryview) -> None:
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

    def _see(self, piece: memoryview) -> None:
        # All digests take any buffer; to copy the piece would cost more than to hash it fast.
        self._hasher.update(cast(bytes, piece))

    def end(self) -> None:
        """Accept whatever was read."""

    def finish(self) -> Fingerprint:
        """Return the fingerprint of everything that was read."""
        return self._hasher.finish()


def fetched(body: Any) -> bytes:
    """Return all of a response's body.

    Raises:
        TransientError: it broke on the way.
    """
    with _unbroken(), closing(body):
        return bytes(body.read())


@contextmanager
def _unbroken() -> Iterator[None]:
    try:
        with translated("the object"):
            yield
    except OSError as error:
        raise TransientError(
            f"the S3 server broke off: {error}", remedy="it is tried again"
        ) from error


class Body(io.RawIOBase):
    """A response's body as a raw stream; what breaks on the way is a transient error."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        with _unbroken():
            piece = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()
        super().close()
