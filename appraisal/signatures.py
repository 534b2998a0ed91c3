"""What the electronic signatures of an opinion prove, and what is left to a person. Pure.

A signature counts for a check only if all of it holds: the bytes are those that were signed, the
chain leads to an authority that the bureau named, no weak algorithm, nothing after it but other
signatures, and the certificate's name is that of who should sign. Anything less never counts as
valid; it is told, and a person confirms what they see. So does a person where somebody whom no
authority vouches for has drawn a signature on a page: it can cover what others signed. Of
revocation counts what the document holds; nobody is asked.

Names are compared after NFKC, without blanks and case. An appraiser's is the whole common name,
or one of its parts between marks and digits (``陈工@310012001``); a certificate that fits two
appraisers fits none. The agency's is the whole common name or one of its parts between marks
(``某中心(鉴定专用章)``), the organization where there is no common name, or its credit code among
the identifiers of a certificate that is no appraiser's. (RULES: AP-08, AP-11; CPLI art. 98.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import date, datetime, timedelta
from typing import Any

from appraisal.agency import Agency
from appraisal.compared import parts_of, sections, squeezed
from appraisal.opinion import Opinion, OpinionFinding
from storage.names import visible

MOST_TOLD = 8
"""Signatures with a check of their own; the rest is told in a number."""
_CLOCKS = timedelta(minutes=10)
_HARMLESS = frozenset({"none", "archival", "signatures"})

TRUST_WORDS: dict[str, tuple[str, str]] = {
    "vouched": ("证书由本局信任的机构签发", "an authority that we trust vouches for the signer"),
    "no_anchor": (
        "本局未设置受信任的证书机构，签名人身份未核验",
        "no authority is configured: the signer is not vouched for",
    ),
    "unknown_issuer": (
        "证书不是由本局信任的机构签发，签名人身份未核验",
        "no authority that we trust issued the certificate: the signer is not vouched for",
    ),
    "expired": ("签名人证书已过期", "the signer's certificate has expired"),
    "not_yet": ("签名人证书尚未生效", "the signer's certificate is not valid yet"),
    "revoked": (
        "证书已被吊销（依文件内附的吊销信息）",
        "the certificate is revoked, by what the document holds",
    ),
    "usage": ("证书不是签名用途", "the certificate is not for signing"),
    "weak": ("证书链使用弱算法", "the chain of certificates uses a weak algorithm"),
    "other": ("证书链未通过验证", "the chain of certificates does not hold"),
    "": ("签名人身份未核验", "the signer is not vouched for"),
}
CHANGE_WORDS: dict[str, tuple[str, str]] = {
    "none": ("此后未作改动", "nothing came after it"),
    "archival": ("此后只增加了归档信息", "only archival data came after it"),
    "signatures": ("此后只增加了其他签名", "only other signatures came after it"),
    "forms": ("此后填写了表单", "forms were filled in after it"),
    "annotations": ("此后增加了批注", "annotations were added after it"),
    "other": ("此后文件内容被改动，或未覆盖全文", "the document was changed after it"),
}


@dataclass(frozen=True)
class SignatureSeen:
    """What counts of one signature that the reader found, in the words of its answer.

    ``unrevoked`` is whether the document holds fresh word that no certificate of the chain is
    revoked; ``shown`` whether the signature is drawn on a page.
    """

    field: str
    kind: str
    state: str
    trust: str = ""
    unrevoked: bool = False
    shown: bool = True
    common_names: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    issuer: str = ""
    serial: str = ""
    signed_at: str = ""
    stamped_at: str = ""
    stamp: str = "none"
    digest: str = ""
    algorithm: str = ""
    bits: int = 0
    weak: bool = False
    changes: str = "other"
    detail: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SignatureSeen:
        """Rebuild from the fields by name."""
        lists = ("common_names", "organizations", "identifiers")
        parsed = {key: tuple(value[key]) for key in lists}
        return cls(**{each.name: value[each.name] for each in fields_of(cls)} | parsed)

    @property
    def holds(self) -> bool:
        """Whether the bytes are those signed, by a sound algorithm, and no content came after."""
        return self.state == "intact" and not self.weak and self.changes in _HARMLESS

    @property
    def counts(self) -> bool:
        """Whether it proves who signed."""
        return self.holds and self.kind == "signature" and self.trust == "vouched"

    @property
    def covers(self) -> bool:
        """Whether somebody whom no authority vouches for has drawn it on a page.

        Where no authority is named nobody is vouched for, and a person looks at everything.
        """
        return self.shown and self.holds and self.trust not in ("vouched", "no_anchor")

    @property
    def moment(self) -> str:
        """When it was made: by a timestamp that holds, else as the signer says."""
        return (self.stamped_at if self.stamp == "vouched" else "") or self.signed_at


@dataclass(frozen=True)
class DocumentSeen:
    """What was seen of an opinion's PDF: its text layer, its signatures, and when it came.

    ``unread`` is why its pages could not be read at all, Chinese first, if so.
    """

    at: str
    text: str = ""
    signatures: tuple[SignatureSeen, ...] = ()
    more: bool = False
    strict: bool = True
    detail: str = ""
    unread: str = ""


def signature_findings(document: DocumentSeen, effective: str) -> list[OpinionFinding]:
    """Return one check for each signature, and one for their times."""
    told = enumerate(document.signatures[:MOST_TOLD], 1)
    found = [_one(number, each, document.at) for number, each in told]
    if document.more:
        found.append(
            OpinionFinding.to_confirm(
                "signatures_beyond",
                "电子签名过多，均未验证，须由人另行核验",
                "there are too many signatures, none was verified; verify them by other means",
            )
        )
    if rest := document.signatures[MOST_TOLD:]:
        good = document.strict and all(each.holds and not each.covers for each in rest)
        zh = f"另有{len(rest)}个电子签名{'均完好' if good else '，未全部验证'}"
        en = f"{len(rest)} more signatures, {'all intact' if good else 'not all verified'}"
        found.append(_stated("signatures_beyond", good, zh, en))
    if document.detail or (document.signatures and not document.strict):
        found.append(
            OpinionFinding.to_confirm(
                "signature_form",
                f"文件结构不规范，电子签名须由人另行核验（{document.detail or 'PDF'}）",
                f"the file departs from the format; verify its signatures by other means "
                f"({document.detail or 'PDF'})",
            )
        )
    if timed := [each for each in document.signatures if each.kind == "signature" and each.moment]:
        found.append(_times(timed, document.at, effective))
    return found


def sealed(
    opinion: Opinion, agency: Agency, document: DocumentSeen | None, wanted: int
) -> list[OpinionFinding]:
    """Check the appraisers' signatures and the agency's seal (AP-08).

    Without a document the particulars alone are believed, as for an opinion on paper.
    """
    return [_signed(opinion, document, wanted), _seal(opinion, agency, document)]


def signers(document: DocumentSeen | None, names: Iterable[str]) -> frozenset[str]:
    """Return which of these people some signature of the document names, verified or not."""
    seen = document.signatures if document else ()
    return frozenset(name for name in names if any(fits_person(each, name) for each in seen))


def fits_person(signature: SignatureSeen, name: str) -> bool:
    """Whether a certificate's common name is that of a person."""
    wanted = squeezed(name)
    return bool(wanted) and any(wanted in parts_of(each) for each in signature.common_names)


