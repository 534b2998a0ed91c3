"""The log's key on disk: ``log.key``, which only its owner may read, and ``log.pub``.

Both hold one line in the text forms of signed notes. A key is made once and replaced by a
rotation alone (``storage.signing``); a key file that others could read is refused, because what
it signed would prove nothing.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from storage.errors import ConflictError, HostError
from storage.note import NoteError, Signer, Verifier, valid_name
from storage.workspace import Workspace, fsync_folder, write_durably

_MAX_FILE = 4096


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


def write_private(path: Path, data: bytes) -> None:
    """Write a file that must not exist, whole or not at all, readable by its owner alone.

    Raises:
        FileExistsError: it exists.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        # A link, unlike a rename, fails when another process made the key first.
        path.hardlink_to(temporary)
    finally:
        temporary.unlink()
    fsync_folder(path.parent)


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
    signer = _parse_signer(path, _read_private(path))
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
        return Verifier.parse(path.read_text("utf-8")[:_MAX_FILE].removesuffix("\n"))
    except (OSError, UnicodeDecodeError, NoteError) as error:
        raise HostError(
            f"the log's public key cannot be read: {error}",
            remedy=f"restore {path} from a copy that you trust",
            path=str(path),
        ) from error


def _read_private(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            _require_private(path, state)
            return file.read(_MAX_FILE).decode("utf-8", "replace")
    except OSError as error:
        raise HostError(
            f"the log key {path} cannot be read: {error.strerror}",
            remedy="run 'custody init', or restore the keys folder from its backup",
            path=str(path),
        ) from error


def _require_private(path: Path, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise HostError(f"the log key {path} is not a plain file", path=str(path))
    mode = stat.S_IMODE(state.st_mode)
    if mode & 0o177:
        raise HostError(
            f"the log key {path} has mode {mode:04o}: others than its owner may use it",
            remedy=f"find out who read it, then run: chmod 600 {path}",
            path=str(path),
            mode=mode,
        )


def _parse_signer(path: Path, untrusted: str) -> Signer:
    try:
        return Signer.parse(untrusted.removesuffix("\n"))
    except NoteError as error:
        raise HostError(
            f"the log key {path} is damaged: {error}",
            remedy="restore the keys folder from its backup",
            path=str(path),
        ) from error
