"""Filing: a file that goes out is put among the working copies, with the digests of its pieces.

What is stored is what was hashed, in one pass, whatever its length. What a commission's step says
of its files (``record``) is all that is needed to find them and to check any range of them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from blake3 import blake3

from storage.custody import Custody
from storage.digest import Fingerprint
from storage.objects import ObjectRef

PIECE = 4 << 20
"""Bytes that are checked together when a range is handed out."""


_DIGEST = re.compile("[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Filed:
    """A file among the working copies.

    ``pieces`` is the SHA-256 of the list of its pieces' BLAKE3 digests, one a line, which lies
    beside it; empty for a file of one piece, whose own BLAKE3 says the same.
    """

    which: str
    name: str
    fingerprint: Fingerprint
    ref: ObjectRef
    pieces: str = ""

    @property
    def record(self) -> dict[str, Any]:
        """Return the form used in the step that sends it out."""
        return {
            "which": self.which,
            "name": self.name,
            "fingerprint": self.fingerprint.as_json(),
            "pieces": self.pieces,
        }


def file_stream(custody: Custody, folder: str, which: str, name: str, source: BinaryIO) -> Filed:
    """Store a stream under ``<folder>/<sha256>``; memory does not grow with it.

    Raises:
        IntegrityError: what was read back is not what was written.
        HostError, TransientError: see ``ObjectStore.take``; what reading the source raises.
    """
    counted = _Pieces(source)
    kept = custody.working.take(folder, cast(BinaryIO, counted))
    pieces = ""
    if kept.fingerprint.size > PIECE:
        text = "".join(f"{each}\n" for each in counted.digests()).encode()
        pieces = custody.working.take(folder, io.BytesIO(text)).fingerprint.sha256
    return Filed(which, name, kept.fingerprint, kept.ref, pieces)


def file_bytes(custody: Custody, folder: str, which: str, name: str, data: bytes) -> Filed:
    """Store bytes that are in memory."""
    return file_stream(custody, folder, which, name, io.BytesIO(data))


def tidy(custody: Custody, folder: str, kept: Sequence[Filed], on_record: Sequence[str]) -> None:
    """Remove what earlier tries left that were never sent; nothing on record is touched.

    Args:
        custody: the installation.
        folder: the commission's folder.
        kept: what was just filed.
        on_record: digests that the commission's steps name.
    """
    known = {*on_record, *(each.fingerprint.sha256 for each in kept)}
    known |= {each.pieces for each in kept}
    for key in custody.working.keys(folder):
        name = key.rpartition("/")[2]
        if not _DIGEST.fullmatch(name) or name in known:
            continue
        if (ref := custody.working.find(key)) is not None:
            custody.working.delete(ref)


def forget(custody: Custody, made: Sequence[Filed], on_record: Sequence[str]) -> None:
    """Remove what was made for a step that was refused, but for what another one named."""
    for each in made:
        if each.fingerprint.sha256 in on_record:
            continue
        custody.working.delete(each.ref)
        beside = f"{each.ref.key.rpartition('/')[0]}/{each.pieces}"
        if each.pieces and (ref := custody.working.find(beside)) is not None:
            custody.working.delete(ref)


class _Pieces:
    """A source whose pieces are hashed on their way."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._state, self._room = blake3(), PIECE
        self._digests: list[str] = []

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        view = memoryview(piece)
        while view:
            part, view = view[: self._room], view[self._room :]
            self._state.update(part)
            self._room -= len(part)
            if not self._room:
                self._digests.append(self._state.hexdigest())
                self._state, self._room = blake3(), PIECE
        return piece

    def digests(self) -> list[str]:
        rest = [self._state.hexdigest()] if self._room < PIECE else []
        return self._digests + rest
