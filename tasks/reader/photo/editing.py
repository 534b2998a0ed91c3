"""Which program has written or changed a picture, by the names that programs leave."""

from __future__ import annotations

import re
from typing import Final

from tasks.reader.reading import Reading

_EDITORS: Final = {
    "Adobe Photoshop": r"photoshop(?! lightroom)",
    "Adobe Lightroom": r"lightroom|camera raw",
    "Adobe Illustrator": r"adobe illustrator",
    "Adobe InDesign": r"indesign",
    "GIMP": r"\bgimp\b",
    "美图 Meitu": r"meitu|美图|mtxx|meiyan|美颜",
    "光影魔术手 nEOiMAGING": r"neoimaging|光影魔术手",
    "醒图 Xingtu": r"xingtu|醒图|retouch\.lemon",
    "可牛 Keniu": r"可牛|keniu",
    "Snapseed": r"snapseed",
    "PicsArt": r"picsart",
    "VSCO": r"\bvsco\b",
    "B612": r"\bb612\b",
    "FaceU": r"faceu|轻颜",
    "Canva": r"\bcanva\b",
    "Affinity": r"affinity",
    "Pixelmator": r"pixelmator",
    "Paint.NET": r"paint\.net",
    "Microsoft Paint": r"mspaint|microsoft paint",
    "CorelDRAW": r"corel",
    "Capture One": r"capture one",
    "ACDSee": r"acdsee|acd systems",
    "XnView": r"xnview",
    "IrfanView": r"irfanview",
    "Procreate": r"procreate",
    "Krita": r"\bkrita\b",
    "WPS": r"wps (?:图片|photo|picture)",
    "ImageMagick": r"imagemagick|graphicsmagick",
}
_PATTERNS: Final = {name: re.compile(what, re.IGNORECASE) for name, what in _EDITORS.items()}
_SAID_IN: Final = (
    "exif_Software", "exif_HostComputer", "exif_ImageDescription", "xmp_CreatorTool",
    "xmp_history", "xmp_CaptureSoftware", "iptc_program", "comment", "text_Software",
    "text_Comment",
)  # fmt: skip


def note_editing(reading: Reading, *, photoshop_block: bool) -> None:
    """Note the editors named by the metadata, with the flag ``edited`` if there is one.

    ``photoshop_block`` says that the file has Photoshop's own resources, which others write too:
    alone they are noted and no sign of editing. A name can be forged, and removed.
    """
    said = " ".join(reading.metadata.get(key, "") for key in _SAID_IN)
    found = [name for name, pattern in _PATTERNS.items() if pattern.search(said)]
    if found:
        reading.note("edited_by", "; ".join(found))
        reading.flag("edited")
    if photoshop_block:
        reading.note("photoshop_resources", "yes")
