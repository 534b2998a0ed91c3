"""What is checked when an opinion arrives, each check named, none hidden by another.

A court refuses an opinion whose material is not provably the material sent, or that lacks a
signature, a seal or a qualification (CPLI art. 98); so those are what is looked at here. The
checks read the particulars, and the document where it was looked at: its electronic signatures
and its text. What neither proves (ink, a red seal) waits for a person, who confirms what they
see. Names and licences are compared without blanks and case. Pure. (RULES: AP-08, AP-10, AP-11;
JAG arts. 19, 32, 36-38; IP-EV art. 20; decision 0029.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from appraisal.agency import Agency, AgencyStatus, Appraiser
from appraisal.brief import Brief, CommissionType
from appraisal.commission import Commission
from appraisal.compared import squeezed
from appraisal.opinion import Opinion, OpinionFinding
from appraisal.printed import printed
from appraisal.requirements import repeated_by
from appraisal.signatures import DocumentSeen, sealed, signature_findings, signers
from storage.digest import parse_supplied
from storage.errors import InputError

MIN_APPRAISERS = 2
_SHOWN = 20


def check_opinion(
    opinion: Opinion,
    commission: Commission,
    agency: Agency,
    received: date,
    appraisers: int = MIN_APPRAISERS,
    document: DocumentSeen | None = None,
    earlier: Iterable[str] = (),
) -> list[OpinionFinding]:
    """Check an opinion against its commission; every check gives one finding.

    Args:
        opinion: its particulars, as filled in.
        commission: the commission it claims to answer.
        agency: the agency commissioned.
        received: the day on which it came back.
        appraisers: how many must have signed.
        document: what was seen of the PDF; None if nobody looked, then the particulars count.
        earlier: who signed the opinions that a re-appraisal repeats (``earlier_signers``).
    """
    seen = signature_findings(document, commission.effective_date) if document else []
    return [
        _finding(
            "number", bool(opinion.opinion_no), "意见书编号", "the opinion has its own number"
        ),
        _named("commission", opinion.commission_no, commission.commission_no, "委托书编号"),
        _named("agency", opinion.agency_id, commission.agency_id, "鉴定机构"),
        _package(opinion, commission),
        _materials(opinion, commission),
        *(printed(document, commission) if document else ()),
        *sealed(opinion, agency, document, appraisers),
        *seen,
        _qualified(agency, _dated(opinion, received)),
        *_people(opinion, agency, _dated(opinion, received)),
        *_barred(opinion, commission, document, earlier),
        *_re_appraised(opinion, commission, agency),
        *_passed_on(opinion),
        _finding(
            "qualification",
            opinion.qualification_annex,
            "机构和鉴定人资质附件",
            "the qualifications of agency and appraisers are annexed",
        ),
        *_dates(opinion, commission, received),
        *_parts(opinion),
        _finding(
            "copies",
            opinion.copies >= commission.brief.copies,
            f"份数{opinion.copies}（应不少于{commission.brief.copies}）",
            f"{opinion.copies} copies came, {commission.brief.copies} were commissioned",
        ),
    ]


def earlier_signers(brief: Brief, find: Callable[[str], Commission | None]) -> frozenset[str]:
    """Return who signed any opinion that a re-appraisal repeats, back to the first (JAG art. 20).

    Args:
        brief: of the commission; of one that repeats nothing there are none.
        find: gives a commission by its number.
    """
    if brief.type is not CommissionType.RE_APPRAISAL:
        return frozenset()
    before = repeated_by(brief, find)
    return frozenset(name for each in before for back in each.returned for name in back.signers)


def _finding(code: str, ok: bool, zh: str, en: str) -> OpinionFinding:
    return OpinionFinding(
        code, ok, f"{zh}：{'符合' if ok else '不符合'}", en if ok else f"not: {en}"
    )


def _some(names: Sequence[str]) -> str:
    """Return the first of some names: a finding has to fit into an event with all others."""
    more = f" … （共{len(names)} in all）" if len(names) > _SHOWN else ""
    return "、".join(each[:80] for each in names[:_SHOWN]) + more


def _named(code: str, stated: str, wanted: str, zh: str) -> OpinionFinding:
    ok = stated == wanted
    shown = stated or "—"
    return OpinionFinding(
        code,
        ok,
        f"{zh}：{'一致' if ok else f'意见书为“{shown}”，应为“{wanted}”'}",
        f"the {code} is the one commissioned" if ok else f"it says {shown!r}, not {wanted!r}",
    )


def _package(opinion: Opinion, commission: Commission) -> OpinionFinding:
    stated = opinion.package_digest_stated
    if not stated:
        return OpinionFinding(
            "package_digest",
            False,
            "未载明鉴定材料包校验值",
            "it does not state the digest of the package that was appraised",
        )
    try:
        supplied = parse_supplied(stated)
    except InputError as error:
        text = f"the digest stated is malformed: {error}"
        return OpinionFinding("package_digest", False, "所载校验值格式不正确", text)
    sent = commission.package.digests if commission.package else {}
    ok = sent.get(supplied.algorithm) == supplied.value
    return OpinionFinding(
        "package_digest",
        ok,
        "所载校验值与发出的材料包" + ("一致" if ok else "不一致：鉴定对象可能不是送检材料"),
        "the package appraised is the package sent"
        if ok
        else f"it states {stated}, but {commission.package_digest} was sent",
    )


def _materials(opinion: Opinion, commission: Commission) -> OpinionFinding:
    sent = [each.exhibit_id for each in commission.materials]
    sent += [name for each in commission.supplements for name in each.exhibits]
    # The number is enough; a full identifier has to be of this case.
    label = {name: name.rpartition("/")[2] for name in sent}
    listed = {label.get(each, each) for each in opinion.materials_listed}
    missing = sorted(set(label.values()) - listed)
    foreign = sorted(listed - set(label.values()))
    ok = not missing and not foreign
    zh = "".join(
        (
            f"，未列：{_some(missing)}" if missing else "",
            f"，并非送检：{_some(foreign)}" if foreign else "",
        )
    )
    en = f"not listed: {_some(missing) or 'none'}; not sent: {_some(foreign) or 'none'}"
    return OpinionFinding(
        "materials",
        ok,
        f"所列鉴定材料与送检材料{'一致' if ok else '不一致'}{zh}",
        "the material listed is the material sent" if ok else en,
    )


def _on_record(agency: Agency) -> dict[tuple[str, str], list[Appraiser]]:
    """Return the agency's people by name and licence; a renewed licence is a second entry."""
    known: dict[tuple[str, str], list[Appraiser]] = {}
    for each in agency.appraisers:
        known.setdefault((squeezed(each.name), squeezed(each.licence_no)), []).append(each)
    return known