def fits_agency(signature: SignatureSeen, agency: Agency, people: Iterable[str]) -> bool:
    """Whether a certificate is the agency's own, and none of these people's."""
    if any(fits_person(signature, name) for name in people):
        return False
    names = signature.common_names or signature.organizations
    if any(squeezed(agency.name) in sections(each) for each in names):
        return True
    code = squeezed(agency.credit_code)
    held = (*signature.identifiers, *signature.common_names)
    return bool(code) and any(code in sections(each) for each in held)


def _by(document: DocumentSeen, person: str, people: Sequence[str]) -> list[SignatureSeen]:
    """Return the signatures whose certificate fits this person and nobody else."""
    return [
        each
        for each in document.signatures
        if each.kind == "signature" and [p for p in people if fits_person(each, p)] == [person]
    ]


def _signed(opinion: Opinion, document: DocumentSeen | None, wanted: int) -> OpinionFinding:
    code = "signatures"
    # One person written in two ways has signed once.
    people = {squeezed(each.name): each.name for each in opinion.appraisers if each.signed}
    signed = [name for key, name in people.items() if key]
    unsigned = [each.name or "—" for each in opinion.appraisers if not each.signed]
    zh = f"至少{wanted}名鉴定人签名（已签名{len(signed)}名，未签名{len(unsigned)}名）"
    en = f"at least {wanted} appraisers signed ({len(signed)} did, {len(unsigned)} did not)"
    if document is None or len(signed) < wanted or unsigned:
        return _stated(code, len(signed) >= wanted and not unsigned, zh, en)
    states = [(name, _standing(_by(document, name, signed), document)) for name in signed]
    if all(state == _VERIFIED for _, state in states):
        listed = "、".join(signed[:MOST_TOLD])
        return OpinionFinding(
            code,
            True,
            f"{zh}：{listed}的电子签名均已验证",
            f"{en}; the electronic signatures of {listed} are verified",
        )
    told = "；".join(f"{name} {state[0]}" for name, state in states[:MOST_TOLD])
    told_en = "; ".join(f"{name}: {state[1]}" for name, state in states[:MOST_TOLD])
    return OpinionFinding.to_confirm(
        code,
        f"鉴定人签名须由人核对：{told}",
        f"a person must confirm the appraisers' signatures ({told_en})",
    )


