"""Consistency proofs as text: that the log at one size begins with the log at an older one. Pure.

::

    zhenglian.consistency/1
    old 17
    new 4211
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=     the proof of RFC 6962, section 2.1.2

Every line ends with a newline. Two equal sizes have no hashes. The two checkpoints stand beside
it, each in its own file; C2SP names no file format for such a proof, so this one is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.checkpoint import Checkpoint, parse_number
from storage.errors import IntegrityError
from storage.merkle import HASH_SIZE, MAX_SIZE, verify_consistency
from storage.note import decode_base64, encode_base64

HEADER = "zhenglian.consistency/1"
_MOST = 2 * MAX_SIZE.bit_length()


class ConsistencyError(IntegrityError):
    """A consistency proof has not its form, or is of other sizes."""


@dataclass(frozen=True)
class Consistency:
    """A proof as parsed; nothing is verified until ``verify``."""

    old: int
    new: int
    path: tuple[bytes, ...]

    def __str__(self) -> str:
        lines = (HEADER, f"old {self.old}", f"new {self.new}", *map(encode_base64, self.path))
        return "".join(f"{line}\n" for line in lines)

    def verify(self, old: Checkpoint, new: Checkpoint) -> None:
        """Verify that the log of the newer checkpoint begins with that of the older one.

        Raises:
            IntegrityError: it does not, or the proof is of other sizes.
        """
        if (self.old, self.new) != (old.size, new.size):
            raise ConsistencyError("a consistency proof is of other sizes than the checkpoints")
        verify_consistency(old.size, new.size, self.path, old.root, new.root)


def parse_consistency(untrusted: bytes) -> Consistency:
    """Parse a proof; only the spelling that ``str`` writes is accepted.

    Raises:
        IntegrityError: it has not that form.
    """
    try:
        header, old, new, *path, end = untrusted.decode("ascii").split("\n")
    except (UnicodeDecodeError, ValueError) as error:
        raise ConsistencyError("a consistency proof has fewer than three lines") from error
    if header != HEADER or end or not old.startswith("old ") or not new.startswith("new "):
        raise ConsistencyError(f"a consistency proof has not the form of {HEADER}")
    hashes = tuple(map(decode_base64, path[: _MOST + 1]))
    if len(hashes) > _MOST or any(len(each) != HASH_SIZE for each in hashes):
        raise ConsistencyError("a consistency proof holds something else than hashes, or too many")
    return Consistency(parse_number(old[4:]), parse_number(new[4:]), hashes)