def _entries(agency: Agency, opinion: Opinion) -> list[tuple[str, list[Appraiser]]]:
    """Return each appraiser of an opinion with their entries at the agency, maybe none."""
    known = _on_record(agency)
    return [
        (each.name or "—", known.get((squeezed(each.name), squeezed(each.licence_no)), []))
        for each in opinion.appraisers
    ]


def _dated(opinion: Opinion, received: date) -> date:
    return date.fromisoformat(opinion.issued_at) if opinion.issued_at else received


def _qualified(agency: Agency, day: date) -> OpinionFinding:
    """Check that the agency still was one when it gave its opinion (CPLI art. 98(1)).

    Suspending an agency keeps new commissions away and says nothing of those that run.
    """
    code = "agency_standing"
    if agency.status is not AgencyStatus.CLOSED and agency.registers_on(day):
        return OpinionFinding(
            code, True, f"机构在{day}在名册内", f"the agency stands in a register on {day}"
        )
    return OpinionFinding.to_confirm(
        code,
        f"机构在{day}不在任何名册内或者已注销，其资质须由人核对",
        f"the agency stands in no register on {day}, or has closed; a person must look at its "
        "qualification",
    )


def _people(opinion: Opinion, agency: Agency, day: date) -> list[OpinionFinding]:
    unlicensed = [each.name or "—" for each in opinion.appraisers if not each.licence_no]
    named = _entries(agency, opinion)
    lapsed = [name for name, found in named if found and not any(e.valid_on(day) for e in found)]
    return [
        _finding(
            "licences",
            bool(opinion.appraisers) and not unlicensed,
            "鉴定人执业证号" + (f"（缺：{_some(unlicensed)}）" if unlicensed else ""),
            "every appraiser's licence is given"
            + (f" (not {_some(unlicensed)})" if unlicensed else ""),
        ),
        _registered(agency, [name for name, found in named if not found]),
        _finding(
            "licence_validity",
            not lapsed,
            f"鉴定人执业证在{day}有效" + (f"（无效：{_some(lapsed)}）" if lapsed else ""),
            f"the licences hold on {day}" + (f" (not {_some(lapsed)})" if lapsed else ""),
        ),
    ]


