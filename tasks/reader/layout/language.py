"""The language of a text as its script tells it, in BCP 47 tags; no more is claimed than that."""

from __future__ import annotations

import re
from collections import Counter

SAMPLE = 1500
"""Characters of a text that are looked at: a page's first lines tell as much as all of it."""

_SCRIPTS = {
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "kana": re.compile(r"[\u3041-\u30ff]"),
    "ko": re.compile(r"[\u1100-\u11ff\uac00-\ud7a3]"),
    "Latn": re.compile(r"[A-Za-z\u00c0-\u024f]+"),
    "Cyrl": re.compile(r"[\u0400-\u04ff]+"),
    "Arab": re.compile(r"[\u0600-\u06ff]+"),
    "Thai": re.compile(r"[\u0e01-\u0e5b]+"),
}
_ENGLISH = re.compile(
    r"\b(?:the|of|and|to|in|is|shall|for|by|with|this|that|or|be|on|as|are|not|from|any)\b", re.I
)
_LEAST_KANA = 0.1
_LEAST_ENGLISH = 0.08


def language(text: str) -> str:
    """Return ``zh``, ``ja``, ``ko``, ``en``, ``und-Latn`` and the like; empty without letters.

    A Han character counts as much as a word of letters. Latin letters are called English only
    where English words stand among them.
    """
    sample = text[:SAMPLE]
    counts = Counter({name: len(find.findall(sample)) for name, find in _SCRIPTS.items()})
    kana = counts.pop("kana")
    if kana > _LEAST_KANA * (counts["han"] + kana):
        counts["han"] += kana
        east = "ja"
    else:
        east = "zh"
    name, most = counts.most_common(1)[0]
    if not most:
        return ""
    if name == "han":
        return east
    if name == "ko":
        return "ko"
    if name == "Latn" and len(_ENGLISH.findall(sample)) >= _LEAST_ENGLISH * most:
        return "en"
    return f"und-{name}"
