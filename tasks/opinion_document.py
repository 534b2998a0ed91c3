"""What is seen of an opinion's document: its type, its text, its signatures; opened in the cell.

The chain of a signer is followed to the authorities that the bureau named, and to no others: a
PEM file, ``CUSTODY_OPINION_TRUST`` or ``keys/opinion-trust.pem`` of the workspace.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.serialization import Encoding

from appraisal.signatures import DocumentSeen, SignatureSeen
from storage.custody import Custody
from storage.errors import HostError
from storage.objects import ObjectRef
from storage.timestamp import load_certificates
from tasks.kept_files import opened
from tasks.reader.answer import Transcript
from tasks.reader.cell import CellPool
from tasks.reader.failures import reason, unreadable_error
from tasks.reader.pdf_signed import HEAD_BYTES, asking, begins_as_pdf
from tasks.reader.pdf_signed_answer import Signed
from tasks.reader.process import CellFailure
from tasks.reader.strict import as_json

PDF = "application/pdf"
TRUST = "opinion-trust.pem"
"""Name of the file of authorities in the workspace's folder of keys."""
_NAME = "opinion.pdf"
_READ = ("read", "partly_read")
_MOST_BYTES = 28_000
"""Bytes of certificates that travel with a job."""


def look(custody: Custody, ref: ObjectRef, at: str, pool: CellPool) -> tuple[str, DocumentSeen]:
    """Return the media type of a kept document, and what is seen of it as of a moment.

    Whatever the document does to its reader, it is told as seen: a person looks then. A worker
    that was lost says nothing about the document, and no verdict is given.

    Raises:
        HostError: the file of trusted authorities cannot be used.
        TransientError: the workers of the cell were lost.
    """
    trusted = anchors(custody)
    with opened(custody, ref) as file:
        transcript = pool.inspect(file, _NAME, parts=False)
        media_type = _media_type(transcript, file)
        if media_type != PDF:
            return media_type, DocumentSeen(at)
        try:
            signed = pool.ask(Signed, file, "signatures", wanted=asking(at, trusted))
        except CellFailure as failure:
            if failure.code == "lost":
                raise unreadable_error(failure) from failure
            signed = Signed(strict=False, detail=reason(failure)[:300])
    return PDF, DocumentSeen(
        at,
        printed_text(transcript),
        tuple(SignatureSeen.from_json(as_json(each)) for each in signed.signatures),
        signed.more,
        signed.strict,
        signed.detail,
        "" if transcript.state in _READ else transcript.reason,
    )


def _media_type(transcript: Transcript, file: BinaryIO) -> str:
    """Return the type of a document, of one that broke its reader by how it begins."""
    failed = [each.removeprefix("cell_") for each in transcript.flags if each.startswith("cell_")]
    if "lost" in failed:
        raise unreadable_error(CellFailure("lost", transcript.reason))
    if failed and begins_as_pdf(os.pread(file.fileno(), HEAD_BYTES, 0)):
        return PDF
    return transcript.media_type


def anchors(custody: Custody) -> list[bytes]:
    """Return the certificates (DER) of the authorities that vouch for signers; maybe none.

    Raises:
        HostError: the file is missing, unreadable, no PEM, or too long.
    """
    named = custody.settings.opinion_trust
    path = Path(named) if named else custody.workspace.keys / TRUST
    if not named and not path.exists():
        return []
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, str(error)) from error
    found = [each.public_bytes(Encoding.DER) for each in load_certificates(text)]
    if sum(map(len, found)) > _MOST_BYTES:
        raise _unusable(path, f"超过 more than {_MOST_BYTES} bytes of certificates")
    return found


def printed_text(transcript: Transcript) -> str:
    """Return the text that the pages show; hidden words, notes and parts have labels."""
    shown = (each for each in transcript.pages if not each.label and not each.inside)
    return "\n".join(each.layer_text or each.text for each in shown)


def _unusable(path: Path, why: str) -> HostError:
    return HostError(
        f"受信任证书机构文件不能使用 the file of trusted authorities cannot be used: {path}: {why}",
        remedy="CUSTODY_OPINION_TRUST 应指向PEM文件 names a PEM file of CA certificates",
    )
