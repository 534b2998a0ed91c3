"""Pages that were read before: the same bytes, engine, models and settings give the same text.

Looked up in the readings on record of exhibits and parts with the same digest, in whichever case;
there is no store beside them that would outlive a disposal. ``--again`` does not ask here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from storage.catalogue import parts, queries
from storage.custody import Custody
from storage.errors import CustodyError
from storage.objects import ObjectRef
from tasks.expanded import transcript_of
from tasks.reader.answer import Page, Transcript
from tasks.reader.documents import opened
from tasks.reader.engines import EngineKey

_MOST_LOOKED_AT = 5
_CHUNK = 1 << 20


def known_pages(custody: Custody, key: EngineKey | None, sha256: str) -> Transcript | None:
    """Return an earlier transcript of the same bytes with the pages that need no second reading.

    ``key`` is what the engine that would read them now would be called; None: it does not know.
    """
    if key is None:
        return None
    for transcript in _transcripts(custody, sha256):
        pages = tuple(page for page in transcript.pages if _is_by(page, key))
        if pages:
            return replace(transcript, pages=pages)
    return None


def digest_of(file: BinaryIO) -> str:
    """Return the SHA-256 of an open file, from its beginning; its position stays."""
    digest, at = hashlib.sha256(), 0
    with opened(file) as descriptor:
        while chunk := os.pread(descriptor, _CHUNK, at):
            digest.update(chunk)
            at += len(chunk)
    return digest.hexdigest()


def _is_by(page: Page, key: EngineKey) -> bool:
    told = {name: page.settings.get(name) for name in key.settings}
    return (
        page.origin == "ocr"
        and not page.needs_ocr
        and (page.engine, page.version, told) == (key.engine, key.version, key.settings)
    )


def _transcripts(custody: Custody, sha256: str) -> Iterator[Transcript]:
    """Yield what was read of exhibits and parts of this digest; what is gone is left out."""
    with custody.read() as session:
        readings = queries.readings_of(session, sha256, _MOST_LOOKED_AT)
        rows = parts.of_digest(session, sha256, _MOST_LOOKED_AT)
    for reading in readings:
        with contextlib.suppress(CustodyError, ValueError, KeyError):
            ref = ObjectRef.from_json(reading["details"]["object"])
            with custody.objects.open(ref) as stream:
                yield Transcript.from_json(json.loads(stream.read()))
    for row in rows:
        with contextlib.suppress(CustodyError, ValueError, KeyError):
            if transcript := transcript_of(custody, row):
                yield transcript
