"""Figures and suggestions of one installation: what the pure rules need, fetched from its desk.

What was measured of a commission is kept as long as it holds (``storage.catalogue.measures``):
figures fold only what took a step since, what fell due since, and what is paused. The same day
gives the same figures, kept or measured anew (a test compares).
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from threading import Lock
from typing import Any

from appraisal.agency import Agency
from appraisal.brief import Brief
from appraisal.calendar import WorkCalendar
from appraisal.clocks import local_day
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.figures import Figures, Report, figures, report_of
from appraisal.matters import MatterType
from appraisal.measured import Assessed, Measured, Outcome, assess
from appraisal.rules import RuleBook, RuleSet
from appraisal.step import Transition
from appraisal.suggest import Setting, Suggestion, suggest
from appraisal.workdays import Workdays
from storage.catalogue import commissions as rows
from storage.catalogue import measures, queries
from storage.custody import VERSION
from storage.errors import CustodyError, NotFoundError

_PART = 500
"""Commissions whose steps are held at a time."""
_FORM = "1"
"""What is measured and how: another one makes everything be measured again."""
_log = logging.getLogger(__name__)
_MEASURING = Lock()
"""Of two who ask at once the second finds what the first has measured."""


def measured(desk: Desk, day: date) -> list[Measured]:
    """Return every commission that was sent, measured as of a day.

    What had to be measured is kept for the next time, unless the day is past: what holds today
    is asked for most.
    """
    calendar, workdays = desk.calendar, Workdays(desk.calendar)
    basis, keeps = basis_of(desk.book, calendar), day >= desk.today()
    with _MEASURING, desk.custody.read() as session:
        kept, others = measures.known(session, basis, day.isoformat())
        found = [_measured(row) for row in kept]
        for start in range(0, len(others), _PART):
            part = dict(others[start : start + _PART])
            new = []
            for number, steps in rows.steps_of(session, list(part)).items():
                history = [Transition.from_json(each) for each in steps]
                if told := assess(history, day, desk.book, workdays):
                    found.append(told.measured)
                    new.append(_row(told, part[number], basis))
            keeps = keeps and (not new or _keep(desk, new))
    return found


def basis_of(book: RuleBook, calendar: WorkCalendar) -> str:
    """Return a digest of all that a measure depends on but the commission and the day."""
    days = (calendar.holidays, calendar.make_up, calendar.expected)
    told = [
        _FORM,
        VERSION,
        repr(book.sets),
        repr(calendar),
        *(repr(sorted(e.items())) for e in days),
    ]
    told += [f"{at.isoformat()} {before.version}" for at, before in calendar.earlier]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _keep(desk: Desk, new: Sequence[tuple[Any, ...]]) -> bool:
    """Keep measures; False: they cannot be kept now, which costs time and nothing else."""
    try:
        with desk.custody.write() as session:
            measures.keep(session, new)
    except CustodyError as error:
        _log.warning("what was measured cannot be kept: %s", error.message)
        return False
    return True


def _row(told: Assessed, last_index: int, basis: str) -> tuple[Any, ...]:
    """Return a measure as ``measures.COLUMNS``."""
    each = told.measured
    return (
        each.number, last_index, basis, told.first.isoformat(), told.last.isoformat(),
        each.rule_id, each.agency_id, " ".join(sorted(each.matters)), each.sent.isoformat(),
        each.outcome.value, each.accepted, each.undecided_late, each.accept_days, each.net_days,
        each.supplements, each.repeats, each.provisional,
    )  # fmt: skip


def _measured(row: tuple[Any, ...]) -> Measured:
    """Rebuild a measure from ``measures.COLUMNS``."""
    (
        number, _, _, _, _, rule_id, agency, matters, sent, outcome, accepted, undecided_late,
        accept_days, net_days, supplements, repeats, provisional,
    ) = row  # fmt: skip
    return Measured(
        number, agency, _matters(matters), date.fromisoformat(sent), Outcome(outcome), accepted,
        undecided_late, accept_days, net_days, supplements, repeats, provisional, rule_id,
    )  # fmt: skip


@lru_cache(100)
def _matters(words: str) -> frozenset[MatterType]:
    return frozenset(map(MatterType, words.split()))


def turnaround(
    desk: Desk, day: date, since: date | None = None, until: date | None = None
) -> Report:
    """Return the figures as of a day, of the commissions sent in a period."""
    found = measured(desk, day)
    with desk.custody.read() as session:
        names = queries.agency_names(session)
    return report_of(found, desk.calendar, day, since, until, names)


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
    """Return the day on which a commission was sent in its rules' zone, or today for a draft."""
    sent = commission.sent_at
    return local_day(sent, desk.rules(commission)) if sent else desk.today()


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
    by_agency: dict[str, list[Measured]] = {}
    for each in measured(desk, on):
        if wanted & each.matters:
            by_agency.setdefault(each.agency_id, []).append(each)
    return {agency: figures(each) for agency, each in by_agency.items()}
