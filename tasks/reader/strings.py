"""The last resort: printable strings of a file that no reader could read.

Runs of UTF-8, UTF-16 (little-endian) and GB 18030 are taken out, in the order in which they
stand. They are no text of the document: words may be missing, doubled, or of an earlier
version, and some are not words at all. The page says so by its origin and its flag.
"""

from __future__ import annotations

import re
from typing import Final

from tasks.reader.charset import FREQUENT
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

FLAG: Final = "strings_only"
MAX_BYTES = 4 << 20
MAX_CHARACTERS = 500_000
_LABEL = "可打印字符串（最后手段） printable strings (last resort)"

_UTF8 = re.compile(
    rb"(?:[\t\x20-\x7e]|[\xc3-\xdf][\x80-\xbf]|[\xe2-\xe9\xef][\x80-\xbf]{2}"
    rb"|\xf0[\xa0-\xaf][\x80-\xbf]{2}){6,}"
)
_UTF16 = re.compile(
    rb"(?:[\t\x20-\x7e]\0|[\x00-\xff][\x4e-\x9f]|[\x00-\x1f]\x30|[\x00-\x5e]\xff){6,}"
)
# Han characters of GB 2312, its signs and full-width forms, with ASCII between.
_GB = re.compile(rb"(?:[\xb0-\xf7][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe]|[\x20-\x7e]){4,}")

# Media whose bytes are packed samples or pixels, or have readers of their own.
_NOT_OF = ("audio/", "video/", "image/", "font/", "application/zip", "application/pdf",
           "application/gzip", "application/x-7z", "application/x-rar", "application/x-bzip2",
           "application/x-xz", "application/zstd", "application/x-tar", "message/")  # fmt: skip
_PACKED = ("openxmlformats", "opendocument", "macroEnabled", "epub", "java-archive", "android")


def are_last_resort(media_type: str, reading: Reading) -> bool:
    """Return whether nothing was read of a document whose strings may say something."""
    if reading.state not in ("unknown_type", "damaged") or media_type.startswith(_NOT_OF):
        return False
    packed = any(word in media_type for word in _PACKED)
    return not packed and not any(page.text.strip() for page in reading.pages)


def keep(source: Source, reading: Reading, context: Context) -> None:
    """Add the strings as a page, flagged, if there are any."""
    found = found_in(source.head(MAX_BYTES))
    text = "\n".join(found)
    if not text:
        return
    reading.flag(FLAG)
    if source.size > MAX_BYTES or len(text) > MAX_CHARACTERS:
        reading.flag("truncated")
    context.page(
        reading, text[:MAX_CHARACTERS], label=_LABEL, origin="strings", flags=("last_resort",)
    )


def found_in(data: bytes) -> list[str]:
    """Return the strings in the order in which they stand; each byte belongs to one at most."""
    found: list[tuple[int, str]] = []
    for pattern, encoding in ((_UTF8, "utf-8"), (_UTF16, "utf-16-le"), (_GB, "gb18030")):
        left, end = [], 0
        for hit in pattern.finditer(data):
            text = hit[0].decode(encoding, "ignore").strip()
            if _is_said(text, encoding):
                found.append((hit.start(), text))
                left += [data[end : hit.start()], bytes(len(hit[0]))]
                end = hit.end()
        data = b"".join((*left, data[end:]))
    return [text for _, text in sorted(found)]


def _is_said(text: str, encoding: str) -> bool:
    """Return whether a run is likely to be words: chance gives no frequent characters."""
    text = text[:4_000]
    han = [c for c in text if "\u4e00" <= c <= "\u9fff"]
    if encoding == "utf-8" or not han:
        letters = sum(1 for c in text if c.isalnum())
        return len(text) >= 4 and letters >= len(text) / 2 and encoding != "gb18030"
    known = sum(1 for c in han if c in FREQUENT)
    return len(han) >= 4 and known >= max(2, 0.12 * len(han))