def _seal(opinion: Opinion, agency: Agency, document: DocumentSeen | None) -> OpinionFinding:
    zh, en = "机构盖章", "the agency's seal is on it"
    if document is None or not opinion.seal:
        return _stated("seal", opinion.seal, zh, en)
    people = [*(each.name for each in opinion.appraisers), *(a.name for a in agency.appraisers)]
    own = [
        each
        for each in document.signatures
        if each.kind == "signature" and fits_agency(each, agency, people)
    ]
    state = _standing(own, document)
    if state == _VERIFIED:
        return OpinionFinding(
            "seal", True, f"{zh}：电子印章已验证", f"{en}: its electronic seal is verified"
        )
    return OpinionFinding.to_confirm(
        "seal", f"机构盖章须由人核对：{state[0]}", f"a person must confirm the seal ({state[1]})"
    )


_VERIFIED = ("电子签名已验证", "verified")


def _standing(found: Sequence[SignatureSeen], document: DocumentSeen) -> tuple[str, str]:
    """Return how the best of somebody's signatures stands."""
    if not found:
        return "未见其电子签名", "no electronic signature in this name"
    if document.strict and any(each.counts for each in found):
        return _VERIFIED
    if intact := [each for each in found if each.holds]:
        zh, en = TRUST_WORDS[intact[0].trust]
        return f"电子签名完好，但{zh}", f"intact, but {en}"
    return "有电子签名，但未通过验证", "there is one, but it does not hold"


def _local(moment: str, at: str) -> str:
    """Return a moment to the second in the zone of another, as people compare them."""
    zone = datetime.fromisoformat(at).tzinfo
    local = datetime.fromisoformat(moment).astimezone(zone)
    return local.isoformat(sep=" ", timespec="seconds")


