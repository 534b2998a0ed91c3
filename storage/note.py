"""Signed notes of C2SP: text that carries its signatures, and the keys in their text forms.

::

    text, any number of lines
    <empty line>
    — <key name> <base64 of four bytes of key ID and the signature>

    verifier key  <name>+<key ID, 8 hex digits>+<base64 of 0x01 and the public key>
    signer key    PRIVATE+KEY+<name>+<key ID, 8 hex digits>+<base64 of 0x01 and the seed>

The signature type is Ed25519 (0x01) alone; ``storage.cosignature`` has the other one, with keys
of the same text forms. Signatures of unknown keys are kept and ignored; one bad signature of a
known key refuses the whole note. Parsers accept one spelling. Pure.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from storage.errors import IntegrityError

ED25519 = b"\x01"
MAX_NOTE = 1_000_000
"""Bytes of a note with its signatures."""
MAX_SIGNATURES = 64
_DASH = "— "
PRIVATE = "PRIVATE+KEY+"


class NoteError(IntegrityError):
    """A note or a key has not the specified form."""


class SignatureError(IntegrityError):
    """A note is not signed by the key it must be signed by."""


def encode_base64(data: bytes) -> str:
    """Return standard base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(untrusted: str) -> bytes:
    """Parse standard base64 in its one canonical spelling.

    Raises:
        NoteError: any other spelling.
    """
    try:
        data = base64.b64decode(untrusted.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("a value is not base64") from error
    if encode_base64(data) != untrusted:
        raise NoteError("a base64 value is not in its canonical spelling")
    return data


def valid_name(name: str) -> bool:
    """Whether a key may have this name: not empty, no spaces, no plus, no control characters."""
    return bool(name) and not any(c.isspace() or c == "+" or c < " " for c in name)


def public_half(seed: bytes) -> bytes:
    """Return the Ed25519 public key of a seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign_ed25519(seed: bytes, message: bytes) -> bytes:
    """Return the signature of a message (RFC 8032)."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verify_ed25519(public_key: bytes, untrusted_signature: bytes, message: bytes) -> bool:
    """Whether a signature over a message is this key's (RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(untrusted_signature, message)
    except InvalidSignature:
        return False
    return True


def key_id(name: str, kind: bytes, public_key: bytes) -> bytes:
    """Return a key's ID: the first four bytes of SHA-256 over name, newline, type and key."""
    return sha256(name.encode() + b"\n" + kind + public_key).digest()[:4]


def key_text(name: str, identifier: bytes, kind: bytes, key: bytes) -> str:
    """Return a key's text form; a private one has ``PRIVATE+KEY+`` before it."""
    return f"{name}+{identifier.hex()}+{encode_base64(kind + key)}"


def parse_key(untrusted: str, kind: bytes) -> tuple[str, bytes]:
    """Return name and 32 key bytes of a key's text form; its ID is the caller's to compare.

    Raises:
        NoteError: another form, or another type than ``kind``.
    """
    name, separator, rest = untrusted.partition("+")
    _, _, encoded = rest.partition("+")
    data = decode_base64(encoded)
    if not separator or not valid_name(name) or len(data) != 33 or data[:1] != kind:
        raise NoteError(f"a key has not the form: name+ID+base64 of a key of type {kind[0]}")
    return name, data[1:]


def parse_private_key(untrusted: str, kind: bytes) -> tuple[str, bytes]:
    """Return name and seed of a private key's text form (see ``parse_key``)."""
    if not untrusted.startswith(PRIVATE):
        raise NoteError("a signer key does not begin as one")
    return parse_key(untrusted.removeprefix(PRIVATE), kind)


class KnownKey(Protocol):
    """A key that a note may be verified with, of any signature type."""

    @property
    def name(self) -> str:
        """The key's name, as on its signature lines."""
        ...

    @property
    def key_id(self) -> bytes:
        """The key's four-byte ID, as on its signature lines."""
        ...

    def verify(self, text: str, untrusted_signature: bytes) -> bool:
        """Whether a signature over a note's text is this key's."""
        ...


@dataclass(frozen=True)
class Verifier:
    """A named public key; as text, the ``vkey`` that other tools read."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The ID that signature lines carry (see ``key_id``)."""
        return key_id(self.name, ED25519, self.public_key)

    def __str__(self) -> str:
        return key_text(self.name, self.key_id, ED25519, self.public_key)

    @classmethod
    def parse(cls, untrusted: str) -> Verifier:
        """Parse a ``vkey``.

        Raises:
            NoteError: another form, another key type, or a key ID of another key.
        """
        key = cls(*parse_key(untrusted, ED25519))
        if str(key) != untrusted:
            raise NoteError("a verifier key's ID is not that of its key", name=key.name)
        return key

    def verify(self, text: str, untrusted_signature: bytes) -> bool:
        """Whether a signature over a note's text is this key's."""
        return verify_ed25519(self.public_key, untrusted_signature, text.encode())


@dataclass(frozen=True)
class Signer:
    """A named private key."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """Its public half."""
        return Verifier(self.name, public_half(self.seed))

    def private_text(self) -> str:
        """Return the secret text form."""
        return PRIVATE + key_text(self.name, self.verifier.key_id, ED25519, self.seed)

    @classmethod
    def parse(cls, untrusted: str) -> Signer:
        """Parse the secret text form.

        Raises:
            NoteError: another form, another key type, or a key ID of another key.
        """
        key = cls(*parse_private_key(untrusted, ED25519))
        if key.private_text() != untrusted:
            raise NoteError("a signer key's ID is not that of its key", name=key.name)
        return key

    def sign(self, text: str) -> Signature:
        """Sign a note's text; Ed25519 gives the same signature each time (RFC 8032)."""
        value = sign_ed25519(self.seed, text.encode())
        return Signature(self.name, self.verifier.key_id, value)


@dataclass(frozen=True)
class Signature:
    """One signature line: key name, key ID, and the signature itself, of any type."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True)
class Note:
    """Text ending in a newline, and at least one signature, none of them verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


def sign_note(text: str, signers: Sequence[Signer]) -> Note:
    """Return a note signed by each signer.

    Raises:
        NoteError: the text cannot be a note's.
    """
    return parse_note(str(Note(text, tuple(signer.sign(text) for signer in signers))).encode())


def parse_note(untrusted: bytes) -> Note:
    """Parse a note; its signatures are not verified.

    Raises:
        NoteError: not UTF-8, too long, control characters, no text or no signature.
    """
    if len(untrusted) > MAX_NOTE:
        raise NoteError("a note is too long", size=len(untrusted))
    try:
        whole = untrusted.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a note is not UTF-8") from error
    if any(c < " " and c != "\n" for c in whole):
        raise NoteError("a note holds control characters")
    text, separator, tail = whole.rpartition("\n\n")
    lines = tail.split("\n")
    if not separator or lines.pop() != "" or not lines:
        raise NoteError("a note has no text, no signature, or no final newline")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("a note has too many signatures", count=len(lines))
    return Note(text + "\n", tuple(map(parse_signature, lines)))


def open_note(untrusted: bytes, verifiers: Sequence[KnownKey]) -> Note:
    """Parse a note and verify it; at least one of the keys must have signed it.

    Raises:
        NoteError: it has not the form of a note.
        SignatureError: a known key's signature is bad, or no known key signed.
    """
    note = parse_note(untrusted)
    known = {(each.name, each.key_id): each for each in verifiers}
    verified = False
    for signature in note.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.verify(note.text, signature.value):
            raise SignatureError(f"the signature of {signature.name} is bad", name=signature.name)
        verified = True
    if not verified:
        names = ", ".join(each.name for each in verifiers)
        raise SignatureError(f"the note is not signed by {names}", names=names)
    return note


def parse_signature(untrusted_line: str) -> Signature:
    """Parse one signature line without its newline.

    Raises:
        NoteError: it has not the form: dash, key name, base64.
    """
    if not untrusted_line.startswith(_DASH):
        raise NoteError("a signature line does not begin with a dash")
    name, separator, encoded = untrusted_line.removeprefix(_DASH).partition(" ")
    data = decode_base64(encoded)
    if not separator or not valid_name(name) or len(data) < 5:
        raise NoteError("a signature line has not the form: dash, key name, base64")
    return Signature(name, data[:4], data[4:])
