"""Measuring: the values of one document, as its reading's record holds them.

Text is what was read, so a better reading gives better values. Files are hashed as bytes, unopened;
images are opened in the cell. What has no value says why in ``absent``, and harms nothing else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from tasks.likeness.method import (
    CHARACTERS,
    FILE_BYTES,
    FRAMES,
    parameters,
)
from tasks.reader.answer import Transcript
from tasks.reader.cell import CellPool
from tasks.reader.containers import wanted
from tasks.reader.documents import Document, opened
from tasks.reader.pdq_answer import ImageHashes
from tasks.reader.process import CellFailure
from tasks.reader.reading import MAX_PAGES
from tasks.reader.signatures import MEDIA
from tasks.reader.strict import parse

_PDQ = re.compile("[0-9a-f]{64}")
TLSH_FORM = re.compile("T1[0-9A-F]{70}")


def measured(pool: CellPool, file: Document, transcript: Transcript) -> dict[str, Any]:
    """Return the values of a document with the method, version and thresholds of each."""
    found = parameters()
    values = {"text": text_values(transcript.text), **looks(pool, file, transcript)}
    named = {name: {**found[name], **value} for name, value in values.items()}
    return {"version": found["version"], **named}


def looks(pool: CellPool, file: Document, transcript: Transcript) -> dict[str, Any]:
    """Return the values of a document as an image and as a file, without those of its text."""
    found = {"file": _file_values(file)}
    if transcript.media_type.startswith("image/"):
        found["image"] = _image_values(pool, file)
    elif scans := _scanned(transcript):
        found["image"] = _image_values(pool, file, scans)
    return found


def _scanned(transcript: Transcript) -> list[int]:
    """Return the first pages of a PDF, or frames of a film, that are images for OCR."""
    if transcript.media_type != "application/pdf" and transcript.media_type not in MEDIA:
        return []
    own = (page for page in transcript.pages if not page.inside)
    return [page.frame for page in own if page.origin == "ocr" or page.needs_ocr][:FRAMES]


def checked(untrusted: Any) -> dict[str, Any]:
    """Return what ``looks`` made, read again; raise ``ValueError`` for anything else."""
    if not isinstance(untrusted, dict) or not untrusted.keys() <= {"file", "image"}:
        raise ValueError("likeness has not its form")
    file, image = untrusted.get("file", {}), untrusted.get("image", {})
    for each, name in ((file, "value"), (image, "frames")):
        if not isinstance(each, dict) or not each.keys() <= {name, "absent"}:
            raise ValueError("likeness has not its form")
    texts = [file.get("value", ""), file.get("absent", ""), image.get("absent", "")]
    if not all(isinstance(each, str) and len(each) <= 100 for each in texts):
        raise ValueError("likeness has not its form")
    if "value" in file and not TLSH_FORM.fullmatch(file["value"]):
        raise ValueError("likeness has not its form")
    if "frames" in image:
        _require(parse(ImageHashes, {"frames": image["frames"]}))
    return untrusted


def text_values(text: str) -> dict[str, Any]:
    """Return a text's signature and how many distinct shingles it has."""
    # Whoever asks for help or verifies a log loads no numerical library.
    from tasks.likeness import minhash, shingles

    normal = shingles.normalised(text)
    hashes = shingles.hashes(normal[:CHARACTERS])
    if not len(hashes):
        return {"absent": "short"}
    value = minhash.written(minhash.signature(hashes))
    cut = {"cut_at": CHARACTERS} if len(normal) > CHARACTERS else {}
    return {"signature": value, "shingles": len(hashes), **cut}


def _file_values(file: Document) -> dict[str, Any]:
    from tasks.likeness import tlsh

    with opened(file) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > FILE_BYTES:
            return {"absent": "too_large"}
        value = tlsh.digest(_whole(descriptor, size))
    return {"value": value} if value else {"absent": "short_or_uniform"}


def _whole(descriptor: int, size: int) -> bytes:
    pieces, at = [], 0
    while at < size and (piece := os.pread(descriptor, size - at, at)):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def _image_values(pool: CellPool, file: Document, pages: Sequence[int] = ()) -> dict[str, Any]:
    chosen = wanted.encode(pages) if pages else ""
    try:
        untrusted = pool.call("image_hashes", file, limit=FRAMES, wanted=chosen)
        found = parse(ImageHashes, untrusted)
        _require(found)
    except CellFailure as failure:
        return {"absent": f"cell_{failure.code}"}
    except ValueError:
        return {"absent": "cell_lie"}
    if not found.frames:
        return {"absent": "too_small_or_too_large"}
    return {"frames": [vars(each) for each in found.frames]}


def _require(found: ImageHashes) -> None:
    """Raise ``ValueError`` unless an answer is what was asked for."""
    numbers = [each.frame for each in found.frames]
    formed = all(_PDQ.fullmatch(each.pdq) and 0 <= each.quality <= 100 for each in found.frames)
    if (
        not formed
        or numbers != sorted(set(numbers))
        or not all(1 <= number <= MAX_PAGES for number in numbers)
        or len(numbers) > FRAMES
    ):
        raise ValueError("not what was asked for")
