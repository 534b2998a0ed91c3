"""Everything that a picture's file says, noted under stable keys (docs/images.md lists them)."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from tasks.reader.photo import ending, packets, quality
from tasks.reader.photo.broken import BROKEN
from tasks.reader.photo.editing import note_editing
from tasks.reader.photo.exif import note_exif
from tasks.reader.photo.preview import note_preview
from tasks.reader.reading import Reading
from tasks.reader.source import Source

_C2PA = b"jumb"


def describe(image: Image.Image, source: Source, reading: Reading) -> None:
    """Note format, size and metadata; what is broken is flagged and hinders nothing else."""
    reading.note("format", image.format)
    reading.note("width", image.width)
    reading.note("height", image.height)
    reading.note("mode", image.mode)
    _note_resolution(image, reading)
    for note in (note_exif, packets.note_xmp, packets.note_iptc, packets.note_profile,
                 packets.note_comments, _note_quality, _note_pictures):  # fmt: skip
        _try(lambda note=note: note(image, reading), reading)  # type: ignore[misc]
    _try(lambda: _note_ending(image, source, reading), reading)
    _try(lambda: note_preview(image, source, reading), reading)
    if _C2PA in source.head(1 << 18) and b"c2pa" in source.head(1 << 18):
        reading.flag("content_credentials")
    note_editing(reading, photoshop_block=bool(image.info.get("photoshop")))


def _try(note: Callable[[], None], reading: Reading) -> None:
    try:
        note()
    except BROKEN:
        reading.flag("metadata_damaged")


def _note_resolution(image: Image.Image, reading: Reading) -> None:
    dpi = image.info.get("dpi")
    try:
        across = round(float(dpi[0])) if dpi else 0
    except BROKEN:
        return
    if 10 < across < 10_000:
        reading.note("dpi", across)


def _note_quality(image: Image.Image, reading: Reading) -> None:
    tables = getattr(image, "quantization", None)
    if image.format not in ("JPEG", "MPO") or not tables or 0 not in tables:
        return
    number, standard = quality.estimate(tables[0])
    if number:
        reading.note("jpeg_quality", number)
        reading.note("jpeg_tables", "standard" if standard else "own")
    reading.note("jpeg_progressive", "yes" if image.info.get("progressive") else None)


def _note_pictures(image: Image.Image, reading: Reading) -> None:
    """Note what the further pictures of a multi-picture file are (CIPA DC-007)."""
    entries = getattr(image, "mpinfo", {}).get(0xB002) if hasattr(image, "mpinfo") else None
    if not isinstance(entries, (list, tuple)):
        return
    kinds = [str(entry.get("Attribute", {}).get("MPType", "")) for entry in entries]
    reading.note("pictures", "; ".join(kinds))


def _note_ending(image: Image.Image, source: Source, reading: Reading) -> None:
    end = ending.find(source)
    if end is None:
        return
    if not end.closed:
        return reading.flag("no_end_mark")
    if not end.trailing or end.kind == "padding":
        reading.note("trailing_padding", end.trailing or None)
        return None
    reading.note("trailing_bytes", end.trailing)
    reading.note("trailing_kind", end.kind)
    motion = {"xmp_MotionPhoto", "xmp_MicroVideo"} & reading.metadata.keys()
    if end.kind == "film" or motion:
        reading.flag("motion_photo")
    elif image.format == "MPO" and end.kind == "jpeg":
        # The further pictures of the file, which are frames of their own.
        return None
    return reading.flag("trailing_data")
