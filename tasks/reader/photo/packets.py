"""XMP (ISO 16684-1), IPTC, colour profiles and comments: what programs write into pictures."""

from __future__ import annotations

import io
import re
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from PIL import Image, ImageCms, ImageFile, IptcImagePlugin

from tasks.reader.photo.broken import BROKEN
from tasks.reader.photo.exif import decoded
from tasks.reader.reading import Reading
from tasks.reader.xmltext import local, tree

_PROPERTIES: Final = (
    "CreatorTool CreateDate ModifyDate MetadataDate DateCreated creator title description rights "
    "subject Credit Source City Country Headline Instructions Label Rating DocumentID InstanceID "
    "OriginalDocumentID SerialNumber LensModel Lens GPSLatitude GPSLongitude MotionPhoto "
    "MicroVideo DigitalSourceType CaptureSoftware HistoryLines"
)
_SIMPLE: Final = frozenset(_PROPERTIES.split())
_IPTC: Final = {
    (2, 5): "title", (2, 25): "keywords", (2, 40): "instructions", (2, 55): "date_created",
    (2, 60): "time_created", (2, 65): "program", (2, 80): "byline", (2, 90): "city",
    (2, 101): "country", (2, 105): "headline", (2, 110): "credit", (2, 115): "source",
    (2, 116): "copyright", (2, 120): "caption",
}  # fmt: skip
_ROOT: Final = re.compile(
    rb"<(?:\w+:)?(?:xmpmeta|RDF)\b.*</(?:\w+:)?(?:xmpmeta|RDF)\s*>", re.DOTALL
)
_MAX_XMP = 4 << 20
_MAX_STEPS = 60
# IPTC's vocabulary of sources of digital media, for pictures that no camera took.
_SYNTHETIC: Final = ("trainedalgorithmicmedia", "algorithmicmedia", "compositesynthetic")


def note_xmp(image: Image.Image, reading: Reading) -> None:
    """Note what the XMP packet says; keys are ``xmp_`` and the property's local name."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or _tiff_packet(image)
    data = packet.encode() if isinstance(packet, str) else bytes(packet or b"")
    found = _ROOT.search(data[:_MAX_XMP])
    if not found:
        return
    try:
        root = tree(found[0])
    except (ParseError, ValueError):
        return reading.flag("metadata_damaged")
    steps: list[str] = []
    for element in root.iter():
        _note_element(element, reading)
        if local(element) == "History":
            steps += _steps(element)
    if steps:
        reading.note("xmp_history_steps", len(steps))
        reading.note("xmp_history", "\n".join(steps[-_MAX_STEPS:]))
    source = reading.metadata.get("xmp_DigitalSourceType", "").lower()
    if any(word in source for word in _SYNTHETIC):
        reading.flag("synthetic")
    return None


def _tiff_packet(image: Image.Image) -> Any:
    tags = getattr(image, "tag_v2", None)
    return tags.get(700) if tags is not None else None


def _note_element(element: Element, reading: Reading) -> None:
    for key, value in element.attrib.items():
        name = key.rpartition("}")[2]
        if name in _SIMPLE and f"xmp_{name}" not in reading.metadata:
            reading.note(f"xmp_{name}", value)
    name = local(element)
    if name in _SIMPLE and f"xmp_{name}" not in reading.metadata:
        texts = (part.text.strip() for part in element.iter() if part.text and part.text.strip())
        reading.note(f"xmp_{name}", "; ".join(texts))


def _steps(history: Element) -> list[str]:
    """Return the editing steps, one line each: action, time, program, what was changed."""
    lines = []
    for step in history.iter():
        if local(step) != "li":
            continue
        said = {key.rpartition("}")[2]: value for key, value in step.attrib.items()}
        said |= {local(part): (part.text or "").strip() for part in step.iter() if part is not step}
        words = (said.get(key, "") for key in ("action", "when", "softwareAgent", "changed"))
        lines.append(" ".join(word for word in words if word))
    return [line for line in lines if line]


def note_iptc(image: Image.Image, reading: Reading) -> None:
    """Note IPTC-IIM fields; keys are ``iptc_`` and what the field is for."""
    if not isinstance(image, ImageFile.ImageFile):
        return
    found = IptcImagePlugin.getiptcinfo(image)
    for key, name in _IPTC.items():
        value = (found or {}).get(key)
        values = value if isinstance(value, list) else [value] if value else []
        reading.note(f"iptc_{name}", "; ".join(decoded(bytes(each)) for each in values) or None)


def note_profile(image: Image.Image, reading: Reading) -> None:
    """Note the name of the colour profile."""
    profile = image.info.get("icc_profile")
    if not profile:
        return
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        reading.note("colour_profile", ImageCms.getProfileDescription(opened))
    except (ImageCms.PyCMSError, *BROKEN):
        reading.flag("metadata_damaged")


def note_comments(image: Image.Image, reading: Reading) -> None:
    """Note free text beside the picture: comments of JPEG and GIF, text chunks of PNG
    that stand before its pixels."""
    comment = image.info.get("comment")
    if comment:
        text = decoded(comment) if isinstance(comment, bytes) else str(comment)
        reading.note("comment", text)
    if image.format != "PNG":
        return
    # Asked for its texts, Pillow would decode the whole picture for those behind the pixels.
    for key, value in list(image.info.items())[:40]:
        if isinstance(value, str) and key != "XML:com.adobe.xmp":
            reading.note(f"text_{key}", value)
