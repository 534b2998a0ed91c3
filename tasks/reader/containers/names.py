"""Names of members: read in the encoding they were written in, and judged as paths.

Most Chinese and Japanese tools write names in the code page of their Windows and set no flag.
Which of the two it was, all names of one container decide together.
"""

from __future__ import annotations

from collections.abc import Iterable

# Bytes of GB 2312's Chinese characters: what everyday names written in GBK consist of.
_COMMON_HAN = range(0xB0, 0xF8)


def legacy_encoding(raws: Iterable[bytes]) -> str:
    """Return ``gb18030`` or ``cp932``: what the names that are not UTF-8 were written in."""
    chinese = japanese = 0
    for raw in raws:
        if raw.isascii() or likely_utf8(raw):
            continue
        as_chinese, as_japanese = _everyday_chinese(raw), _everyday_japanese(raw)
        chinese += as_chinese
        japanese += as_japanese and not as_chinese
    return "cp932" if japanese > chinese else "gb18030"


def decode(raw: bytes, *likely: str) -> tuple[str, str]:
    """Return the name and the encoding it was read in, ``likely`` ones first; never fails."""
    for encoding in (*likely, "utf-8", "gb18030"):
        if _fits(raw, encoding):
            return raw.decode(encoding), encoding
    return raw.decode("latin-1"), "latin-1"


def likely_utf8(raw: bytes) -> bool:
    """Return whether a name that no flag explains is in UTF-8.

    Some names in GBK are UTF-8 by chance, "目录" (folder) among them, and then read as symbols
    and rare Latin letters: ``Ŀ¼``.
    """
    if not _fits(raw, "utf-8"):
        return False
    high = [c for c in raw.decode() if c > "\x7f"]
    odd = any(c < "\xc0" or "\u0100" <= c < "\u0370" for c in high)
    return not (odd and max(high) < "\u0800" and _everyday_chinese(raw))


def unsafe_path(name: str) -> list[str]:
    """Return why ``name``, with ``/`` between its parts, must not be used as a path."""
    parts = name.split("/")
    reasons = []
    if name.startswith("/"):
        reasons.append("absolute")
    if ".." in parts:
        reasons.append("parent")
    if not name.strip("/") or "." in parts or "" in name.strip("/").split("/"):
        reasons.append("empty_name")
    return reasons


def _fits(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _everyday_chinese(raw: bytes) -> bool:
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    wide = [c.encode("gb18030") for c in text if c > "\x7f"]
    common = sum(1 for c in wide if len(c) == 2 and c[0] in _COMMON_HAN and c[1] > 0xA0)
    return 2 * common > len(wide)


def _everyday_japanese(raw: bytes) -> bool:
    try:
        text = raw.decode("cp932")
    except UnicodeDecodeError:
        return False
    wide = [c for c in text if c > "\x7f"]
    # Kana and the kanji of JIS level 1; half-width kana are what any byte above 0xA0 looks like.
    known = sum(1 for c in wide if "\u3041" <= c <= "\u30fe" or c in "々〆ヶ" or _level_1(c))
    return 2 * known > len(wide)


def _level_1(character: str) -> bool:
    code = character.encode("cp932", "replace")
    return len(code) == 2 and 0x889F <= int.from_bytes(code) <= 0x9872
