"""Figures and suggestions of one installation: what the pure rules need, fetched from its desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from appraisal.agency import Agency
from appraisal.brief import Brief
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.figures import Figures, Report, figures, report
from appraisal.measured import as_of, measure
from appraisal.queue import rules_of
from appraisal.rules import RuleSet
from appraisal.step import Transition
from appraisal.suggest import Setting, Suggestion, suggest
from appraisal.workdays import Workdays
from storage.catalogue import commissions as rows
from storage.errors import NotFoundError

_PART = 500
"""Commissions whose steps are held at a time."""


def histories(desk: Desk) -> Iterator[list[Transition]]:
    """Yield the steps of every commission, by number."""
    with desk.custody.read() as session:
        numbers = [row["commission_no"] for row in rows.listed(session)]
        for start in range(0, len(numbers), _PART):
            for steps in rows.steps_of(session, numbers[start : start + _PART]).values():
                yield [Transition.from_json(each) for each in steps]


def turnaround(
    desk: Desk, day: date, since: date | None = None, until: date | None = None
) -> Report:
    """Return the figures as of a day, of the commissions sent in a period."""
    names = {each.agency_id: each.name for each in desk.agencies()}
    return report(histories(desk), desk.book, desk.calendar, day, since, until, names)


def suggestion(desk: Desk, brief: Brief, on: date, fields: tuple[str, ...] = ()) -> Suggestion:
    """Rank the agencies on record for a brief, as of the day of the commission."""
    others = tuple(desk.commissions(case=brief.case_id))
    setting = Setting(
        on=on,
        rules=lambda agency: _rules(desk, agency, brief, on),
        fields=fields,
        others=others,
        parent=next((each for each in others if each.commission_no == brief.parent_no), None),
        load=_load(desk, brief.commission_no),
        figures=_figures(desk, brief, on),
    )
    return suggest(brief, desk.agencies(), setting)


def brief_of(desk: Desk, untrusted: Mapping[str, Any]) -> Brief:
    """Read a brief whose agency and rule set may still be empty.

    Raises:
        InputError: another field is missing or wrong.
    """
    open_ones = {key: untrusted.get(key) or stand_in for key, stand_in in _UNCHOSEN.items()}
    return Brief.parse({**untrusted, **open_ones}, desk.book.names())


def commission_day(desk: Desk, commission: Commission) -> date:
    """Return the day on which a commission was sent, or today if it is a draft."""
    sent = commission.sent_at
    return date.fromisoformat(sent[:10]) if sent else desk.today()


_UNCHOSEN = {"agency_id": "-", "rule_set": "national"}


def _rules(desk: Desk, agency: Agency, brief: Brief, on: date) -> RuleSet:
    """Return an agency's own rule set, or the brief's where it has none in force."""
    try:
        return desk.book.get(agency.rule_set, on)
    except NotFoundError:
        return desk.book.get(brief.rule_set, on)


def _load(desk: Desk, but: str) -> dict[str, int]:
    with desk.custody.read() as session:
        found = rows.listed(session, open_only=True)
    return Counter(row["agency_id"] for row in found if row["commission_no"] != but)


def _figures(desk: Desk, brief: Brief, on: date) -> dict[str, Figures]:
    """Return each agency's figures of the brief's matters, taken together."""
    wanted = {each.type for each in brief.matters}
    workdays = Workdays(desk.calendar)
    by_agency: dict[str, list[Any]] = {}
    for steps in histories(desk):
        commission = as_of(steps, on, desk.book)
        if commission and wanted & {each.type for each in commission.brief.matters}:
            rules = rules_of(commission, desk.book, on)
            measured = measure(commission, rules, workdays, on)
            by_agency.setdefault(measured.agency_id, []).append(measured)
    return {agency: figures(each) for agency, each in by_agency.items()}
