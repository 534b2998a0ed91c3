"""Which container a file is, by its content alone.

No containers here, although they are packed as such: documents of Office and OpenDocument,
EPUB, JAR and APK files. They are read as the documents or programs that they are;
``zip_document`` tells them by the entries that their own standards demand. A PDF is one if files
or earlier revisions lie in it.
"""

from __future__ import annotations

from tasks.reader import heavy, mediatype, zipdir
from tasks.reader.containers import mails, outlook, packed, rarheads, stream, tar
from tasks.reader.containers.compressed import Compressed
from tasks.reader.containers.walker import Tick, Walker
from tasks.reader.containers.zips import Zip
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.source import Source
from tasks.reader.zipdir import ZipListing

_COMPRESSED = {
    b"\x1f\x8b\x08": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
}
# A block, or the end of a file without any.
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_PDF, _PDF_WITHIN = b"%PDF-", 1024
_BOUNDLESS = Limits(max_total_bytes=1 << 62, max_ratio=1 << 62)
_OFFICE_PARTS = {"word/document.xml", "xl/workbook.xml", "ppt/presentation.xml"}


def walker(source: Source, limits: Limits, tick: Tick) -> Walker | None:
    """Return the walk over what ``source`` is, None if it is no container."""
    head = source.head(tar.BLOCK)
    if tar.is_tar(head) and head[257:262] == b"ustar":
        # Before all others: a tar archive begins with the name of its first member.
        return tar.Tar(stream.Plain(source), tick)
    if head[:4] in _ZIP_STARTS:
        return None if zip_document(source, limits) else Zip(source, limits)
    if head.startswith((packed.SEVEN, rarheads.RAR4, rarheads.RAR5)):
        return packed.Packed(source, limits, tick)
    if kind := _compression(head):
        return _compressed(source, kind, limits, tick)
    if tar.is_tar(head):
        return tar.Tar(stream.Plain(source), tick)
    return _by_whole(source, head, limits, tick)


def is_archive(source: Source) -> bool:
    """Return whether ``source`` begins as an archive does, or as what one packer made smaller."""
    head = source.head(tar.BLOCK)
    starts = (*_ZIP_STARTS, packed.SEVEN, rarheads.RAR4, rarheads.RAR5)
    return head.startswith(starts) or bool(_compression(head)) or tar.is_tar(head)


def may_hold(source: Source) -> bool:
    """Return whether ``source`` begins as a container does; ``walker`` says whether it is one."""
    head = source.head(mediatype.HEAD_BYTES)
    if head.startswith(outlook.OLE):
        return outlook.is_message(source)
    starts = (*_ZIP_STARTS, packed.SEVEN, rarheads.RAR4, rarheads.RAR5, outlook.TNEF)
    return (
        head.startswith(starts)
        or bool(_compression(head))
        or tar.is_tar(head[: tar.BLOCK])
        or mails.is_mailbox(head)
        or mediatype.looks_like_mail(head)
        or zipdir.ends_as_zip(source)
    )


def _compression(head: bytes) -> str:
    """Return the compression that the first bytes are of, empty if none."""
    if head.startswith(b"BZh") and head[4:10] not in _BZIP2_BLOCKS:
        return ""
    return next((kind for start, kind in _COMPRESSED.items() if head.startswith(start)), "")


def _by_whole(source: Source, head: bytes, limits: Limits, tick: Tick) -> Walker | None:
    """Return the walk over mail, or over a zip archive behind a program or a picture."""
    if head.startswith(outlook.OLE):
        return outlook.Message(source) if outlook.is_message(source) else None
    if head.startswith(outlook.TNEF):
        return outlook.Winmail(source)
    head = source.head(mediatype.HEAD_BYTES)
    if mails.is_mailbox(head):
        return mails.Mailbox(source, tick)
    if mediatype.looks_like_mail(head):
        return mails.Mail(source, tick)
    if _PDF in head[:_PDF_WITHIN]:
        pdfs = heavy.loaded("tasks.reader.containers.pdfs")
        if pdfs.is_container(source):
            found: Walker = pdfs.Pdf(source, tick)
            return found
    return Zip(source, limits, behind=True) if zipdir.ends_as_zip(source) else None


def zip_document(source: Source, limits: Limits) -> bool:
    """Return whether a zip archive is a document or a program by what it holds."""
    try:
        listing = zipdir.list_zip(source, limits)
    except Refused:
        return False
    if listing.problems:
        # Hidden bytes and the like are for a person to see, whatever else the file is.
        return False
    return _is_document(source, listing)


def _is_document(source: Source, listing: ZipListing) -> bool:
    names = {member.name for member in listing.members}
    if "[Content_Types].xml" in names and names & _OFFICE_PARTS:
        return True
    if names & {"META-INF/MANIFEST.MF", "AndroidManifest.xml"}:
        return True
    first = listing.members[0] if listing.members else None
    if first is None or first.name != "mimetype" or first.method != 0:
        return False
    # ODF 1.3 part 2, 3.3 and EPUB OCF 4.3: the type stands plainly in the first entry.
    declared = source.at(first.offset + 38, min(first.size, 100))
    return declared.startswith((b"application/vnd.oasis.", b"application/epub+zip"))


def _compressed(source: Source, kind: str, limits: Limits, tick: Tick) -> Walker:
    try:
        # The first piece alone, whatever it expands to: the walk itself keeps the limits.
        first = next(stream.expanded(source, kind, _BOUNDLESS, []), b"")
    except Refused:
        first = b""
    if not tar.is_tar(first[: tar.BLOCK]):
        return Compressed(source, kind, limits)
    problems: list[str] = []
    content = stream.Pulled(stream.expanded(source, kind, limits, problems), tick)
    return tar.Tar(content, tick, f"tar.{kind}", problems)
