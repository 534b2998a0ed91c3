"""XMP metadata (ISO 16684-1) as plain lines, and where it contradicts the older Info dictionary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from xml.etree.ElementTree import Element, ParseError

from tasks.reader.xmltext import attribute, local, tree

_MAX_BYTES = 4 << 20
_MAX_HISTORY = 50
_KEPT = (
    "title", "creator", "description", "Producer", "CreatorTool", "CreateDate", "ModifyDate",
    "MetadataDate", "DocumentID", "InstanceID", "OriginalDocumentID", "Keywords",
)  # fmt: skip
# Each key of Info beside that of XMP which says the same (ISO 32000-2, table 349).
_PAIRS = {
    "Title": "title",
    "Author": "creator",
    "Producer": "Producer",
    "Creator": "CreatorTool",
    "CreationDate": "CreateDate",
    "ModDate": "ModifyDate",
    "Keywords": "Keywords",
}
_PDF_TIME = re.compile(
    r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z|[+-])(\d\d)?'?(\d\d)?'?)?"
)


def read_xmp(data: bytes) -> dict[str, str]:
    """Return what an XMP packet says, history included; nothing if it is no XML."""
    try:
        root = tree(data[:_MAX_BYTES].strip(b"\0"))
    except (ParseError, ValueError, LookupError):
        return {}
    found: dict[str, str] = {}
    history: list[str] = []
    for element in root.iter():
        name = local(element)
        if name == "History":
            history = [_event(each) for each in element.iter() if local(each) == "li"]
        elif name in _KEPT and (text := _text(element)):
            found.setdefault(name, text)
        elif name == "Description":
            for key in _KEPT:
                if value := attribute(element, key):
                    found.setdefault(key, value)
    said = [each for each in history if each][:_MAX_HISTORY]
    return found | ({"history": "\n".join(said)} if said else {})


def _text(element: Element) -> str:
    items = [(each.text or "").strip() for each in element.iter() if local(each) == "li"]
    return "; ".join(x for x in items if x) if items else (element.text or "").strip()


def _event(item: Element) -> str:
    values = {local(each): (each.text or "").strip() for each in item}
    keys = ("when", "action", "softwareAgent", "changed")
    return " ".join(x for key in keys if (x := attribute(item, key) or values.get(key, "")))


def compare(info: Mapping[str, str], xmp: Mapping[str, str]) -> list[str]:
    """Return the keys of Info whose value XMP contradicts; what one of them lacks does not."""
    return [
        key
        for key, other in _PAIRS.items()
        if info.get(key, "").strip()
        and xmp.get(other, "").strip()
        and not _same(key, info[key].strip(), xmp[other].strip())
    ]


def _same(key: str, one: str, two: str) -> bool:
    if not key.endswith("Date"):
        return " ".join(one.split()) == " ".join(two.split())
    first, second = pdf_time(one), _iso_time(two)
    if first is None or second is None:
        return one == two
    # Where either gives no zone, the hours of the clock are all that can be compared.
    if first.tzinfo is None or second.tzinfo is None:
        first, second = first.replace(tzinfo=None), second.replace(tzinfo=None)
    return abs((first - second).total_seconds()) < 60


def pdf_time(text: str) -> datetime | None:
    """Return a PDF date (7.9.4) as a time, None if it is none; without a zone it has none."""
    found = _PDF_TIME.match(text)
    if not found:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes = found.groups()
    try:
        zone = None
        if sign:
            ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
            zone = timezone(-ahead if sign == "-" else ahead)
        parts = (int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
        return datetime(int(year), *parts, tzinfo=zone)
    except ValueError:
        return None


def _iso_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
