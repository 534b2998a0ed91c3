"""The media type by content: libmagic first, then a look inside containers and mail."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import magic

from tasks.reader import charset, ewf, members, ole, rawimage, signatures, zipdir
from tasks.reader.claims import OCTETS, OOXML
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.source import Source

HEAD_BYTES = 1 << 16

_ZIPS = {"application/zip", "application/java-archive", OCTETS}
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_PARTS = {
    "word/document.xml": f"{OOXML}.wordprocessingml.document",
    "xl/workbook.xml": f"{OOXML}.spreadsheetml.sheet",
    "ppt/presentation.xml": f"{OOXML}.presentationml.presentation",
}
_OLE_STREAMS = (
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("VisioDocument", "application/vnd.visio"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("__substg1.0_", "application/vnd.ms-outlook"),
)
# ECMA-376 part 2, 10.1.2: the main part's type tells templates, shows and macros apart.
_MAIN_PART = re.compile(
    rb"ContentType=[\"'](application/[\w.-]+?)\.main(?:\+xml)?[\"']", re.IGNORECASE
)
_ODF = b"application/vnd.oasis.opendocument."
_MAIL_HEADER = re.compile(
    rb"^(received|from|to|subject|date|message-id|mime-version|return-path|content-type"
    rb"|delivered-to|reply-to|cc|dkim-signature|x-[\w-]+):",
    re.IGNORECASE | re.MULTILINE,
)

ENCRYPTED_OFFICE = "application/encrypted-office"
EWF = "application/x-ewf"
RAW_IMAGE = "application/x-raw-disk-image"
DISK_IMAGES = frozenset({EWF, RAW_IMAGE, "application/x-iso9660-image"})
"""Media that are kept as they are and never opened for their files."""


@cache
def _magic() -> Any:
    return magic.Magic(mime=True)


def media_type(source: Source) -> str:
    """Return the media type of the content; the name is not looked at."""
    head = source.head(HEAD_BYTES)
    if not head:
        return "application/x-empty"
    if head.startswith(ole.MAGIC):
        return _ole(source)
    if ewf.is_image(head):
        return EWF
    if kind := signatures.told(head):
        return kind
    found = str(_magic().from_buffer(head))
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return _zip(source, found)
    # A PDF may begin behind rubbish, but a picture whose metadata holds its mark is a picture.
    if b"%PDF-" in head[:1024] and not found.startswith("image/"):
        return "application/pdf"
    if (found.startswith("text/") or found in (OCTETS, "message/news")) and looks_like_mail(head):
        return "message/rfc822"
    if found == "image/x-tga" and not signatures.is_targa(head, source.size):
        found = OCTETS
    if found == OCTETS and rawimage.is_raw_image(head, source.size):
        return RAW_IMAGE
    if found == OCTETS and charset.without_mark(head):
        return "text/plain"
    return found


def looks_like_mail(head: bytes) -> bool:
    """Return whether the head starts with a block of mail headers."""
    block = re.split(rb"\r?\n\r?\n", head[:16384].lstrip(), maxsplit=1)[0]
    names = {m.lower() for m in _MAIL_HEADER.findall(block)}
    lines = block.splitlines()
    formed = all(re.match(rb"[\w-]+:|[ \t]", line) for line in lines)
    return formed and len(names) >= 2 and bool(names & {b"from", b"received", b"message-id"})


def _zip(source: Source, found: str) -> str:
    try:
        listing = zipdir.list_zip(source, Limits())
    except Refused:
        return found if found not in _ZIPS else "application/zip"
    named = {member.name: member for member in listing.members}
    for part, kind in _PARTS.items():
        if part in named:
            return _main_part(source, named) or kind
    declared = _part(source, named, "mimetype", 100)
    if declared.startswith(_ODF):
        return declared.split(b"\n")[0].strip().decode("ascii", "replace")
    if "xl/workbook.bin" in named:
        return "application/vnd.ms-excel.sheet.binary.macroEnabled.12"
    return "application/zip" if found in _ZIPS or found.startswith(OOXML) else found


def _part(source: Source, named: dict[str, zipdir.ZipMember], name: str, most: int) -> bytes:
    try:
        return members.read(source, named[name], most) if name in named else b""
    except Refused:
        return b""


def _main_part(source: Source, named: dict[str, zipdir.ZipMember]) -> str:
    """Return the type that the main part has, empty if none is said or it is a strange one."""
    said = _MAIN_PART.search(_part(source, named, "[Content_Types].xml", 1 << 20))
    kind = said[1].decode() if said else ""
    if kind.startswith(OOXML):
        return kind
    return f"{kind}.12" if kind.lower().endswith(("macroenabled", "macroenabledtemplate")) else ""


def _ole(source: Source) -> str:
    """Return the type of an OLE file by the names in its root, or as bytes where it is broken."""
    with ole.opened(source) as streams:
        names = streams.names if streams else frozenset()
    content = b"" if names else source.head(1 << 20) + source.tail(1 << 20)
    if "EncryptedPackage" in names or _ENCRYPTED_PACKAGE in content:
        return ENCRYPTED_OFFICE
    for stream, kind in _OLE_STREAMS:
        if stream in names or stream.encode("utf-16-le") in content:
            return kind
    return "application/x-ole-storage"
