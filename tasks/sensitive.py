"""Sensitive hits: numbers and addresses of people in what was read, found and only counted.

Least disclosure asks how many identity cards, bank cards, telephone numbers and addresses a
page shows before it goes out to anybody. What is kept is a count for each page and kind; no
value leaves this module, neither in its answers nor in its errors. Pure.

- ``identity_card``: GB 11643, 18 characters: region, date of birth, order, check character.
- ``bank_card``: ISO/IEC 7812, 16 to 19 digits of an issuer range below, with the Luhn digit.
- ``mobile_phone``: 11 digits of China, 13 to 19, with or without 86 before it.
- ``email_address``: a dotted domain behind the sign.

Full-width characters count as what they stand for; digits may be parted by single blanks or
hyphens as people and OCR write them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from tasks.reader.answer import Transcript

KINDS = {
    "identity_card": "身份证号码 identity cards",
    "bank_card": "银行卡号 bank cards",
    "mobile_phone": "手机号码 mobile phones",
    "email_address": "电子邮箱 e-mail addresses",
}
"""The kinds in the order in which they are shown, with their names for people."""

MAX_PAGES = 50
"""Pages that an event tells one by one; the rest is in its totals alone."""

_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])([1-8]\d{5})[ -]?((?:18|19|20)\d{2})[ -]?(\d{2})[ -]?(\d{2})"
    r"[ -]?(\d{3}[\dXx])(?![0-9A-Za-z])",
    re.ASCII,
)
# GB/T 2260: the first two digits of a region.
_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (81, 83))
    for code in (*range(first, last + 1), 71)
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_DIGITS = re.compile(r"(?<!\d)\d{2,}(?:[ -]\d{2,})*", re.ASCII)
# UnionPay and the older ranges of Chinese banks; Visa, MasterCard and JCB on dual cards.
_ISSUERS = re.compile(r"62\d{14,17}|9558\d{14,15}|4\d{15}|5[1-5]\d{14}|35[2-8]\d{13}")
_TAKEN = "|"
_MOBILE = re.compile(
    r"(?<!\d)(?<!\d\.)(?<!\d[ -])(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)",
    re.ASCII,
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}"
    r"(?![A-Za-z0-9-])"
)


def count(text: str) -> Counter[str]:
    """Return how many hits of each kind ``text`` holds; kinds without any are left out."""
    plain = text.translate(_HALF_WIDTH) if not text.isascii() else text
    found: Counter[str] = Counter()

    def take(kind: str) -> Callable[[re.Match[str]], str]:
        def taken(hit: re.Match[str]) -> str:
            count, rest = _TESTS[kind](hit)
            found[kind] += count
            return rest

        return taken

    # What has been found is taken out: a telephone number inside of a card is none.
    rest = _IDENTITY.sub(take("identity_card"), plain)
    rest = _DIGITS.sub(take("bank_card"), rest)
    found["mobile_phone"] = sum(1 for _ in _MOBILE.finditer(rest))
    found["email_address"] = sum(1 for _ in _EMAIL.finditer(plain)) if "@" in plain else 0
    return +found


def by_page(transcript: Transcript) -> list[tuple[int, Counter[str]]]:
    """Return the pages that have hits, by number, with their counts."""
    counted = ((page.number, count(page.text)) for page in transcript.pages)
    return [(number, found) for number, found in counted if found]


def total(transcript: Transcript | None) -> Counter[str]:
    """Return the counts of a whole document, none for what was not read."""
    whole: Counter[str] = Counter()
    for _, found in by_page(transcript) if transcript else ():
        whole.update(found)
    return whole


def details(transcript: Transcript) -> dict[str, Any]:
    """Return what an event says: totals by kind, and the first pages one by one."""
    pages = by_page(transcript)
    whole: Counter[str] = Counter()
    for _, found in pages:
        whole.update(found)
    return {
        "total": dict(whole),
        "pages": [{"page": number, **found} for number, found in pages[:MAX_PAGES]],
        "more_pages": max(0, len(pages) - MAX_PAGES),
    }


def shown(untrusted_details: Mapping[str, Any]) -> str:
    """Return one line for people from an event's details, empty where nothing was found.

    Details of readings made before hits were counted have none, which is not the same as zero
    hits: they give an empty line too, and are told by the missing key ``sensitive``.
    """
    said = untrusted_details.get("sensitive")
    counts = said.get("total", {}) if isinstance(said, Mapping) else {}
    return "，".join(f"{name} {counts[kind]}" for kind, name in KINDS.items() if counts.get(kind))


def _identity(hit: re.Match[str]) -> tuple[int, str]:
    """Return 1 and nothing for a right number, 0 and the number itself for any other."""
    region, year, month, day, rest = hit.groups()
    if region[:2] in _PROVINCES and _is_date(year, month, day):
        number = region + year + month + day + rest.upper()
        weighed = sum(int(d) * w for d, w in zip(number, _WEIGHTS, strict=False))
        if _CHECKS[weighed % 11] == number[17]:
            return 1, _TAKEN
    return 0, hit.group()


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _bank_cards(run: re.Match[str]) -> tuple[int, str]:
    """Return the number of cards in a run of digits, and the groups that belong to none.

    A card begins and ends where a group does.
    """
    if run.end() - run.start() < 16:
        return 0, run.group()
    groups = re.findall(r"\d+", run.group())
    cards, at = 0, 0
    left: list[str] = []
    while at < len(groups):
        length = _card(groups[at : at + 10])
        cards += bool(length)
        left.append(_TAKEN if length else groups[at])
        at += length or 1
    return cards, " ".join(left) if cards else run.group()


def _card(groups: list[str]) -> int:
    """Return how many groups make the longest card that starts with the first, 0 if none."""
    if groups[0][0] not in "34569":
        return 0
    digits, found = "", 0
    for number, group in enumerate(groups, 1):
        digits += group
        if len(digits) > 19:
            break
        if _ISSUERS.fullmatch(digits) and _luhn(digits):
            found = number
    return found


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


_TESTS = {"identity_card": _identity, "bank_card": _bank_cards}
