"""What of a transcript is indexed for search: its pages, its metadata, and the document's name.

What is no page is page 0: the name and the path of an exhibit, and every piece of metadata alone,
so that nothing is found across two of them. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.catalogue.search import PageInput
from tasks.partlist import metadata_pages
from tasks.reader.answer import Transcript


def page_inputs(transcript: Transcript, exhibit: Mapping[str, Any]) -> list[PageInput]:
    """Return the pages of an exhibit itself as the search index takes them.

    ``exhibit`` has ``name`` and ``item``, as the catalogue holds them.
    """
    named = dict.fromkeys([exhibit["name"], exhibit["item"]["path"]])
    return [
        *(PageInput(0, "name", each) for each in named),
        *metadata_pages(transcript, "", ""),
        *(PageInput(p.number, p.origin, p.text, p.label) for p in transcript.pages),
    ]
