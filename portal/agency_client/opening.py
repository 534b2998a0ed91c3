"""Opening packages that were encrypted to the agency's key (age-encryption.org/v1).

The identity file is the agency's own, as ``age-keygen`` writes it; it is read anew each time and
never leaves this machine. Nothing appears under a package's name before it was opened whole.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from storage.errors import HostError, InputError, IntegrityError

if TYPE_CHECKING:
    import pyrage

SEALED = ".age"
"""What the name of an encrypted file ends in after the package's own."""
_MOST = 64 << 10


def open_sealed(sealed: Path, identity_file: Path) -> Path:
    """Write the package inside an encrypted file beside it, and return where; memory stays flat.

    Raises:
        HostError: the identity file cannot be read.
        InputError: it holds no identity.
        IntegrityError: the file was encrypted to another key, or altered; nothing is written.
    """
    import pyrage

    identities = _identities(identity_file)
    target = sealed.with_name(sealed.name.removesuffix(SEALED))
    part = target.with_name(f"{target.name}.part")
    try:
        with sealed.open("rb") as source, part.open("wb") as file:
            pyrage.decrypt_io(source, _Pieces(file), identities)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    except (pyrage.DecryptError, OSError) as error:
        # The library tells of altered bytes by an OSError too, but by one without a number.
        if isinstance(error, OSError) and error.errno:
            raise HostError(
                f"{target.name}无法写入 cannot be written: {error.strerror}",
                remedy="请腾出空间后重试 make room; it is tried again",
            ) from error
        raise IntegrityError(
            f"{sealed.name}无法解密：不是以本机构的公钥加密，或已被改动 {sealed.name} cannot be "
            "opened: it was encrypted to another key, or altered",
            remedy="请核对 --identity 指定的私钥；仍不能解密的，请告知委托人 "
            "check the key that --identity names; tell the client if that is the right one",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return target


class _Pieces:
    """A file as pyrage writes it: in bytes of its own."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        return self._file.write(bytes(data))

    def flush(self) -> None:
        self._file.flush()


def _identities(file: Path) -> list[pyrage.x25519.Identity]:
    import pyrage

    try:
        with file.open("rb") as stream:
            lines = stream.read(_MOST).decode("ascii", "replace").split()
        found = [each for each in lines if each.startswith("AGE-SECRET-KEY-1")]
        identities = [pyrage.x25519.Identity.from_str(each) for each in found]
    except OSError as error:
        raise HostError(
            f"私钥文件无法读取 the identity file {file} cannot be read: {error.strerror}",
            remedy="请指定可读的文件 name one with --identity that this user may read",
        ) from error
    except pyrage.IdentityError:
        identities = []
    if not identities:
        raise InputError(
            f"私钥文件中没有age私钥 there is no age identity in {file}",
            remedy="请放入 age-keygen 生成的私钥 put in it what age-keygen made "
            "(AGE-SECRET-KEY-1...)",
        )
    return identities
