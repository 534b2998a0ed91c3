"""The log's key on disk: ``log.key``, which only its owner may read, and ``log.pub``.

Both hold one line in the text forms of signed notes. A key is made once and replaced by a
rotation alone (``storage.signing``); a key file that others could read is refused, because what
it signed would prove nothing.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from storage.errors import ConflictError, HostError
from storage.note import NoteError, Signer, Verifier, valid_name
from storage.private import MAX_FILE, read_private, write_private
from storage.workspace import Workspace, write_durably


def make_key(workspace: Workspace, origin: str) -> Verifier:
    """Make the log's key pair, named by the log's origin, and return the public half.

    Raises:
        ConflictError: there is a key already; it is left alone.
        HostError: the origin cannot name a key, or the folder cannot be written.
    """
    if not valid_name(origin):
        raise HostError(
            f"{origin!r} cannot name a log: no spaces, no plus signs",
            remedy="set CUSTODY_LOG_ORIGIN, for example to example.org/custody",
        )
    signer = Signer(origin, secrets.token_bytes(32))
    path = workspace.log_key
    try:
        write_private(path, f"{signer.private_text()}\n".encode())
        write_durably(workspace.log_public_key, f"{signer.verifier}\n".encode())
    except FileExistsError as error:
        raise ConflictError(f"there is a log key already: {path}", path=str(path)) from error
    except OSError as error:
        raise HostError(
            f"the log key cannot be written: {error.strerror}", path=str(path)
        ) from error
    return signer.verifier


def load_signer(workspace: Workspace, origin: str) -> Signer:
    """Load the log's private key; write its public half again if it is missing.

    Raises:
        HostError: no key, a key that others may read, a damaged key, or another log's.
    """
    signer = read_signer(workspace.log_key, origin)
    if not workspace.log_public_key.exists():
        write_durably(workspace.log_public_key, f"{signer.verifier}\n".encode())
    return signer


def read_signer(path: Path, origin: str) -> Signer:
    """Read a private key of the log.

    Raises:
        HostError: no key, a key that others may read, a damaged key, or another log's.
    """
    remedy = "run 'custody init', or restore the keys folder from its backup"
    signer = _parse_signer(path, read_private(path, "log key", remedy))
    if signer.name != origin:
        raise HostError(
            f"the key {path} is of the log {signer.name!r}, not {origin!r}",
            remedy=f"set CUSTODY_LOG_ORIGIN={signer.name}",
            path=str(path),
        )
    return signer


def load_verifier(workspace: Workspace) -> Verifier:
    """Load the log's public key.

    Raises:
        HostError: it is missing or damaged.
    """
    path = workspace.log_public_key
    try:
        return Verifier.parse(path.read_text("utf-8")[:MAX_FILE].removesuffix("\n"))
    except (OSError, UnicodeDecodeError, NoteError) as error:
        raise HostError(
            f"the log's public key cannot be read: {error}",
            remedy=f"restore {path} from a copy that you trust",
            path=str(path),
        ) from error


def _parse_signer(path: Path, untrusted: str) -> Signer:
    try:
        return Signer.parse(untrusted.removesuffix("\n"))
    except NoteError as error:
        raise HostError(
            f"the log key {path} is damaged: {error}",
            remedy="restore the keys folder from its backup",
            path=str(path),
        ) from error
