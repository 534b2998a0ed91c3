"""Checkpoints of C2SP tlog-checkpoint: the signed head of the log. Pure.

::

    zhenglian.local/custody                        origin: the log's name, and its key's
    20852163                                       how many entries, at least one
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=   root of the Merkle tree over them
    <empty line>
    — zhenglian.local/custody Az3grlgtzP...        signature; further ones are kept
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storage.errors import IntegrityError
from storage.merkle import HASH_SIZE, MAX_SIZE
from storage.note import Note, Signer, Verifier, decode_base64, encode_base64, open_note, sign_note

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


class CheckpointError(IntegrityError):
    """A checkpoint has not the specified form, or is another log's."""


@dataclass(frozen=True)
class Checkpoint:
    """A tree head; a constructed one is valid.

    Raises:
        CheckpointError: empty origin, no entries, or a root that is not 32 bytes.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be written and read back."""
        lines = (self.origin, *self.extensions)
        if not all(lines) or any(c < " " for line in lines for c in line):
            raise CheckpointError("a line of a checkpoint is empty or holds control characters")
        if not 1 <= self.size <= MAX_SIZE:
            raise CheckpointError(f"a checkpoint of {self.size} entries", size=self.size)
        if len(self.root) != HASH_SIZE:
            raise CheckpointError(f"a checkpoint's root has {len(self.root)} bytes")

    @property
    def head(self) -> tuple[int, bytes]:
        """Size and root: what two checkpoints of one log must agree on."""
        return self.size, self.root

    def body(self) -> str:
        """Return the note text."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    def sign(self, signer: Signer) -> str:
        """Return the signed note."""
        return str(sign_note(self.body(), [signer]))


def parse_number(untrusted: str) -> int:
    """Parse an ASCII decimal without leading zeroes, at most ``MAX_SIZE``.

    Raises:
        CheckpointError: any other spelling.
    """
    if _DECIMAL.fullmatch(untrusted) is None or int(untrusted) > MAX_SIZE:
        raise CheckpointError("a number is not a plain decimal", text=untrusted[:40])
    return int(untrusted)


def parse_body(untrusted: str) -> Checkpoint:
    """Parse a note text as a checkpoint; who signed it is not asked here.

    Raises:
        CheckpointError: it has not that form.
    """
    lines = untrusted.split("\n")
    if len(lines) < 4 or lines.pop() != "":
        raise CheckpointError("a checkpoint has fewer than three lines")
    origin, size, root, *extensions = lines
    try:
        root_hash = decode_base64(root)
    except IntegrityError as error:
        raise CheckpointError(f"a checkpoint's root is damaged: {error}") from error
    return Checkpoint(origin, parse_number(size), root_hash, tuple(extensions))


def open_checkpoint(untrusted: bytes, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Verify a signed checkpoint; its origin must be the name of one of the keys.

    Raises:
        IntegrityError: the note's form, its signature, its origin or its body is wrong.
    """
    return checkpoint_of(open_note(untrusted, verifiers), verifiers)


def checkpoint_of(note: Note, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Return the checkpoint in a verified note."""
    checkpoint = parse_body(note.text)
    if checkpoint.origin not in {each.name for each in verifiers}:
        raise CheckpointError(
            f"the checkpoint is of another log, {checkpoint.origin!r}", origin=checkpoint.origin
        )
    return checkpoint
