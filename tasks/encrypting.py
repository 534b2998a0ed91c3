"""Encrypting a package to the agency's own key, in the age format (age-encryption.org/v1).

Only whoever holds the agency's secret key opens it; this house keeps none. The letter names the
digest of both: of the encrypted file, for the download, and of the package inside, which is what
the receipt and the opinion repeat. Each encryption draws a new file key, so the bytes differ each
time, and the ones on record are the ones that are handed out.
"""

from __future__ import annotations

from typing import BinaryIO, cast

import pyrage

from storage.custody import Custody
from storage.errors import InputError
from storage.pipe import made_by
from tasks.filing import Filed, file_stream


def encrypt(custody: Custody, package: Filed, folder: str, which: str, recipient: str) -> Filed:
    """Store a package once more, encrypted; memory does not grow with it.

    Args:
        custody: the installation.
        package: the package among the working copies.
        folder: the commission's folder.
        which: how the encrypted file is asked for.
        recipient: the agency's age recipient, ``age1...``.

    Raises:
        InputError: the recipient is none.
    """
    key = _recipient(recipient)

    def write(stream: BinaryIO) -> None:
        with custody.working.open(package.ref) as source:
            pyrage.encrypt_io(source, _Flushed(stream), [key])

    with made_by(write) as source:
        return file_stream(custody, folder, which, f"{package.name}.age", source)


class _Flushed:
    """A writer as pyrage calls it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        return self._stream.write(bytes(data))

    def flush(self) -> None:
        """Leave it gathered: the pipe gives on whole pieces."""


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return cast(pyrage.x25519.Recipient, pyrage.x25519.Recipient.from_str(text.strip()))
    except pyrage.RecipientError as error:
        raise InputError(
            f"机构的加密公钥无效 the agency's encryption key is no age recipient: {error}",
            remedy="ask the agency for its key again (age1...), correct it, and dispatch again",
        ) from error
