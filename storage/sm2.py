"""An SM2 signature beside the Ed25519 one on checkpoints, for those who must see SM2 (GB/T 32918).

::

    — zhenglian.local/custody <base64 of four bytes of key ID and the DER signature>

SM2 with SM3 over the note's text, with the standard's default identity 1234567812345678, made and
verified by openssl. C2SP knows no SM2, so the key ID is made with the byte for unassigned types:
SHA-256(name || 0x0A || 0xff || "sm2-sm3 GB/T 32918" || DER public key). Verifiers that do not know
the key ignore the line, as signed notes demand. It adds to the log's own signature and replaces
nothing.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from storage import openssl
from storage.errors import ConflictError, IntegrityError
from storage.note import Note, Signature, parse_note
from storage.openssl import OpensslError
from storage.private import read_private, write_private

TYPE = b"\xffsm2-sm3 GB/T 32918"
_IDENTITY = ("-sigopt", "distid:1234567812345678")
_REMEDY = "restore keys/sm2.key from its backup, or remove it to go on without SM2"


class Sm2Key:
    """An SM2 private key in a file, and the name that it signs under."""

    def __init__(self, path: Path, name: str) -> None:
        """Load the key's public half.

        Raises:
            HostError: it cannot be read, or others than its owner may use it.
            IntegrityError: it is no SM2 key.
        """
        read_private(path, "SM2 key", _REMEDY)
        self._path = path
        self._name = name
        self.public_pem = openssl.run(["pkey", "-in", path, "-pubout"]).decode("ascii")
        self._key_id = key_id(name, self.public_pem)

    def countersign(self, note_text: str) -> str:
        """Return a signed note with this key's signature line after the others."""
        note = parse_note(note_text.encode())
        with tempfile.TemporaryDirectory() as scratch:
            text = Path(scratch) / "text"
            text.write_bytes(note.text.encode())
            value = openssl.run(["dgst", "-sm3", "-sign", self._path, *_IDENTITY, text])
        line = Signature(self._name, self._key_id, value)
        return str(Note(note.text, (*note.signatures, line)))


def make_sm2_key(path: Path) -> None:
    """Make an SM2 key, mode 0600.

    Raises:
        ConflictError: there is one; it is left alone.
    """
    made = openssl.run(["genpkey", "-algorithm", "SM2"])
    try:
        write_private(path, made)
    except FileExistsError as error:
        raise ConflictError(f"there is an SM2 key already: {path}", path=str(path)) from error


def key_id(name: str, public_pem: str) -> bytes:
    """Return the four bytes by which a note names this key."""
    with tempfile.TemporaryDirectory() as scratch:
        pem = Path(scratch) / "public.pem"
        pem.write_text(public_pem, "ascii")
        der = openssl.run(["pkey", "-pubin", "-in", pem, "-outform", "DER"])
    return sha256(name.encode() + b"\n" + TYPE + der).digest()[:4]


def verify_sm2(untrusted_note: bytes, name: str, public_pem: str) -> None:
    """Verify the SM2 signature on a signed note.

    Raises:
        IntegrityError: there is none by this key, or it is bad.
    """
    note = parse_note(untrusted_note)
    wanted = (name, key_id(name, public_pem))
    values = [each.value for each in note.signatures if (each.name, each.key_id) == wanted]
    if not values:
        raise IntegrityError("the checkpoint carries no SM2 signature of this log's SM2 key")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "public.pem").write_text(public_pem, "ascii")
        (folder / "text").write_bytes(note.text.encode())
        for value in values:
            (folder / "signature").write_bytes(value)
            verify = ["-verify", "public.pem", "-signature", "signature"]
            with suppress(OpensslError):
                openssl.run(["dgst", "-sm3", *verify, *_IDENTITY, "text"], folder)
                return
    raise IntegrityError("the checkpoint's SM2 signature is bad")
