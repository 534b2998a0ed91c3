"""Pages that were read before: the same bytes, engine, models and settings give the same text.

Looked up in the readings on record of other exhibits with the same digest, in whichever case;
there is no store beside them that would outlive a disposal. ``--again`` does not ask here.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from storage.catalogue import queries
from storage.custody import Custody
from storage.errors import CustodyError
from storage.objects import ObjectRef
from tasks.reader.answer import Page, Transcript
from tasks.reader.engines import EngineKey

_MOST_LOOKED_AT = 5


def known_pages(custody: Custody, key: EngineKey | None, sha256: str) -> Transcript | None:
    """Return an earlier transcript of the same bytes with the pages that need no second reading.

    ``key`` is what the engine that would read them now would be called; None: it does not know.
    """
    if key is None:
        return None
    with custody.read() as session:
        readings = queries.readings_of(session, sha256, _MOST_LOOKED_AT)
    for reading in readings:
        transcript = _transcript(custody, reading)
        pages = tuple(page for page in transcript.pages if _is_by(page, key)) if transcript else ()
        if transcript and pages:
            return replace(transcript, pages=pages)
    return None


def _is_by(page: Page, key: EngineKey) -> bool:
    told = {name: page.settings.get(name) for name in key.settings}
    return (
        page.origin == "ocr"
        and not page.needs_ocr
        and (page.engine, page.version, told) == (key.engine, key.version, key.settings)
    )


def _transcript(custody: Custody, reading: dict[str, Any]) -> Transcript | None:
    """Return what was read, None where it is gone or cannot be trusted."""
    try:
        with custody.objects.open(ObjectRef.from_json(reading["details"]["object"])) as stream:
            return Transcript.from_json(json.loads(stream.read()))
    except (CustodyError, ValueError, KeyError):
        return None
