"""What must hold before a commission is issued: its material, its agency, other commissions.

Every problem is named at once, Chinese first. Some can be overridden with a reason (a declared
conflict, an agency in no register: IP-EV art. 21); an inactive agency or one out of scope cannot,
because its opinion would be void as a basis (CPLI art. 98). Pure. (RULES: AP-01 to AP-06, AP-10.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from appraisal.agency import Agency, AgencyStatus
from appraisal.brief import Brief, CommissionType
from appraisal.commission import Commission
from appraisal.compared import squeezed
from appraisal.material import Material, Side, incomplete
from appraisal.matters import MATTER_NAMES, MatterType, same_matter
from storage.errors import ConflictError, InputError


@dataclass(frozen=True)
class Problem:
    """One requirement that does not hold; ``waivable`` if a reason may override it."""

    code: str
    zh: str
    en: str
    waivable: bool = False

    def __str__(self) -> str:
        """Return code and both languages in one line."""
        return f"[{self.code}] {self.zh} {self.en}"


def material_problems(brief: Brief, materials: Sequence[Material]) -> list[Problem]:
    """Judge the material list against the matters (AP-02, AP-04)."""
    found = []
    if not materials:
        found.append(Problem("AP-02", "没有鉴定材料", "there is no material"))
    for each in materials:
        if lacking := incomplete(each):
            columns = ", ".join(lacking)
            found.append(Problem("AP-02", f"{each.number}缺少：{columns}", f"lacks {columns}"))
    numbers = [each.number for each in materials]
    for twin in sorted({each for each in numbers if numbers.count(each) > 1}):
        found.append(Problem("AP-02", f"{twin}列了两次", "is listed twice"))
    if any(matter.type is MatterType.IDENTITY for matter in brief.matters):
        sides = {each.side for each in materials}
        for side, zh in ((Side.RIGHTS_HOLDER, "权利人"), (Side.ACCUSED, "被控方")):
            if side not in sides:
                text = f"identity compares both sides: material of the {side.value} is missing"
                found.append(Problem("AP-04", f"同一性鉴定缺少{zh}的材料", text))
    return found


def agency_problems(brief: Brief, agency: Agency, on: date, rules: Sequence[str]) -> list[Problem]:
    """Judge the agency on the day of the commission (AP-06).

    Args:
        brief: what is commissioned.
        agency: to whom.
        on: the day of the commission.
        rules: register types that count, by their values.
    """
    found = []
    if agency.agency_id != brief.agency_id:
        found.append(Problem("AP-06", "委托书所列机构不符", "the brief names another agency"))
    if agency.status is not AgencyStatus.ACTIVE:
        found.append(
            Problem("AP-06", "机构已暂停或注销", f"{agency.name} is {agency.status.value}")
        )
    for matter in brief.matters:
        if matter.type not in agency.scope:
            zh = f"业务范围不含{MATTER_NAMES[matter.type]}"
            found.append(Problem("AP-06", zh, f"{matter.type.value} is out of its scope"))
    if not any(each.type.value in rules for each in agency.registers_on(on)):
        text = f"it stands in no register that counts on {on.isoformat()}"
        found.append(Problem("AP-06", "委托日不在任何适用的名册内", text, waivable=True))
    found += _re_appraisers(brief, agency)
    found += [
        Problem("AP-06", f"存在利益冲突：{each}", "is among its declared conflicts", waivable=True)
        for each in _conflicts_of_interest(brief, agency)
    ]
    return found


def _re_appraisers(brief: Brief, agency: Agency) -> list[Problem]:
    """A re-appraisal has a senior expert at least (JAG art. 32); an agency may list none."""
    if brief.type is not CommissionType.RE_APPRAISAL or any(e.senior for e in agency.appraisers):
        return []
    text = "a re-appraisal needs a senior appraiser, and the agency lists none (JAG 32)"
    return [Problem("AP-10", "重新鉴定应有高级职称鉴定人，机构资料未列", text, waivable=True)]


def repeated_by(brief: Brief, find: Callable[[str], Commission | None]) -> list[Commission]:
    """Return the commissions that a brief supplements or repeats, from its parent to the first.

    Args:
        brief: what is commissioned.
        find: gives a commission by its number.
    """
    found: list[Commission] = []
    number, seen = brief.parent_no, {brief.commission_no}
    while number and number not in seen and (before := find(number)) is not None:
        seen.add(number)
        found.append(before)
        number = before.brief.parent_no
    return found


def parent_problems(
    brief: Brief, parent: Commission | None, others: Iterable[Commission] = ()
) -> list[Problem]:
    """Judge a supplementary or repeated appraisal against those before it (AP-10).

    Args:
        brief: what is commissioned.
        parent: the commission that it names.
        others: those of the case; what the parent repeated in its turn is among them.
    """
    if brief.type is CommissionType.FIRST:
        return []
    if parent is None or parent.commission_no != brief.parent_no:
        return [Problem("AP-10", "没有找到原委托", f"there is no commission {brief.parent_no}")]
    if parent.case_no != brief.case_no:
        return [Problem("AP-10", "原委托属于另一案件", "the first commission is of another case")]
    if parent.opinion is None:
        text = "the first commission has no opinion to be supplemented or repeated"
        return [Problem("AP-10", "原委托尚无鉴定意见，不能补充或重新鉴定", text)]
    if brief.type is CommissionType.SUPPLEMENTARY:
        return _supplemented(brief, parent)
    known = {each.commission_no: each for each in (*others, parent)}
    return _repeated(brief, repeated_by(brief, known.get))


def _supplemented(brief: Brief, parent: Commission) -> list[Problem]:
    """A supplement is a part of the first commission, done by who did that (JAG art. 30)."""
    if parent.agency_id == brief.agency_id:
        return []
    text = f"a supplementary appraisal is made by the first agency, {parent.agency_id} (JAG 30)"
    zh = f"补充鉴定应由原鉴定机构{parent.agency_id}的原鉴定人进行"
    return [Problem("AP-10", zh, text, waivable=True)]


def _repeated(brief: Brief, before: Sequence[Commission]) -> list[Problem]:
    """A re-appraisal goes to who never appraised the matter, or with a reason to others there."""
    if all(each.agency_id != brief.agency_id for each in before):
        return []
    others = brief.other_appraisers
    if not brief.override_reason or not others:
        text = "re-appraisal goes to another agency, unless excepted with a reason and with others"
        return [Problem("AP-10", "重新鉴定应委托其他机构；例外须写明理由并另行指派鉴定人", text)]
    signed = {squeezed(name) for each in before for back in each.returned for name in back.signers}
    if again := sorted(each for each in set(others) if squeezed(each) in signed):
        names = "、".join(again)
        text = f"appraised it before: {', '.join(again)}"
        return [Problem("AP-10", f"{names}曾参与原鉴定", text)]
    return []


def conflicting(open_commissions: Iterable[Commission], new: Brief) -> list[Commission]:
    """Return the open commissions that give the same matter to another agency (AP-05).

    A re-appraisal conflicts with nothing but other re-appraisals.
    """
    re_appraisal = new.type is CommissionType.RE_APPRAISAL
    return [
        each
        for each in open_commissions
        if each.is_open
        and each.brief.case_id == new.case_id
        and each.agency_id != new.agency_id
        and each.commission_no != new.commission_no
        and (each.brief.type is CommissionType.RE_APPRAISAL) == re_appraisal
        and any(same_matter(a, b) for a in each.brief.matters for b in new.matters)
    ]


def require_issuable(
    brief: Brief,
    materials: Sequence[Material],
    agency: Agency,
    on: date,
    open_commissions: Iterable[Commission] = (),
    parent: Commission | None = None,
    registers: Sequence[str] = ("justice_administration", "court", "cnipa"),
) -> list[Problem]:
    """Refuse a commission that may not be issued; return what its reason overrode.

    Raises:
        InputError: every requirement that does not hold is listed.
        ConflictError: the same matter is already with another agency.
    """
    found = material_problems(brief, materials) + _dates_to_come(brief, on)
    found += agency_problems(brief, agency, on, registers)
    others = tuple(open_commissions)
    found += parent_problems(brief, parent, others)
    waived = [each for each in found if each.waivable and brief.override_reason]
    blocking = [each for each in found if each not in waived]
    if blocking:
        listed = "; ".join(map(str, blocking))
        raise InputError(
            f"委托书{brief.commission_no}不能发出 the commission cannot be issued: {listed}",
            remedy=_remedy(blocking),
            problems=[str(each) for each in blocking],
        )
    require_unique(brief, others)
    return waived


def require_unique(brief: Brief, open_commissions: Iterable[Commission]) -> None:
    """Refuse a commission whose matter another agency has (AP-05).

    Raises:
        ConflictError: the commissions in its way are named.
    """
    if twins := conflicting(open_commissions, brief):
        numbers = ", ".join(each.commission_no for each in twins)
        raise ConflictError(
            f"同一事项已委托其他机构：{numbers} the same matter is with another agency (JAG 15)",
            remedy="请先撤回另一委托，或委托重新鉴定 "
            "withdraw the other commission first, or commission a re-appraisal",
            commissions=[each.commission_no for each in twins],
        )


def _dates_to_come(brief: Brief, on: date) -> list[Problem]:
    """What was known on a day can be searched once that day is over, not before (TS-JI art. 3)."""
    return [
        Problem("AP-04", f"检索基准日{day}晚于{on}", f"the reference date {day} is after {on}")
        for day in (each.reference_date for each in brief.matters)
        if day > on.isoformat()
    ]


def _remedy(problems: Sequence[Problem]) -> str:
    if all(each.waivable for each in problems):
        return "choose another agency, or give override_reason (例外理由)"
    return "correct what is listed, or choose another agency"


def _conflicts_of_interest(brief: Brief, agency: Agency) -> list[str]:
    involved = {_plain(each) for each in (brief.case_no, brief.client, *brief.parties)}
    return [each for each in agency.conflicts if _plain(each) in involved - {""}]


def _plain(text: str) -> str:
    return re.sub(r"[\s()（）]+", "", text).casefold()