def _registered(agency: Agency, strangers: Sequence[str]) -> OpinionFinding:
    if not agency.appraisers:
        return OpinionFinding.to_confirm(
            "registered_appraisers",
            "名录未载该机构的鉴定人，须由人核对其执业证",
            "the directory lists none of the agency's people; a person must look at the licences",
        )
    return _finding(
        "registered_appraisers",
        not strangers,
        "鉴定人属于该机构" + (f"（未登记：{_some(strangers)}）" if strangers else ""),
        "the appraisers are the agency's"
        + (f" (unknown: {_some(strangers)})" if strangers else ""),
    )


def _re_appraised(
    opinion: Opinion, commission: Commission, agency: Agency
) -> Iterable[OpinionFinding]:
    """Check that a senior expert is among those who appraised again (JAG art. 32)."""
    if commission.brief.type is not CommissionType.RE_APPRAISAL:
        return
    senior = [name for name, found in _entries(agency, opinion) if any(e.senior for e in found)]
    yield (
        OpinionFinding(
            "senior_appraiser",
            True,
            f"重新鉴定有高级职称鉴定人：{_some(senior)}",
            f"a senior expert appraised again: {_some(senior)}",
        )
        if senior
        else OpinionFinding.to_confirm(
            "senior_appraiser",
            "名录未载署名鉴定人有高级职称，重新鉴定须至少一名，须由人核对",
            "none of the signers is senior by the directory, and a re-appraisal needs one; "
            "a person must look",
        )
    )


def _passed_on(opinion: Opinion) -> Iterable[OpinionFinding]:
    """What another laboratory tested needs the client's consent (IP-EV art. 20)."""
    if opinion.subcontract:
        yield OpinionFinding.to_confirm(
            "subcontract",
            f"部分检验转委托（{opinion.subcontract[:100]}），委托人是否同意须由人核对",
            f"tests were passed on ({opinion.subcontract[:100]}); a person must look whether "
            "the client consented",
        )


def _barred(
    opinion: Opinion,
    commission: Commission,
    document: DocumentSeen | None,
    earlier: Iterable[str],
) -> list[OpinionFinding]:
    """Check that nobody signed who must not: recused, or who gave the opinion that is repeated."""
    recused = _among(opinion, document, commission.recused)
    found = [
        _finding(
            "recusal",
            not recused,
            "无应回避的鉴定人" + (f"（{_some(recused)}）" if recused else ""),
            "nobody signed who was to be recused" + (f" ({_some(recused)})" if recused else ""),
        )
    ]
    if commission.brief.type is CommissionType.RE_APPRAISAL:
        same = _among(opinion, document, frozenset(earlier))
        found.append(
            _finding(
                "other_appraisers",
                not same,
                "重新鉴定由其他鉴定人进行" + (f"（原鉴定人：{_some(same)}）" if same else ""),
                "others than before appraised again"
                + (f" ({_some(same)} did before)" if same else ""),
            )
        )
    return found


def _among(opinion: Opinion, document: DocumentSeen | None, barred: frozenset[str]) -> list[str]:
    """Return who of these people signed, by the particulars or by a certificate."""
    named = {squeezed(each.name) for each in opinion.appraisers}
    return sorted({e for e in barred if squeezed(e) in named} | signers(document, barred))


def _dates(opinion: Opinion, commission: Commission, received: date) -> list[OpinionFinding]:
    issued, effective = opinion.issued_at, commission.effective_date
    in_order = bool(issued) and effective <= issued <= received.isoformat()
    shown = issued or "—"
    return [
        _finding(
            "dates",
            in_order,
            f"出具日期{shown}（在{effective}受理与{received}收到之间）",
            f"it is dated {shown}, between taking effect ({effective}) and arrival ({received})",
        )
    ]


def _parts(opinion: Opinion) -> list[OpinionFinding]:
    return [
        _finding("basis", bool(opinion.basis), "鉴定依据", "its basis is given"),
        _finding("standards", bool(opinion.standards), "技术标准", "its standards are given"),
        _finding("methods", bool(opinion.methods), "鉴定方法", "its methods are given"),
        _finding("process", bool(opinion.process), "鉴定过程", "its process is given"),
        _finding(
            "opinion_text",
            bool(opinion.opinion_text) and opinion.clear,
            "鉴定意见明确",
            "it gives a clear opinion",
        ),
        _finding("undertaking", opinion.undertaking, "鉴定人承诺", "the appraisers' undertaking"),
    ]
