"""Which agencies fit a commission, in order, and why each of the others was left out.

An agency is left out by everything that would keep the commission from being issued to it (the
rules of ``requirements``, asked once more here) and by what would keep it from doing the work:
no room, too few people who may sign, nobody of the technical field. The others are ranked by
points out of a hundred; ``WEIGHTS`` gives the most that each reason can bring. A suggestion
decides nothing: the officer chooses. Pure.
(RULES: AP-05, AP-06, AP-10, AP-11; JAG arts. 19, 20, 32.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from appraisal.agency import Agency
from appraisal.agency_parts import Appraiser, split_fields
from appraisal.brief import Brief, CommissionType
from appraisal.checks import earlier_signers
from appraisal.commission import Commission
from appraisal.compared import squeezed
from appraisal.figures import Figures
from appraisal.matters import MATTER_NAMES
from appraisal.requirements import Problem, agency_problems, conflicting, parent_problems
from appraisal.rules import RuleSet

WEIGHTS = {"on_time": 40, "load": 25, "speed": 20, "accreditation": 10, "secrecy": 5}
"""The most points that each part can bring; together a hundred."""

PART_NAMES: dict[str, tuple[str, str]] = {
    "on_time": ("按期率", "on time"),
    "load": ("在办量", "load"),
    "speed": ("用时", "speed"),
    "accreditation": ("认可认证", "accreditation"),
    "secrecy": ("保密协议", "secrecy agreement"),
}
SLOWEST = 60
"""Working days at which speed brings nothing: the limit with its longest extension."""
UNSTATED_CAPACITY = 5
"""Open commissions at which an agency that states no capacity has half the points of load."""


@dataclass(frozen=True)
class Part:
    """The points of one part, out of ``WEIGHTS``, and what they come from."""

    name: str
    points: Fraction
    zh: str
    en: str

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        points = {"points": float(self.points), "of": WEIGHTS[self.name]}
        return {"name": self.name, **points, "zh": self.zh, "en": self.en}


@dataclass(frozen=True)
class Fitting:
    """An agency that fits, with its points and what to look at before choosing it."""

    agency: Agency
    parts: tuple[Part, ...]
    cautions: tuple[Problem, ...]

    @property
    def points(self) -> Fraction:
        """Return the sum of the parts."""
        return sum((each.points for each in self.parts), Fraction(0))

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "agency_id": self.agency.agency_id,
            "name": self.agency.name,
            "points": float(self.points),
            "parts": [each.as_json() for each in self.parts],
            "cautions": [_told(each) for each in self.cautions],
        }


@dataclass(frozen=True)
class LeftOut:
    """An agency that was left out, with every reason."""

    agency: Agency
    reasons: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        reasons = [{**_told(each), "waivable": each.waivable} for each in self.reasons]
        ident = {"agency_id": self.agency.agency_id, "name": self.agency.name}
        return {**ident, "reasons": reasons}


@dataclass(frozen=True)
class Suggestion:
    """The fitting agencies, the best first, and the others by identifier."""

    fitting: tuple[Fitting, ...]
    left_out: tuple[LeftOut, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "fitting": [each.as_json() for each in self.fitting],
            "left_out": [each.as_json() for each in self.left_out],
        }


@dataclass(frozen=True)
class Setting:
    """What is known beside the brief and the agencies.

    Args:
        on: the day of the commission.
        rules: gives the rule set of an agency on that day.
        fields: technical fields that the work needs; empty: any.
        others: the commissions of the case, for the same matter at another agency.
        parent: the first commission of a supplementary or repeated appraisal.
        load: open commissions by agency.
        figures: turnaround of the same matters by agency, up to that day.
    """

    on: date
    rules: Callable[[Agency], RuleSet]
    fields: tuple[str, ...] = ()
    others: tuple[Commission, ...] = ()
    parent: Commission | None = None
    load: Mapping[str, int] | None = None
    figures: Mapping[str, Figures] | None = None

    def open_at(self, agency: Agency) -> int:
        """Return how many commissions an agency has open."""
        return (self.load or {}).get(agency.agency_id, 0)


def suggest(brief: Brief, agencies: Iterable[Agency], setting: Setting) -> Suggestion:
    """Return the fitting agencies in order and the others with every reason.

    The brief's own agency has no advantage; of equal points the lower identifier comes first.
    """
    agencies = list(agencies)
    first = setting.parent.agency_id if setting.parent else ""
    before = next((each for each in agencies if each.agency_id == first), None)
    fitting, left = [], []
    for agency in sorted(agencies, key=lambda each: each.agency_id):
        if reasons := against(brief, agency, setting):
            left.append(LeftOut(agency, tuple(reasons)))
        else:
            cautions = tuple(_cautions(brief, agency, before, setting))
            fitting.append(Fitting(agency, _parts(agency, setting), cautions))
    fitting.sort(key=lambda each: (-each.points, each.agency.agency_id))
    return Suggestion(tuple(fitting), tuple(left))


def against(brief: Brief, agency: Agency, setting: Setting) -> list[Problem]:
    """Return every reason against an agency; ``waivable`` ones a stated reason may override."""
    there = replace(brief, agency_id=agency.agency_id)
    rules = setting.rules(agency)
    found = agency_problems(there, agency, setting.on, rules.registers)
    found += parent_problems(there, setting.parent, setting.others)
    for each in conflicting(setting.others, there):
        zh = f"同一事项已委托{each.agency_id}（{each.commission_no}）"
        found.append(Problem("AP-05", zh, f"the matter is with {each.agency_id} (JAG art. 15)"))
    found += _out_of_field(brief, agency, setting.fields)
    found += _without_people(brief, agency, rules, setting)
    load = setting.open_at(agency)
    if agency.capacity and load >= agency.capacity:
        zh = f"在办{load}件，已达承办上限{agency.capacity}件"
        found.append(Problem("AP-06", zh, f"{load} open, it takes {agency.capacity} at a time"))
    return found


def field_fits(wanted: str, offered: str) -> bool:
    """Whether a technical field is covered: equal, or one name holds the other."""
    a, b = ("".join(each.split()).casefold() for each in (wanted, offered))
    return bool(a and b) and (a in b or b in a)


def able(brief: Brief, agency: Agency, setting: Setting) -> list[Appraiser]:
    """Return the people who may sign: licence in force, not recused, of no opinion repeated.

    Each licence once, however many entries it has (for each field, or renewed).
    """
    known = {each.commission_no: each for each in setting.others}
    if setting.parent:
        known[setting.parent.commission_no] = setting.parent
    barred = {squeezed(e) for e in (*brief.recusal, *earlier_signers(brief, known.get))}
    found: dict[tuple[str, str], Appraiser] = {}
    for each in agency.appraisers_on(setting.on):
        key = (squeezed(each.name), squeezed(each.licence_no))
        if key[0] not in barred:
            found[key] = _joined(found[key], each) if key in found else each
    return list(found.values())


def _joined(one: Appraiser, other: Appraiser) -> Appraiser:
    """Return one person of two entries: senior if either is, of the fields of both."""
    fields = "、".join(dict.fromkeys(filter(None, (one.field, other.field))))
    return replace(one, senior=one.senior or other.senior, field=fields)


def _out_of_field(brief: Brief, agency: Agency, wanted: Sequence[str]) -> list[Problem]:
    found = []
    for kind in dict.fromkeys(each.type for each in brief.matters):
        offered = agency.scope_fields.get(kind.value, ())
        for each in wanted:
            if offered and not any(field_fits(each, other) for other in offered):
                zh = f"{MATTER_NAMES[kind]}的专业领域不含{each}"
                found.append(Problem("AP-06", zh, f"{each} is not among its fields of {kind}"))
    return found


def _without_people(
    brief: Brief, agency: Agency, rules: RuleSet, setting: Setting
) -> list[Problem]:
    people, found = able(brief, agency, setting), []
    if len(people) < rules.appraisers:
        zh = f"委托日可签名的鉴定人{len(people)}名，少于{rules.appraisers}名"
        en = f"{len(people)} may sign on the day, {rules.appraisers} are needed (JAG art. 19)"
        found.append(Problem("AP-11", zh, en))
    silent = any(not each.field for each in people)
    for each in setting.fields:
        if people and not silent and not any(_has_field(one, each) for one in people):
            zh = f"没有专业为{each}的鉴定人"
            found.append(Problem("AP-06", zh, f"nobody who may sign is of the field {each}"))
    # That an agency lists no senior expert at all is among the rules of issue.
    repeats = brief.type is CommissionType.RE_APPRAISAL
    listed = any(one.senior for one in agency.appraisers)
    if repeats and listed and not any(one.senior for one in people):
        zh = "高级职称的鉴定人委托日均不能签名，不能重新鉴定"
        en = "none of its senior experts may sign on the day (JAG art. 32)"
        found.append(Problem("AP-10", zh, en, waivable=True))
    return found


def _has_field(person: Appraiser, wanted: str) -> bool:
    return any(field_fits(wanted, each) for each in split_fields(person.field))


def _cautions(
    brief: Brief, agency: Agency, before: Agency | None, setting: Setting
) -> Iterable[Problem]:
    day = setting.on
    if not agency.bound_on(day):
        yield Problem("AP-06", "委托日没有有效的保密协议", "no secrecy agreement is in force")
    if setting.fields and any(not each.field for each in able(brief, agency, setting)):
        yield Problem("AP-06", "有鉴定人未注明专业", "some of its people state no field")
    named = brief.named_appraiser
    may = {squeezed(each.name) for each in able(brief, agency, setting)}
    if named and squeezed(named) not in may:
        yield Problem("AP-11", f"指定鉴定人{named}不能签名", f"{named} may not sign there")
    if before and brief.type is CommissionType.RE_APPRAISAL:
        lacking = set(before.accredited_on(day)) - set(agency.accredited_on(day))
        if lacking:
            names = "、".join(sorted(lacking))
            zh = f"原机构有{names}，资质可能低于原机构"
            yield Problem("AP-10", zh, f"the first agency has {names} (JAG art. 32)")


def _parts(agency: Agency, setting: Setting) -> tuple[Part, ...]:
    known = (setting.figures or {}).get(agency.agency_id)
    held = agency.accredited_on(setting.on)
    bound = agency.bound_on(setting.on)
    return (
        _on_time(known),
        _load(agency.capacity, setting.open_at(agency)),
        _speed(known),
        _part("accreditation", Fraction(len(held), 2), "、".join(held) or "无", ", ".join(held)),
        _part("secrecy", Fraction(bound), "有效" if bound else "无", "in force" if bound else ""),
    )


def _on_time(known: Figures | None) -> Part:
    """Count one good and one bad commission more than there were, so that few say little."""
    good, due = (known.on_time, known.due) if known else (0, 0)
    zh = f"按期{good}件，应交{due}件" if due else "没有记录，按一半计"
    en = f"{good} on time of {due} due" if due else "no record, counted as half"
    return _part("on_time", Fraction(good + 1, due + 2), zh, en)


def _load(capacity: int, load: int) -> Part:
    share = (
        Fraction(capacity - load, capacity)
        if capacity
        else Fraction(UNSTATED_CAPACITY, UNSTATED_CAPACITY + load)
    )
    most = capacity or "未申报"
    return _part("load", share, f"在办{load}件，上限{most}", f"{load} open of {capacity or 'any'}")


def _speed(known: Figures | None) -> Part:
    if known is None or known.median_days is None:
        return _part("speed", Fraction(1, 2), "没有记录，按一半计", "no record, counted as half")
    share = max(Fraction(0), 1 - Fraction(known.median_days) / SLOWEST)
    days = f"{known.median_days:g}"
    return _part("speed", share, f"中位用时{days}个工作日", f"median {days} working days")


def _part(name: str, share: Fraction, zh: str, en: str) -> Part:
    """Return a part with its points in tenths, halves up."""
    tenths = (share * WEIGHTS[name] * 10 + Fraction(1, 2)) // 1
    return Part(name, Fraction(tenths, 10), zh, en or "none")


def _told(problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "zh": problem.zh, "en": problem.en}
