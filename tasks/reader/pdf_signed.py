"""The job ``signatures``: who signed a PDF, and whether it is still what they signed.

Most PDF files hold no signature, and the library that verifies them is large: it is loaded, in
the process of this one document, only where a signature's dictionary stands in the bytes. What
is signed must lie plainly in the file (ISO 32000-2, 12.8.1), so the bytes are all to look at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from tasks.reader.job import Refused
from tasks.reader.pdf_signed_answer import Signed
from tasks.reader.source import Source

NOT_PDF = "不是 PDF 文件。 It is no PDF."
HEAD_BYTES = 1024
_CHUNK = 1 << 20
_OVERLAP = 64
_RANGE = re.compile(
    b"/" + b"".join(b"(?:%c|#%02x|#%02X)" % (c, c, c) for c in b"ByteRange") + rb"(?![A-Za-z])"
)


@dataclass(frozen=True)
class Asked:
    """What the parent asks: as of when (RFC 3339), and whom it trusts (certificates, DER)."""

    moment: str
    anchors: tuple[bytes, ...]


def examine(source: Source, asked: str) -> Signed:
    """Return the signatures of a PDF; nothing that is wrong with one hides another.

    Args:
        source: the document.
        asked: JSON of ``moment`` and ``anchors``, a list of hexadecimal certificates.

    Raises:
        Refused: it is no PDF.
    """
    if not begins_as_pdf(source.head(HEAD_BYTES)):
        raise Refused(NOT_PDF)
    if not has_signature(source):
        return Signed()
    value = json.loads(asked)
    found: Signed = import_module(f"{__package__}.pdf_signed_validate").validate(
        source, Asked(value["moment"], tuple(map(bytes.fromhex, value["anchors"])))
    )
    return found


def begins_as_pdf(head: bytes) -> bool:
    """Whether the first ``HEAD_BYTES`` of a document are those of a PDF."""
    return b"%PDF-" in head[:HEAD_BYTES]


def asking(moment: str, anchors: Sequence[bytes]) -> str:
    """Return what ``examine`` is asked, as it travels with the job."""
    return json.dumps({"moment": moment, "anchors": [each.hex() for each in anchors]})


def has_signature(source: Source) -> bool:
    """Whether a signature's dictionary may stand anywhere in the bytes."""
    return any(
        _RANGE.search(source.at(max(0, offset - _OVERLAP), _CHUNK + _OVERLAP))
        for offset in range(0, source.size, _CHUNK)
    )
