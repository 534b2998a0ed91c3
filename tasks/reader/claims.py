"""Which media type a file's name claims; the content decides, the claim is only compared."""

from __future__ import annotations

from pathlib import PurePosixPath

OOXML = "application/vnd.openxmlformats-officedocument"
OCTETS = "application/octet-stream"

_BY_SUFFIX = {
    ".pdf": "application/pdf",
    ".docx": f"{OOXML}.wordprocessingml.document",
    ".xlsx": f"{OOXML}.spreadsheetml.sheet",
    ".pptx": f"{OOXML}.presentationml.presentation",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
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
    ".mp4": "video/mp4",
    ".mp3": "audio/mpeg",
    ".wav": "audio/x-wav",
    ".rar": "application/x-rar",
    ".7z": "application/x-7z-compressed",
}

# Types whose content cannot be told apart, or not always.
_TEXTS = {"text/plain", "text/csv", "text/tab-separated-values", "application/json", "text/xml"}


def claimed_type(name: str) -> str:
    """Return the media type that the name's last suffix claims, empty if none is known."""
    return _BY_SUFFIX.get(PurePosixPath(name.lower()).suffix, "")


def mismatch(found: str, claimed: str) -> bool:
    """Return whether the content is of another type than the name claims."""
    if not claimed or found == claimed or found == "application/x-empty":
        return False
    return not (claimed in _TEXTS and (found in _TEXTS or found.startswith("text/")))
