"""Opening what is locked: the job ``unlock`` tries a password, every other job may bring one.

A decrypted Office file lives in the memory of the job's process and nowhere else; PDF, zip and 7z
are decrypted piece by piece while they are read.
"""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pypdfium2 as pdfium

from tasks.reader import mediatype, password, sevencrypt, zipcrypt, zipdir
from tasks.reader.answer import UNLOCKED, Transcript
from tasks.reader.containers.packed import Packed
from tasks.reader.containers.walker import Broken
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.pdf_open import document, is_locked
from tasks.reader.source import Source

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_RAR = b"Rar!\x1a\x07"
_TRIED_BYTES = 64 << 20
_WRONG = "密码不正确。 The password is wrong."
_OPEN = "该文件不需要密码。 The file needs no password."


def check(source: Source) -> dict[str, str]:
    """Return which method of locking the password opens, or raise ``Refused`` with the reason."""
    head = source.head(1024)
    if b"%PDF-" in head:
        return {"method": _check_pdf(source)}
    if head.startswith(_OLE):
        return {"method": _check_office(source)}
    if head.startswith(_ZIP):
        return {"method": _check_zip(source)}
    if head.startswith(sevencrypt.MAGIC):
        return {"method": _check_seven(source)}
    if head.startswith(_RAR):
        raise Refused(
            "暂不支持用密码打开 rar，请解压后另行提交。 "
            "Opening rar with a password is not supported; hand in what it holds."
        )
    raise Refused(_OPEN)


def prepared(source: Source, typed: str) -> Source:
    """Return the document to read with a password: Office and 7z decrypted, others as they are.

    Where the password does not fit, the document stays locked and is told to be.
    """
    password.give(typed)
    if not typed:
        return source
    if source.head(len(sevencrypt.MAGIC)) == sevencrypt.MAGIC:
        return _seven(source) or source
    if source.head(len(_OLE)) != _OLE:
        return source
    with suppress(Exception):
        file = _office(source)
        if file.is_encrypted():
            return _decrypted(file, source.name)
    return source


def marked(transcript: Transcript) -> Transcript:
    """Return a transcript with the mark that it took a password, if it did."""
    if not password.used():
        return transcript
    return replace(transcript, flags=(*transcript.flags, UNLOCKED))


def _check_pdf(source: Source) -> str:
    typed = password.text()
    try:
        password.give("")
        with document(source):
            pass
    except pdfium.PdfiumError as error:
        if not is_locked(error):
            raise Refused("文件已损坏。 The file is damaged.") from error
    else:
        raise Refused(_OPEN)
    finally:
        password.give(typed)
    try:
        with document(source):
            return "pdf"
    except pdfium.PdfiumError as error:
        raise Refused(_WRONG) from error


def _check_office(source: Source) -> str:
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError

    try:
        file = _office(source)
        locked = file.is_encrypted()
    except FileFormatError as error:
        raise Refused(_OPEN) from error
    if not locked:
        raise Refused(_OPEN)
    try:
        _decrypted(file, source.name)
    except (InvalidKeyError, DecryptionError) as error:
        raise Refused(_WRONG) from error
    return "office"


def _check_zip(source: Source) -> str:
    listing = zipdir.list_zip(source, Limits())
    locked = [member for member in listing.members if member.encrypted]
    if not locked:
        raise Refused(_OPEN)
    if not any(zipcrypt.opens(source, member) for member in locked):
        raise Refused(_WRONG)
    return "zip"


def _check_seven(source: Source) -> str:
    if not sevencrypt.is_locked(source):
        raise Refused(_OPEN)
    if _seven(source) is None:
        raise Refused(_WRONG)
    return "7z"


def _seven(source: Source) -> Source | None:
    """Return a locked 7z archive without its locks, None where the password does not fit.

    Where only the data is locked, nothing but the checksums of its beginning tells.
    """
    found = sevencrypt.opened(source) if sevencrypt.is_locked(source) else None
    if found is None:
        return None
    left = _TRIED_BYTES
    try:
        for entry in Packed(found, Limits(), lambda: None):
            for piece in entry.pieces() if entry.member.kind == "file" else ():
                left -= len(piece)
                if left < 0:
                    break
            if left < 0:
                break
    except Broken:
        return None
    password.use()
    return found


def _office(source: Source) -> Any:
    import msoffcrypto

    return msoffcrypto.OfficeFile(source.file())


def _decrypted(file: Any, name: str) -> Source:
    """Return the document inside, or raise what msoffcrypto raises for a wrong password."""
    file.load_key(password=password.text())
    out = io.BytesIO()
    file.decrypt(out)
    found = Source(out.getvalue(), name)
    if mediatype.media_type(found) == "application/octet-stream":
        # The old formats have no reliable check of a password; what comes out has to be a file.
        from msoffcrypto.exceptions import InvalidKeyError

        raise InvalidKeyError("what comes out is no document")
    password.use()
    return found
