"""Text out of bytes whose encoding nobody stated, or stated wrongly."""

from __future__ import annotations

import codecs
from typing import Any, NamedTuple

from tasks.reader import heavy

_SAMPLE = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Mail and web pages say gb2312 and mean what Windows writes, which GB 18030 contains.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz-gb-2312": "hz",
    "cp936": "gb18030",
    "euc-cn": "gb18030",
    "big5": "cp950",
    "big5-tw": "cp950",
    "big5hkscs": "big5hkscs",
    "iso-8859-1": "cp1252",
    "shift_jis": "cp932",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
}


# Code pages that Office files name, beside those above.
_OF_OFFICE = ("cp437", "cp850", "cp874", "cp936", "cp949", *(f"cp{n}" for n in range(1250, 1259)))

# The most frequent characters of written Chinese; one in three belongs to them in prose, and
# hardly any does in text of another encoding that is read as GB 18030.
FREQUENT = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之"
    "年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样"
    "理心她本前开但因只从想实日期名单合同客户公司证据号章条款数量价格"
)
"""Characters by which Chinese is told from what only looks like it."""
_FREQUENT_SHARE = 0.12
_ENOUGH = 8


class Decoded(NamedTuple):
    """Text, the encoding it was read in, how sure that is (0 to 1), bytes that did not fit."""

    text: str
    encoding: str
    confidence: float
    damaged: bool


def preload() -> None:
    """Load the detector's tables once, so that children inherit them; they are large."""
    _detect("证据保管链证据保管链".encode("gb18030"))
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", *_WIDER.values(), *_OF_OFFICE):
        codecs.lookup(encoding)


def decode(data: bytes, declared: str = "") -> Decoded:
    """Return the text: by its mark, as strict UTF-8, as declared, then by its statistics."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _in(data, encoding, 1.0)
    # Plain English in two bytes a character is UTF-8 too, with a NUL behind each letter.
    if b"\0" in data[:2000] and (wide := without_mark(data)):
        return _in(data, wide, 0.9)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", 1.0, False)
    except UnicodeDecodeError:
        pass
    if declared and (stated := _strict(data, wider(declared))) is not None:
        return Decoded(stated, wider(declared), 0.9, False)
    return _by_statistics(data)


def wider(name: str) -> str:
    """Return the superset in which text so labelled is really written, or the name itself."""
    return _WIDER.get(name.strip().strip("\"'").lower().replace(" ", ""), name.strip().strip("\"'"))


def _detect(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = heavy.loaded("chardet").detect(data)
    return found


def _by_statistics(data: bytes) -> Decoded:
    wide = without_mark(data)
    if wide:
        return _in(data, wide, 0.9)
    if _plainly_chinese(data[:_SAMPLE]):
        return _in(data, "gb18030", 0.95)
    found = _detect(data[:_SAMPLE])
    encoding = wider(str(found.get("encoding") or "gb18030")).lower()
    confidence = round(float(found.get("confidence") or 0.0), 2)
    # Below a few characters statistics say nothing; most such files here are from Windows.
    high = sum(byte > 0x7F for byte in data[:_SAMPLE])
    if (high < 2 * _ENOUGH or confidence < 0.3) and (guess := _strict(data, "gb18030")) is not None:
        return Decoded(guess, "gb18030", min(confidence, 0.5), False)
    return _in(data, encoding, confidence)


def _plainly_chinese(sample: bytes) -> bool:
    """Return whether the bytes, read as GB 18030, are everyday Chinese; much cheaper to ask."""
    han = [c for c in sample.decode("gb18030", errors="ignore") if c > "\x7f"]
    known = sum(1 for c in han if c in FREQUENT)
    return len(han) >= _ENOUGH and known >= _FREQUENT_SHARE * len(han)


def without_mark(data: bytes) -> str:
    """Return which UTF-16 the bytes are in although no mark says so, empty if neither."""
    sample = data[:2000]
    first, second = sample[0::2], sample[1::2]
    for encoding, low, high in (("utf-16-le", first, second), ("utf-16-be", second, first)):
        pairs = list(zip(low, high, strict=False))
        plain = sum(1 for a, b in pairs if b == 0 and (0x20 <= a < 0x7F or a in (9, 10, 13)))
        if pairs and plain >= 0.2 * len(pairs):
            return encoding
    return next((e for e in ("utf-16-le", "utf-16-be") if _wide_chinese(sample, e)), "")


def _wide_chinese(sample: bytes, encoding: str) -> bool:
    """Return whether the bytes, read as UTF-16, are everyday Chinese and next to nothing else."""
    text = _strict(sample[: len(sample) & ~1], encoding) or ""
    han = [c for c in text if "\u4e00" <= c <= "\u9fff"]
    plain = sum(1 for c in text if " " <= c <= "~" or c in "\r\n\t" or "\u3000" <= c <= "\u303f")
    wide = sum(1 for c in text if "\uff00" <= c <= "\uffef")
    known = sum(1 for c in han if c in FREQUENT)
    return (
        len(han) >= _ENOUGH
        and known >= _FREQUENT_SHARE * len(han)
        and len(han) + plain + wide >= 0.95 * len(text)
    )


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None


def _in(data: bytes, encoding: str, confidence: float) -> Decoded:
    text = _strict(data, encoding)
    if text is not None:
        return Decoded(text, encoding.removesuffix("-sig"), confidence, False)
    try:
        text = data.decode(encoding, errors="replace")
    except (LookupError, ValueError):
        encoding, text = "gb18030", data.decode("gb18030", errors="replace")
    return Decoded(text, encoding.removesuffix("-sig"), min(confidence, 0.5), True)
