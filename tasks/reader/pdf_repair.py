"""A PDF whose end is missing gets one, so that what is left of it can be read.

PDFium finds objects by itself where the table is gone, but not where to begin: that stands in
the trailer, at the very end. Here a trailer is put behind the bytes, with the catalogue if it is
still there, and otherwise with a new one over every page object that is left. Objects that were
packed into object streams are not found this way.
"""

from __future__ import annotations

import re

from tasks.reader.source import Source

MAX_BYTES = 256 << 20
_MAX_PAGES = 10_000
_OBJECT = re.compile(rb"(?:^|[\r\n\s])(\d{1,8})[ \t\r\n]+(\d{1,5})[ \t\r\n]+obj\b")
_CATALOGUE = re.compile(rb"/Type[ \t\r\n]*/Catalog\b")
_PAGE = re.compile(rb"/Type[ \t\r\n]*/Page(?![A-Za-z])")
_HEAD = 4096
# Ends whatever was cut off: a stream, or a dictionary, which PDFium would take the trailer into.
_CLOSED = b"\nendstream\nendobj\n>>\nendobj\n"
# Numbers that no writer reaches; PDFium takes none above 8,388,607.
_NEW = 8_000_000


def with_end(source: Source) -> Source | None:
    """Return the bytes with a trailer behind them, None where there is nothing to lead to."""
    if source.size > MAX_BYTES:
        return None
    data = source.whole()
    catalogue = b""
    pages: list[bytes] = []
    for found in _OBJECT.finditer(data):
        head = data[found.end() : found.end() + _HEAD].partition(b"endobj")[0]
        head = head.partition(b"stream")[0]
        reference = b"%d %d R" % (int(found[1]), int(found[2]))
        if _CATALOGUE.search(head):
            catalogue = reference
        elif _PAGE.search(head) and len(pages) < _MAX_PAGES:
            pages.append(reference)
    if catalogue:
        return Source(data + _CLOSED + _trailer(catalogue), source.name)
    if not pages:
        return None
    # The same page may have been saved several times; its number names it once.
    kids = list(dict.fromkeys(pages))
    new = b"%d 0 obj\n<< /Type /Catalog /Pages %d 0 R >>\nendobj\n" % (
        _NEW,
        _NEW + 1,
    )
    new += (
        b"%d 0 obj\n<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 595 842] >>\nendobj\n"
        % (
            _NEW + 1,
            b" ".join(kids),
            len(kids),
        )
    )
    return Source(data + _CLOSED + new + _trailer(b"%d 0 R" % _NEW), source.name)


def _trailer(root: bytes) -> bytes:
    trailer = b"trailer\n<< /Root %s /Size %d >>\n" % (root, _NEW + 2)
    return trailer + b"startxref\n0\n%%EOF\n"
