"""A witness's key on disk, and the keys of the logs that it watches.

``witness.key`` holds one line in the secret text form, readable by its owner alone; it is made
once and never replaced. A file of log keys holds one ``vkey`` a line (``keys/log.pub`` of a log is
one); a log whose key was rotated has several of one name.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from storage.cosignature import CosignatureSigner, CosignatureVerifier
from storage.errors import HostError
from storage.note import NoteError, Verifier, valid_name
from storage.private import read_private, write_private
from storage.witness import parse_logs
from storage.workspace import fsync_folder

MAX_KEYS = 64 << 10
"""Bytes of a file of log keys."""
_KEY = "witness.key"


def make_witness(folder: Path, name: str) -> CosignatureVerifier:
    """Make the folder and the key if they are missing, and return the public key.

    Raises:
        HostError: the name cannot name a key, the folder cannot be written, or the key that is
            there may be read by others or is damaged.
    """
    if not valid_name(name):
        raise HostError(
            f"{name!r} cannot name a witness: no spaces, no plus signs",
            remedy="choose a name like procuratorate.example/witness",
        )
    signer = CosignatureSigner(name, secrets.token_bytes(32))
    try:
        for each in (folder, folder / "logs", folder / "evidence"):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / _KEY).exists():
            write_private(folder / _KEY, f"{signer.private_text()}\n".encode())
        fsync_folder(folder)
    except FileExistsError:
        pass  # Another process made the key first; that one counts.
    except OSError as error:
        raise unusable(folder, error) from error
    return load_witness_key(folder).verifier


def load_witness_key(folder: Path) -> CosignatureSigner:
    """Load the witness's private key.

    Raises:
        HostError: no key, a key that others may read, or a damaged one.
    """
    remedy = f"run 'custody witness key --state {folder}', or restore the key from its backup"
    text = read_private(folder / _KEY, "witness key", remedy)
    try:
        return CosignatureSigner.parse(text.removesuffix("\n"))
    except NoteError as error:
        raise HostError(
            f"the witness key is damaged: {error}", remedy="restore it from its backup"
        ) from error


def read_logs(files: Sequence[Path]) -> dict[str, list[Verifier]]:
    """Read files of log keys (see ``parse_logs``).

    Raises:
        HostError: a file cannot be read, or holds something else than keys.
    """
    logs: dict[str, list[Verifier]] = {}
    for path in files:
        try:
            with path.open("rb") as file:
                found = parse_logs(file.read(MAX_KEYS).decode())
        except (OSError, UnicodeDecodeError, NoteError) as error:
            raise HostError(
                f"{path} is not a file of log keys: {error}",
                remedy="ask the log's operator for keys/log.pub: one vkey a line, nothing else",
            ) from error
        for origin, keys in found.items():
            logs.setdefault(origin, []).extend(keys)
    return logs


def unusable(folder: Path, error: OSError) -> HostError:
    """Return the error of a witness's folder that cannot be read or written."""
    return HostError(
        f"the witness's folder {folder} cannot be used: {error.strerror}",
        remedy="check that it exists, its owner and its free space; nothing was cosigned",
    )
