"""EXIF (CIPA DC-008): camera, lens, times with their offsets, and the place."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from PIL import ExifTags, Image

from tasks.reader.reading import Reading

_IFD0: Final = (
    "Make", "Model", "Software", "DateTime", "Artist", "Copyright", "ImageDescription",
    "HostComputer", "DocumentName", "PageName",
)  # fmt: skip
_EXIF: Final = (
    "DateTimeOriginal", "OffsetTimeOriginal", "SubsecTimeOriginal", "DateTimeDigitized",
    "OffsetTimeDigitized", "OffsetTime", "BodySerialNumber", "CameraOwnerName", "LensMake",
    "LensModel", "LensSerialNumber", "ImageUniqueID", "ExposureTime", "FNumber",
    "ISOSpeedRatings", "FocalLength",
)  # fmt: skip
_WINDOWS: Final = ("XPTitle", "XPComment", "XPAuthor", "XPKeywords", "XPSubject")
_PNG_BLOCKS: Final = {"exif", "Raw profile type exif"}
_TIME: Final = re.compile(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d):(\d\d):(\d\d)")
_OFFSET: Final = re.compile(r"[+-]\d\d:\d\d|Z")
_CHARSETS: Final = {b"ASCII\0\0\0": "ascii", b"UNICODE\0": "utf-16", b"JIS\0\0\0\0\0": "iso2022_jp"}


def note_exif(image: Image.Image, reading: Reading) -> None:
    """Note what the EXIF block says; keys are ``exif_`` and the standard's name of the tag."""
    # Asked for a block that does not stand before the pixels, Pillow would decode a whole PNG.
    if image.format == "PNG" and not _PNG_BLOCKS & image.info.keys():
        return
    exif = image.getexif()
    if not exif:
        return
    taken = exif.get_ifd(ExifTags.IFD.Exif)
    for names, block in ((_IFD0, exif), (_EXIF, taken)):
        for name in names:
            reading.note(f"exif_{name}", _plain(block.get(ExifTags.Base[name])))
    for name in _WINDOWS:
        reading.note(f"exif_{name}", _wide(exif.get(ExifTags.Base[name])))
    reading.note("exif_UserComment", _comment(taken.get(ExifTags.Base.UserComment)))
    _note_time(reading)
    _note_place(exif.get_ifd(ExifTags.IFD.GPSInfo), reading)


def iso_time(text: str, offset: str = "") -> str:
    """Return EXIF's spelling of a time in ISO 8601, without an offset where none is said."""
    found = _TIME.match(text.strip())
    if not found or found[1] == "0000":
        return ""
    date, clock = "-".join(found.group(1, 2, 3)), ":".join(found.group(4, 5, 6))
    said = offset.strip()
    return f"{date}T{clock}{said if _OFFSET.fullmatch(said) else ''}"


def _note_time(reading: Reading) -> None:
    said = reading.metadata
    original = said.get("exif_DateTimeOriginal", "")
    reading.note("taken", iso_time(original, said.get("exif_OffsetTimeOriginal", "")))
    changed = iso_time(said.get("exif_DateTime", ""))
    if changed and iso_time(original) and changed != iso_time(original):
        reading.flag("changed_after_taken")


def _note_place(place: dict[int, Any], reading: Reading) -> None:
    """Note the place in decimal degrees (WGS 84), south and west negative."""
    if not place:
        return
    latitude = degrees(place.get(2), place.get(1), "S", 90)
    longitude = degrees(place.get(4), place.get(3), "W", 180)
    if latitude is None or longitude is None:
        return
    reading.flag("gps")
    reading.note("gps_latitude", f"{latitude:.6f}")
    reading.note("gps_longitude", f"{longitude:.6f}")
    height = number(place.get(6))
    if height is not None:
        below = place.get(5) in (1, b"\x01")
        reading.note("gps_altitude_m", f"{-height if below else height:.1f}")
    bearing = number(place.get(17))
    if bearing is not None and 0 <= bearing <= 360:
        reading.note("gps_direction", f"{bearing:.1f}")
    clock = [number(part) for part in _three(place.get(7))]
    date = str(place.get(29, "")).replace(":", "-").strip("\0 ")
    if all(part is not None for part in clock) and re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        hours, minutes, seconds = (int(part or 0) for part in clock)
        reading.note("gps_time", f"{date}T{hours:02d}:{minutes:02d}:{seconds:02d}Z")


def degrees(parts: Any, side: Any, negative: str, most: int) -> float | None:
    """Return degrees, minutes and seconds as one number, None where they are none."""
    numbers = [number(part) for part in _three(parts)]
    if any(each is None or each < 0 for each in numbers):
        return None
    whole, minutes, seconds = (each or 0.0 for each in numbers)
    value = whole + minutes / 60 + seconds / 3600
    if value > most:
        return None
    said = side.decode("ascii", "replace") if isinstance(side, bytes) else str(side or "")
    return -value if said.strip("\0 ").upper() == negative else value


def number(value: Any) -> float | None:
    """Return a rational or number as a float, None for what is none (0/0 among them)."""
    try:
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _three(parts: Any) -> tuple[Any, Any, Any]:
    if isinstance(parts, (tuple, list)) and len(parts) == 3:
        return parts[0], parts[1], parts[2]
    return None, None, None


def _plain(value: Any) -> Any:
    """Return a value for people: texts without padding, bytes by their likely encoding."""
    if isinstance(value, bytes):
        value = decoded(value)
    if isinstance(value, str):
        return value.split("\0")[0].strip()
    return value


def decoded(data: bytes) -> str:
    """Return bytes that should be ASCII as Chinese programs mean them: UTF-8, else GB 18030."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def _wide(value: Any) -> str:
    data = bytes(value) if isinstance(value, (bytes, tuple)) else b""
    return data.decode("utf-16-le", "replace").strip("\0 ")


def _comment(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value or "").strip("\0 ")
    charset = _CHARSETS.get(value[:8])
    body = value[8:] if charset or value[:8] == bytes(8) else value
    if charset == "utf-16" and body[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        charset = max(("utf-16-be", "utf-16-le"), key=lambda order: _usual(body, order))
    text = body.decode(charset, "replace") if charset else decoded(body)
    return text.strip("\0 ")


def _usual(body: bytes, charset: str) -> int:
    """Return how many characters of people's everyday writing there are in a reading."""
    text = body.decode(charset, "replace")
    return sum(
        " " <= c <= "~" or "\u3000" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff" for c in text
    )
