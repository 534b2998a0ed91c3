"""PRONOM identifiers (the registry of file formats of The National Archives) of what we read.

The table ``pronom.tsv`` holds the formats that can be told without doubt from what is read
anyway; where the registry knows versions that our reading does not tell apart, there is no
identifier rather than a likely one. The table is read when the module is loaded: the cell has
no files.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

from tasks.reader import members, ole, zipdir
from tasks.reader.claims import ODF
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.source import Source

ODF_VERSION = re.compile(rb"(?:manifest|office):version=[\"'](\d\.\d)[\"']")
_PDF_VERSION = re.compile(rb"%PDF-(\d\.\d)")


def _table() -> dict[tuple[str, str], str]:
    lines = Path(__file__).with_suffix(".tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {(kind, version): puid for kind, version, puid, _ in rows}


TABLE = _table()
"""Identifier by media type and version; the version is empty where any will do."""


def identifier(media_type: str, source: Source) -> str:
    """Return the identifier of a document whose media type is known, empty where in doubt."""
    if puid := TABLE.get((media_type, "")):
        return puid
    reader = _VERSIONS.get(media_type) or (_odf if media_type.startswith(ODF) else None)
    return TABLE.get((media_type, reader(source)), "") if reader else ""


def _pdf(source: Source) -> str:
    found = _PDF_VERSION.search(source.head(1024))
    return found[1].decode() if found else ""


def _gif(source: Source) -> str:
    return source.at(3, 3).decode("latin-1")


def _jpeg(source: Source) -> str:
    head = source.head(13)
    return f"{head[11]}.{head[12]:02d}" if head[6:11] == b"JFIF\0" and len(head) == 13 else ""


def _bmp(source: Source) -> str:
    size = source.at(14, 4)
    return str(struct.unpack("<I", size)[0]) if len(size) == 4 else ""


def _webp(source: Source) -> str:
    return source.at(12, 4).decode("latin-1")


def _word(source: Source) -> str:
    # [MS-DOC] 2.5.2: nFib; 193 is Word 97, 101 to 105 are Word 6 and 95.
    with ole.opened(source) as file:
        head = file.read("WordDocument", 4) if file else b""
    number = struct.unpack_from("<H", head, 2)[0] if len(head) == 4 else 0
    return "97" if number >= 193 else "6" if 101 <= number <= 105 else ""


def _excel(source: Source) -> str:
    with ole.opened(source) as file:
        names = file.names if file else frozenset()
    return "97" if "Workbook" in names else "5" if "Book" in names else ""


def _odf(source: Source) -> str:
    """Return the version that the manifest says, or before 1.2, where it has none, the rest."""
    try:
        listing = zipdir.list_zip(source, Limits())
        for wanted in ("META-INF/manifest.xml", "meta.xml"):
            for member in listing.members:
                if member.name == wanted:
                    found = ODF_VERSION.search(members.read(source, member, 4 << 20))
                    if found:
                        return found[1].decode()
    except Refused:
        pass
    return ""


_VERSIONS: dict[str, Callable[[Source], str]] = {
    "application/pdf": _pdf,
    "application/msword": _word,
    "application/vnd.ms-excel": _excel,
    "image/gif": _gif,
    "image/jpeg": _jpeg,
    "image/bmp": _bmp,
    "image/x-ms-bmp": _bmp,
    "image/webp": _webp,
}
