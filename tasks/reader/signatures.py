"""Types of pictures, sound and video by their first bytes, where libmagic is silent or vague.

Only marks that chance does not write: four bytes at least, or fewer with fields behind them that
must agree. Sources: ISO/IEC 14496-12 (``ftyp`` and its brands), the formats' own specifications.
"""

from __future__ import annotations

import re
from typing import Final

_DRAWN: Final = (
    "jpeg png tiff bmp x-ms-bmp gif webp jp2 jpx jph x-jp2-codestream avif heic heif "
    "vnd.adobe.photoshop vnd.microsoft.icon x-icon "
    "x-win-bitmap x-icns x-pcx x-dcx vnd.ms-dds x-blp x-qoi x-msp x-im fits x-sun-raster "
    "x-pixar x-xv-thumbnail x-ftex x-gimp-gbr x-photo-cd sgi x-tga x-xpmi x-xpm "
    "x-portable-bitmap x-portable-greymap x-portable-graymap x-portable-pixmap "
    "x-portable-anymap x-xbitmap x-fli "
    "x-adobe-dng x-canon-cr2 x-nikon-nef x-sony-arw x-olympus-orf x-pentax-pef"
)
PICTURES: Final = frozenset(f"image/{name}" for name in _DRAWN.split())
"""Media types of pictures that are drawn here; EMF, WMF, JPEG XL, XCF and CR3 are not."""

_PLAYED: Final = (
    "video/mp4 video/quicktime video/3gpp video/3gpp2 video/x-matroska video/webm "
    "video/x-msvideo video/x-ms-asf video/x-flv video/mpeg video/mpv video/mp2p video/mp2t "
    "video/ogg video/x-m4v application/mxf audio/mp4 audio/x-m4a audio/mpeg audio/x-wav "
    "audio/flac audio/ogg application/ogg audio/x-hx-aac-adts audio/aac audio/amr audio/AMR "
    "audio/AMR-WB audio/x-aiff audio/x-caf audio/basic audio/ac3 audio/x-ape audio/x-matroska "
    "application/vnd.rn-realmedia image/heic-sequence image/heif-sequence "
)
MEDIA: Final = frozenset(_PLAYED.split())
"""Media types of sound and video that are described here."""

# Brands of ISO base media files that are pictures, by the type they stand for.
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis"), "image/heic"),
    **dict.fromkeys((b"hevc", b"hevx", b"hevm", b"hevs"), "image/heic-sequence"),
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"mif1": "image/heif",
    b"msf1": "image/heif-sequence",
    b"crx ": "image/x-canon-cr3",
    b"jp2 ": "image/jp2",
    b"jpx ": "image/jpx",
    b"jpm ": "image/jpm",
    b"jph ": "image/jph",
    b"qt  ": "video/quicktime",
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4P "), "audio/mp4"),
    **dict.fromkeys((b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3gr6", b"3gs6"), "video/3gpp"),
    **dict.fromkeys((b"3g2a", b"3g2b", b"3g2c"), "video/3gpp2"),
    **dict.fromkeys(
        (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV",
         b"dash", b"f4v ", b"XAVC"), "video/mp4"
    ),
}  # fmt: skip
# A picture's general brand says less than the codec's among the compatible ones.
_GENERAL: Final = frozenset({"image/heif", "image/heif-sequence"})

_MARKS: Final = (
    (0, b"\xff\x4f\xff\x51", "image/x-jp2-codestream"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (0, b"8BPS\x00\x01", "image/vnd.adobe.photoshop"),
    (0, b"8BPS\x00\x02", "image/vnd.adobe.photoshop-large"),
    (0, b"DDS \x7c\x00\x00\x00", "image/vnd.ms-dds"),
    (0, b"BLP1", "image/x-blp"),
    (0, b"BLP2", "image/x-blp"),
    (0, b"qoif", "image/x-qoi"),
    (0, b"icns", "image/x-icns"),
    (0, b"DanM", "image/x-msp"),
    (0, b"LinS", "image/x-msp"),
    (0, b"Image type: ", "image/x-im"),
    (0, b"SIMPLE  =", "image/fits"),
    (0, b"\x59\xa6\x6a\x95", "image/x-sun-raster"),
    (0, b"\x80\xe8\x00\x00", "image/x-pixar"),
    (0, b"\xb1\x68\xde\x3a", "image/x-dcx"),
    (0, b"P7 332", "image/x-xv-thumbnail"),
    (0, b"FTEX", "image/x-ftex"),
    (20, b"GIMP", "image/x-gimp-gbr"),
    (0, b"gimp xcf ", "image/x-xcf"),
    (2048, b"PCD_", "image/x-photo-cd"),
    (0, b"\xd7\xcd\xc6\x9a", "image/wmf"),
    (128, b"DICM", "application/dicom"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"caff\x00\x01", "audio/x-caf"),
    (0, b"fLaC", "audio/flac"),
)
_RIFF: Final = {
    b"WEBP": "image/webp",
    b"AVI ": "video/x-msvideo",
    b"WAVE": "audio/x-wav",
    b"ACON": "image/x-animated-cursor",
}
# ASF, by its header object's identifier; video or sound is told by its streams.
_ASF: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_SVG: Final = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.{0,4000}?-->\s*)*"
    rb"(?:<!DOCTYPE\s+svg\b[^>\[]*(?:\[.{0,8000}?\]\s*)?>\s*)?(?:<!--.{0,4000}?-->\s*)*"
    rb"<(?:[\w-]{1,20}:)?svg[\s>/]",
    re.DOTALL,
)


