"""Names and numbers as they are compared, however people or machines write them. Pure."""

from __future__ import annotations

import re
import unicodedata

from storage.names import hides
from storage.normal import normal_form


def squeezed(text: str) -> str:
    """Return text as names and numbers are compared: NFKC, no case, nothing blank or hidden."""
    plain = "".join(normal_form("NFKC", text).split()).casefold()
    return plain.translate({ord(each): None for each in set(plain) if hides(each)})


def sections(text: str) -> frozenset[str]:
    """Return a name and its parts between marks."""
    plain = normal_form("NFKC", text).casefold()
    # Punctuation and symbols part names; an accent that stands alone belongs to its letter.
    marked = "".join("|" if unicodedata.category(c)[0] in "PS" else c for c in plain)
    parts = (squeezed(each) for each in marked.split("|"))
    return frozenset({squeezed(text), *filter(None, parts)})


def parts_of(text: str) -> frozenset[str]:
    """Return a name and its parts between marks and digits."""
    parts = (re.split(r"\d+", each) for each in sections(text))
    return frozenset({squeezed(text), *(each for part in parts for each in part if each)})
