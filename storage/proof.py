"""Proofs of C2SP tlog-proof: one entry's place in the log, to be verified offline. Pure.

::

    c2sp.org/tlog-proof@v1
    extra <base64>                    only when there is extra data; nothing vouches for it
    index 73894
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=     the audit path, from the leaf upwards
    <empty line>
    <the signed checkpoint, as published>
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from storage.checkpoint import Checkpoint, open_checkpoint, parse_body, parse_number
from storage.errors import IntegrityError
from storage.merkle import HASH_SIZE, MAX_SIZE, leaf_hash, verify_inclusion
from storage.note import MAX_NOTE, Verifier, decode_base64, encode_base64, parse_note

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = MAX_SIZE.bit_length()
MAX_EXTRA = 64 << 10
"""Bytes of extra data."""


class TlogProofError(IntegrityError):
    """A tlog-proof has not the specified form."""


class Proven(NamedTuple):
    """What a verified proof proves: the entry's index, and the checkpoint that covers it."""

    position: int
    checkpoint: Checkpoint


@dataclass(frozen=True)
class TlogProof:
    """A proof as parsed; nothing is verified until ``verify``.

    ``checkpoint`` is the signed note, verbatim. Empty ``extra`` means that there is none.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    def __str__(self) -> str:
        extra = [f"extra {encode_base64(self.extra)}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.index}", *map(encode_base64, self.path)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    def verify(self, leaf: bytes, verifiers: Sequence[Verifier]) -> Proven:
        """Verify that the leaf's bytes stand in the log that one of the keys signs.

        Raises:
            IntegrityError: the checkpoint's signature or the path is wrong.
        """
        checkpoint = open_checkpoint(self.checkpoint.encode(), verifiers)
        verify_inclusion(leaf_hash(leaf), self.index, checkpoint.size, self.path, checkpoint.root)
        return Proven(self.index, checkpoint)


def parse_proof(untrusted: bytes) -> TlogProof:
    """Parse a proof; only the spelling that ``str`` writes is accepted.

    Raises:
        IntegrityError: it has not that form.
    """
    if len(untrusted) > 2 * MAX_NOTE:
        raise TlogProofError("a proof is too long", size=len(untrusted))
    try:
        head, separator, checkpoint = untrusted.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise TlogProofError("a proof is not UTF-8") from error
    lines = head.split("\n")
    if not separator or lines.pop(0) != HEADER:
        raise TlogProofError(f"a proof does not begin with {HEADER}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "))
        if not 1 <= len(extra) <= MAX_EXTRA:
            raise TlogProofError("a proof's extra data is empty or too long")
    if not lines or not lines[0].startswith("index "):
        raise TlogProofError("a proof has no index")
    index = parse_number(lines.pop(0).removeprefix("index "))
    path = tuple(map(decode_base64, lines))
    if len(path) > MAX_PATH or any(len(each) != HASH_SIZE for each in path):
        raise TlogProofError("a proof's path is too long, or holds something else than hashes")
    parse_body(parse_note(checkpoint.encode()).text)
    return TlogProof(index, path, checkpoint, extra)
