"""Cosignatures of C2SP tlog-cosignature: what a witness says of a checkpoint, and when. Pure.

A cosignature is a signature line of a note, of type 0x04 (timestamped Ed25519)::

    — witness.example/w1 <base64 of key ID, time in eight bytes (big-endian), signature>

and what is signed are two lines followed by the checkpoint's whole note text::

    cosignature/v1
    time 1679315147
    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

It states that, at that time (POSIX seconds), the largest tree of this log that the witness has
seen had this size and root. The same key under another signature type has another key ID, and
the header line keeps the two kinds of signature apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from storage.checkpoint import Checkpoint
from storage.errors import IntegrityError
from storage.note import (
    PRIVATE,
    NoteError,
    Signature,
    key_id,
    key_text,
    parse_key,
    parse_private_key,
    parse_signature,
    public_half,
    sign_ed25519,
    verify_ed25519,
)

COSIGNATURE = b"\x04"
MAX_TIME = (1 << 63) - 1
_TIME, _SIGNATURE = 8, 64
"""Bytes of the two parts of a cosignature's value."""


class CosignatureError(IntegrityError):
    """A cosignature has not the specified form, or is not by the witness it must be by."""


def signed_message(text: str, time: int) -> bytes:
    """Return the bytes that a cosignature of a note's text signs.

    Raises:
        CosignatureError: the time is not one that may be signed.
    """
    if not 1 <= time <= MAX_TIME:
        raise CosignatureError(f"a cosignature's time is {time}", time=time)
    return f"cosignature/v1\ntime {time}\n{text}".encode()


@dataclass(frozen=True)
class Cosignature:
    """One cosignature line: who, when (POSIX seconds, at least 1), and the Ed25519 signature."""

    name: str
    key_id: bytes
    time: int
    value: bytes

    def __str__(self) -> str:
        return str(Signature(self.name, self.key_id, self.time.to_bytes(_TIME, "big") + self.value))

    @classmethod
    def of(cls, signature: Signature) -> Cosignature:
        """Read a parsed signature line as a cosignature; it is not verified.

        Raises:
            CosignatureError: its length or its time is not one of a cosignature.
        """
        if len(signature.value) != _TIME + _SIGNATURE:
            raise CosignatureError("a cosignature has not 72 bytes", name=signature.name)
        time = int.from_bytes(signature.value[:_TIME], "big")
        if not 1 <= time <= MAX_TIME:
            raise CosignatureError("a cosignature's time is out of range", name=signature.name)
        return cls(signature.name, signature.key_id, time, signature.value[_TIME:])


@dataclass(frozen=True)
class CosignatureVerifier:
    """A witness's name and public key; as text, its ``vkey`` (type 0x04)."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The ID that its cosignature lines carry."""
        return key_id(self.name, COSIGNATURE, self.public_key)

    def __str__(self) -> str:
        return key_text(self.name, self.key_id, COSIGNATURE, self.public_key)

    @classmethod
    def parse(cls, untrusted: str) -> CosignatureVerifier:
        """Parse a ``vkey``; only the spelling that ``str`` writes is accepted.

        Raises:
            NoteError: another form, another key type, or a key ID of another key.
        """
        key = cls(*parse_key(untrusted, COSIGNATURE))
        if str(key) != untrusted:
            raise NoteError("a witness key's ID is not that of its key", name=key.name)
        return key

    def verify(self, text: str, untrusted_signature: bytes) -> bool:
        """Whether a line's value (time and signature) over a note's text is this witness's."""
        try:
            line = Cosignature.of(Signature(self.name, self.key_id, untrusted_signature))
        except CosignatureError:
            return False
        return verify_ed25519(self.public_key, line.value, signed_message(text, line.time))

    def find(self, text: str, lines: Sequence[Signature]) -> Cosignature:
        """Return this witness's cosignature of a note's text; other keys' lines are ignored.

        Args:
            text: the checkpoint's note text.
            lines: parsed signature lines.

        Raises:
            CosignatureError: none is by this key, or one is and is bad.
        """
        own = [each for each in lines if (each.name, each.key_id) == (self.name, self.key_id)]
        if not own:
            raise CosignatureError(f"{self.name} has not cosigned with the known key")
        for each in own:
            if not self.verify(text, each.value):
                raise CosignatureError(f"the cosignature of {self.name} is bad", name=self.name)
        return max(map(Cosignature.of, own), key=lambda each: each.time)


@dataclass(frozen=True)
class CosignatureSigner:
    """A witness's name and private key."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> CosignatureVerifier:
        """Its public half."""
        return CosignatureVerifier(self.name, public_half(self.seed))

    def private_text(self) -> str:
        """Return the secret text form."""
        return PRIVATE + key_text(self.name, self.verifier.key_id, COSIGNATURE, self.seed)

    @classmethod
    def parse(cls, untrusted: str) -> CosignatureSigner:
        """Parse the secret text form.

        Raises:
            NoteError: another form, another key type, or a key ID of another key.
        """
        key = cls(*parse_private_key(untrusted, COSIGNATURE))
        if key.private_text() != untrusted:
            raise NoteError("a witness key's ID is not that of its key", name=key.name)
        return key

    def cosign(self, checkpoint: Checkpoint, time: int) -> Cosignature:
        """Cosign a checkpoint; that it extends what was cosigned before is the caller's to know.

        Raises:
            CosignatureError: the time is out of range.
        """
        value = sign_ed25519(self.seed, signed_message(checkpoint.body(), time))
        return Cosignature(self.name, self.verifier.key_id, time, value)


def parse_lines(untrusted: bytes, limit: int = 16) -> list[Signature]:
    """Parse signature lines as a witness answers them: one to ``limit``, each ended.

    Raises:
        NoteError: another form, or too many lines.
    """
    try:
        lines = untrusted.decode().split("\n")
    except UnicodeDecodeError as error:
        raise NoteError("a witness's answer is not UTF-8") from error
    if lines.pop() != "" or not 1 <= len(lines) <= limit:
        raise NoteError(f"a witness's answer is not 1 to {limit} signature lines")
    return [parse_signature(line) for line in lines]