def told(head: bytes) -> str:
    """Return the type that the first bytes tell without doubt, or an empty text."""
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    for at, mark, kind in _MARKS:
        # A text may begin with a short word that is also a mark.
        if head.startswith(mark, at) and (len(mark) > 6 or not _is_plain(head[at : at + 64])):
            return kind
    if head.startswith(_ASF):
        return "video/x-ms-asf"
    return _by_fields(head)


def is_targa(head: bytes, size: int) -> bool:
    """Return whether a file has the pixels that its TGA header announces, or half of them.

    The format has no mark, so any bytes may look like its header. ``size`` is the file's.
    """
    if len(head) < 18:
        return False
    width, height = int.from_bytes(head[12:14], "little"), int.from_bytes(head[14:16], "little")
    raw = width * height * ((head[16] + 7) // 8)
    # A run of 128 pixels is told by one of them.
    least = raw if head[2] in (1, 2, 3) else raw // 128
    return head[2] in (1, 2, 3, 9, 10, 11) and 0 < least <= 2 * size


def _is_plain(data: bytes) -> bool:
    return data.isascii() and all(byte >= 32 or byte in b"\t\r\n" for byte in data)


def _by_brand(head: bytes) -> str:
    """Return the type by the major brand, made exact by the compatible brands behind it."""
    size = min(int.from_bytes(head[:4], "big"), 512)
    listed = [head[at : at + 4] for at in range(16, size - 3, 4)]
    major = _BRANDS.get(head[8:12], "")
    if major and major not in _GENERAL:
        return major
    known = [_BRANDS[brand] for brand in listed if brand in _BRANDS]
    exact = (kind for kind in known if kind not in _GENERAL and kind.startswith("image/"))
    return next(exact, major or (known[0] if known else ""))


def _by_fields(head: bytes) -> str:
    """Return the type of formats whose mark is short, where their first fields agree."""
    # SGI: storage 0 or 1, one or two bytes a channel, one to three dimensions.
    if head[:2] == b"\x01\xda" and len(head) > 11 and head[2] < 2 and head[3] in (1, 2):
        return "image/sgi" if head[4] == 0 and head[5] in (1, 2, 3) else ""
    # [MS-EMF] 2.3.4.2: the first record is a header, and the signature stands in it.
    if head[:4] == b"\x01\x00\x00\x00" and head[40:44] == b" EMF":
        return "image/emf"
    # [MS-WMF] 2.3.2.2: a metafile without the placeable header: type, header size, version.
    if head[:4] in (b"\x01\x00\x09\x00", b"\x02\x00\x09\x00") and head[5:6] in (b"\x01", b"\x03"):
        return "image/wmf"
    # ISO/IEC 13818-1: packets of 188 bytes (on discs 192), each with its mark.
    for size, first in ((188, 0), (192, 4)):
        if len(head) > 4 * size and all(head[first + n * size] == 0x47 for n in range(5)):
            return "video/mp2t"
    # Cursors: one picture at least, and a directory entry whose last byte but seven is zero.
    if head[:4] == b"\x00\x00\x02\x00" and len(head) > 21 and head[4] and not head[5]:
        return "image/x-win-bitmap" if head[9] == 0 and head[18:22] != bytes(4) else ""
    return "image/svg+xml" if _SVG.match(head[:32_768]) else ""
