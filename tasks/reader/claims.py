"""Which media type a file's name claims; the content decides, the claim is only compared."""

from __future__ import annotations

from pathlib import PurePosixPath

OOXML = "application/vnd.openxmlformats-officedocument"
ODF = "application/vnd.oasis.opendocument."
OCTETS = "application/octet-stream"
PICTURE_SUFFIX = r"\.(?:png|jpe?g|tiff?|bmp|gif|webp|emf|wmf|svg|hei[cf]|avif|jp2)$"
"""How names of pictures end that office programs keep in their files, as a pattern."""

_BY_SUFFIX = {
    ".pdf": "application/pdf",
    ".docx": f"{OOXML}.wordprocessingml.document",
    ".xlsx": f"{OOXML}.spreadsheetml.sheet",
    ".pptx": f"{OOXML}.presentationml.presentation",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".docm": "application/vnd.ms-word.document.macroEnabled.12",
    ".dotx": f"{OOXML}.wordprocessingml.template",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    ".xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    ".xltx": f"{OOXML}.spreadsheetml.template",
    ".pptm": "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
    ".ppsx": f"{OOXML}.presentationml.slideshow",
    ".potx": f"{OOXML}.presentationml.template",
    ".dot": "application/msword",
    ".xlt": "application/vnd.ms-excel",
    ".pps": "application/vnd.ms-powerpoint",
    ".wps": "application/msword",
    ".et": "application/vnd.ms-excel",
    ".dps": "application/vnd.ms-powerpoint",
    ".wpt": "application/msword",
    ".ett": "application/vnd.ms-excel",
    ".dpt": "application/vnd.ms-powerpoint",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".rtf": "text/rtf",
    ".zip": "application/zip",
    ".eml": "message/rfc822",
    ".msg": "application/vnd.ms-outlook",
    ".txt": "text/plain",
    ".log": "text/plain",
    ".md": "text/plain",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".htm": "text/html",
    ".html": "text/html",
    ".xml": "text/xml",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".jpe": "image/jpeg",
    ".jfif": "image/jpeg",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".hif": "image/heif",
    ".avif": "image/avif",
    ".jp2": "image/jp2",
    ".jpx": "image/jpx",
    ".jpf": "image/jpx",
    ".j2k": "image/x-jp2-codestream",
    ".j2c": "image/x-jp2-codestream",
    ".jxl": "image/jxl",
    ".psd": "image/vnd.adobe.photoshop",
    ".ico": "image/vnd.microsoft.icon",
    ".pcx": "image/x-pcx",
    ".dcx": "image/x-dcx",
    ".dds": "image/vnd.ms-dds",
    ".emf": "image/emf",
    ".wmf": "image/wmf",
    ".svg": "image/svg+xml",
    ".dcm": "application/dicom",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".3gp": "video/3gpp",
    ".avi": "video/x-msvideo",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".wmv": "video/x-ms-asf",
    ".wma": "video/x-ms-asf",
    ".flv": "video/x-flv",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".aac": "audio/x-hx-aac-adts",
    ".amr": "audio/amr",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/x-wav",
    ".rar": "application/x-rar",
    ".7z": "application/x-7z-compressed",
}

_OFFICE = (OOXML, "application/vnd.ms-", "application/msword")
# Types whose content cannot be told apart, or not always.
_TEXTS = {"text/plain", "text/csv", "text/tab-separated-values", "application/json", "text/xml"}

# WPS Office writes its own suffixes around either of Microsoft's formats.
_WPS = {
    ".wps": (f"{OOXML}.wordprocessingml.document",),
    ".et": (f"{OOXML}.spreadsheetml.sheet",),
    ".dps": (f"{OOXML}.presentationml.presentation",),
    ".wpt": (f"{OOXML}.wordprocessingml.template", f"{OOXML}.wordprocessingml.document"),
    ".ett": (f"{OOXML}.spreadsheetml.template", f"{OOXML}.spreadsheetml.sheet"),
    ".dpt": (f"{OOXML}.presentationml.template", f"{OOXML}.presentationml.presentation"),
}

# One family writes under several names: what differs inside it is a version, no disguise.
_FAMILIES = (
    frozenset({"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"}),
    frozenset({"image/jp2", "image/jpx", "image/jpm", "image/jph", "image/x-jp2-codestream"}),
    frozenset({"video/mp4", "video/quicktime", "video/3gpp", "video/3gpp2", "audio/mp4"}),
    frozenset({"video/x-matroska", "video/webm", "audio/x-matroska"}),
    frozenset({"video/mpeg", "video/mp2p", "video/mp2t", "video/mpv"}),
    frozenset({"audio/ogg", "video/ogg", "application/ogg"}),
    frozenset({"image/bmp", "image/x-ms-bmp"}),
)


def claimed_type(name: str) -> str:
    """Return the media type that the name's last suffix claims, empty if none is known."""
    return _BY_SUFFIX.get(PurePosixPath(name.lower()).suffix, "")


def mismatch(found: str, claimed: str, name: str = "") -> bool:
    """Return whether the content is of another type than the name claims."""
    if not claimed or found == claimed or found == "application/x-empty":
        return False
    if any(found in family and claimed in family for family in _FAMILIES):
        return False
    # What is encrypted does not show its kind.
    if found in _WPS.get(PurePosixPath(name.lower()).suffix, ()) or (
        found == "application/encrypted-office" and claimed.startswith(_OFFICE)
    ):
        return False
    return not (claimed in _TEXTS and (found in _TEXTS or found.startswith("text/")))
