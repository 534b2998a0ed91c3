"""Segmentation: how text becomes search tokens, the same for what is indexed and what is asked.

Every Han, kana or Hangul character is a token of its own, so a Chinese word of any length,
one character included, is found as a phrase without a dictionary. Runs of other letters and
digits are one token, in lower case and full width folded to half (NFKC). Pure.
"""

from __future__ import annotations

import re
import unicodedata

_HAN = (
    r"[\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    r"\U00020000-\U0003134f]"
)
_TOKEN = re.compile(rf"{_HAN}|(?:(?!{_HAN})[^\W_])+")


def tokens(text: str) -> list[str]:
    """Return the tokens of a text in order."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def phrases(query: str) -> list[list[str]]:
    """Return the phrases of a query: parts between white space, all of which must be found."""
    parts = (tokens(part) for part in query.split())
    return [part for part in parts if part]


def snippet(text: str, query: str, width: int = 40) -> str:
    """Return the text around the first place where the query's first phrase stands.

    The hit is set in 【】; white space is folded; ``width`` is in characters a side.
    """
    folded = " ".join(text.split())
    wanted = phrases(query)
    if not wanted:
        return folded[: 2 * width]
    pattern = r"\W*".join(re.escape(token) for token in wanted[0])
    match = re.search(pattern, folded, re.IGNORECASE)
    if match is None:
        return folded[: 2 * width]
    start, stop = max(0, match.start() - width), match.end() + width
    before = ("…" if start else "") + folded[start : match.start()]
    after = folded[match.end() : stop] + ("…" if stop < len(folded) else "")
    return f"{before}【{match.group()}】{after}"
