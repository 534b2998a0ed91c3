"""What the text of an opinion says of the commission and the package that it answers. Pure.

The particulars are typed by somebody beside the document; what counts before a court is printed
in the document itself, so both are compared with what was sent. A scan has no text: a person
looks. (RULES: AP-07, AP-08; CPLI art. 98(4); ADM-EV arts. 14, 32; TS-JI art. 3.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from appraisal.commission import Commission
from appraisal.compared import squeezed
from appraisal.matters import MATTER_NAMES, MatterType
from appraisal.opinion import OpinionFinding
from appraisal.signatures import DocumentSeen
from storage.normal import normal_form

_LABELLED = re.compile(
    r"(?:校验值|摘要|哈希|杂凑|指纹|sha-?256|sm3|hash|digest|checksum)[^0-9a-f]{0,40}([0-9a-f]{64})"
)
_ALONE = re.compile(r"(?<![0-9a-z])[0-9a-f]{64}(?![0-9a-z])")
_SHOWN = 3
_MOST = 8


def printed(document: DocumentSeen, commission: Commission) -> list[OpinionFinding]:
    """Check the digest, the number, and what was asked by whom, as the document prints them."""
    text, plain = document.text, squeezed(document.text)
    return [
        *_readable(document),
        _digest(text, plain, commission),
        _number(text, plain, commission),
        _request(plain, commission),
    ]


def _readable(document: DocumentSeen) -> Iterable[OpinionFinding]:
    """Say of a document that cannot be opened that this is why nothing was found in it."""
    if document.unread:
        why = document.unread[:200]
        yield OpinionFinding.to_confirm(
            "readable",
            f"意见书无法打开，须由人核对，或退回请机构提交可直接打开的文件（{why}）",
            f"the document cannot be opened; a person must look, or send it back for one that "
            f"opens ({why})",
        )


def foreign_digests(text: str, known: frozenset[str]) -> list[str]:
    """Return values of 64 hexadecimal digits that are none of these, each once, in order.

    A value that is broken over lines is found behind a label (校验值, SHA-256 ...); without
    one only where it stands in one piece.
    """
    folded = normal_form("NFKC", text).casefold()
    found = [*_LABELLED.findall(squeezed(text)), *_ALONE.findall(folded)]
    return list(dict.fromkeys(each for each in found if each not in known))


def _digest(text: str, plain: str, commission: Commission) -> OpinionFinding:
    code, package = "printed_digest", commission.package
    sent = [package.digests.get(name, "") for name in ("sha256", "sm3")] if package else []
    if any(each and each in plain for each in sent):
        return OpinionFinding(
            code,
            True,
            "意见书正文载明的校验值与发出的材料包一致",
            "the document itself prints the digest of the package that was sent",
        )
    if foreign := foreign_digests(text, _known(commission)):
        listed = "、".join(foreign[:_SHOWN])
        return OpinionFinding(
            code,
            False,
            f"意见书正文载明的校验值不是发出材料包的：{listed}",
            f"the document prints another digest than {commission.package_digest}: {listed}",
        )
    why = _missing(plain, "校验值", "the package's digest")
    return OpinionFinding.to_confirm(code, *why)


def stands(number: str, text: str) -> bool:
    """Whether a number stands in a text by itself: No. 1 is not in No. 10; lines may break it."""
    broken = r"\s*".join(map(re.escape, squeezed(number)))
    folded = normal_form("NFKC", text).casefold()
    return bool(re.search(rf"(?<![0-9a-z]){broken}(?![0-9a-z])", folded))


def _number(text: str, plain: str, commission: Commission) -> OpinionFinding:
    number = commission.commission_no
    if stands(number, text):
        return OpinionFinding(
            "printed_number",
            True,
            f"意见书正文载明委托书编号{number}",
            f"the document itself prints the commission's number {number}",
        )
    why = _missing(plain, f"委托书编号{number}", f"the commission's number {number}")
    return OpinionFinding.to_confirm("printed_number", *why)


def _request(plain: str, commission: Commission) -> OpinionFinding:
    """Check that client, matters and reference dates are there, in their usual spellings."""
    brief, code = commission.brief, "printed_matters"
    lacking = [] if squeezed(brief.client) in plain else [f"委托人{brief.client}"]
    for each in brief.matters:
        name = MATTER_NAMES[each.type]
        asked = [each.question, *([name] if each.type is not MatterType.OTHER else [])]
        if not any(squeezed(words) in plain for words in asked):
            lacking.append(f"鉴定事项{name}")
        if each.reference_date and not _dated(each.reference_date, plain):
            lacking.append(f"基准日{each.reference_date}")
    if not lacking:
        return OpinionFinding(
            code,
            True,
            "意见书正文载明委托人和委托鉴定事项",
            "the document itself prints the client and the matters",
        )
    listed = "、".join(each[:60] for each in dict.fromkeys(lacking[:_MOST]))
    return OpinionFinding.to_confirm(
        code, *_missing(plain, listed, "client, matters and reference dates")
    )


def _dated(iso: str, plain: str) -> bool:
    """Whether a day stands in a text without blanks: 2025-11-03, 2025年11月3日, 2025.11.3 ..."""
    year, month, day = (int(part) for part in iso.split("-"))
    words = f"年0?{month}月0?{day}日"
    marks = f"(?P<mark>[-./])0?{month}(?P=mark)0?{day}(?![0-9])"
    spelled = f"(?<![0-9]){year}(?:{words}|{marks})"
    return bool(re.search(spelled, plain))


def _missing(plain: str, what: str, what_en: str) -> tuple[str, str]:
    if not plain:
        return (
            f"文件没有文字层，{what}须由人在文件上核对",
            f"the document has no text layer; a person must look for {what_en}",
        )
    return (
        f"正文文字中未找到{what}，须由人核对",
        f"{what_en} is not in the document's text; a person must look for it",
    )


def _known(commission: Commission) -> frozenset[str]:
    """Return every digest that the house itself told the agency of."""
    prints = [each.fingerprint for each in commission.materials]
    for supplement in commission.supplements:
        prints += [each.fingerprint for each in supplement.supplied]
        prints += [supplement.package] if supplement.package else []
    return frozenset(value for each in prints for value in each.digests.values())