def _one(number: int, seen: SignatureSeen, at: str) -> OpinionFinding:
    """Check that what was signed is unchanged; who signed is said, and judged elsewhere."""
    code = f"signature_{number}"
    who = visible((", ".join(seen.common_names or seen.organizations) or "—")[:80])
    when = _local(seen.moment, at) if seen.moment else "—"
    what = ("时间戳", "timestamp") if seen.kind == "timestamp" else ("电子签名", "signature")
    head = f"第{number}个{what[0]}（{who}，{when}）"
    head_en = f"{what[1]} {number} ({who}, {when})"
    if seen.state == "unsupported":
        return OpinionFinding.to_confirm(
            code,
            f"{head}采用国密算法（SM2），本系统不能验证，须另行核验",
            f"{head_en} uses SM2, which cannot be verified here; have it verified elsewhere",
        )
    if seen.state == "unreadable":
        return OpinionFinding.to_confirm(
            code,
            f"{head}无法读取，须由人核对（{seen.detail[:100]}）",
            f"{head_en} cannot be read ({seen.detail[:100]})",
        )
    if seen.state == "broken":
        return _stated(
            code, False, f"{head}与文件不符，签名后字节被改动", f"{head_en} covers the bytes here"
        )
    zh, en = _told_of(seen)
    zh, en = f"{head}所签内容完好；{zh}", f"{head_en} is intact; {en}"
    if seen.changes == "other":
        return OpinionFinding(code, False, zh, en)
    if seen.weak:
        weak = f"{seen.digest} {seen.algorithm} {seen.bits}"
        return OpinionFinding.to_confirm(
            code, f"{zh}；算法过弱（{weak}）", f"{en}; the algorithm is weak ({weak})"
        )
    if seen.covers:
        return OpinionFinding.to_confirm(
            code,
            f"{zh}；其外观可能遮盖文字，须由人核对",
            f"{en}; what it draws may cover words, a person must look",
        )
    if seen.changes not in _HARMLESS:
        return OpinionFinding.to_confirm(code, zh, en)
    return OpinionFinding(code, True, zh, en)


def _told_of(seen: SignatureSeen) -> tuple[str, str]:
    """Return what came after a signature that is intact, who vouches, and what is revoked."""
    zh, en = CHANGE_WORDS[seen.changes]
    trust_zh, trust_en = TRUST_WORDS[seen.trust]
    if seen.trust not in ("vouched", "no_anchor") and seen.issuer:
        issued = f"{visible(seen.issuer[:80])} {seen.serial[:40]}"
        trust_zh, trust_en = f"{trust_zh}（签发者 {issued}）", f"{trust_en} (issued by {issued})"
    asked = ("未查询证书是否吊销", "revocation was not checked")
    if seen.unrevoked:
        asked = (
            "文件内附的吊销信息表明证书未被吊销",
            "by what the document holds nothing was revoked",
        )
    elif seen.trust == "revoked":
        return f"{zh}；{trust_zh}", f"{en}; {trust_en}"
    return f"{zh}；{trust_zh}；{asked[0]}", f"{en}; {trust_en}; {asked[1]}"


def _times(seen: Sequence[SignatureSeen], arrived: str, effective: str) -> OpinionFinding:
    latest = datetime.fromisoformat(arrived) + _CLOCKS
    wrong = []
    for each in seen:
        moment = datetime.fromisoformat(each.moment)
        day = moment.astimezone(latest.tzinfo).date()
        if moment > latest or (effective and day < date.fromisoformat(effective)):
            who = visible((", ".join(each.common_names) or each.field)[:80])
            wrong.append(f"{who} {_local(each.moment, arrived)}")
    listed = "、".join(wrong[:MOST_TOLD])
    return _stated(
        "signing_time",
        not wrong,
        f"签名时间在受理（{effective}）与收到（{arrived[:19]}）之间"
        + (f"（{listed}）" if wrong else ""),
        f"signed between acceptance ({effective}) and arrival ({arrived[:19]})"
        + (f" ({listed})" if wrong else ""),
    )


def _stated(code: str, ok: bool, zh: str, en: str) -> OpinionFinding:
    words = f"{zh}：{'符合' if ok else '不符合'}", en if ok else f"not: {en}"
    return OpinionFinding(code, ok, *words)
