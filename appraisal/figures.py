"""Turnaround figures: how each agency kept its time, matter by matter, as of a day.

The figures are a pure function of the commissions' steps, the rule sets, the calendar and the
day. What happened after the day is not known to them, so that the same day gives the same
figures however late they are asked for. Each figure is defined in ``figure_words`` in the words
that people read beside it; due dates come from ``clocks``, pauses and extensions included.
(RULES: TT-10; own indicators, no text prescribes them.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from appraisal.calendar import WorkCalendar
from appraisal.matters import MatterType
from appraisal.measured import DELIVERED, Measured, Outcome, assess, repeated_matters
from appraisal.percentiles import median, percentile
from appraisal.rules import RuleBook
from appraisal.step import Transition
from appraisal.workdays import Workdays


@dataclass(frozen=True)
class Figures:
    """Figures of a set of commissions; a median is None where nothing was measured.

    ``withdrawn`` and ``refused`` count in ``commissions`` and in nothing else.
    """

    commissions: int
    accepted: int
    delivered: int
    on_time: int
    late: int
    open: int
    overdue: int
    undecided_late: int
    refused: int
    withdrawn: int
    terminated: int
    median_days: float | None
    p90_days: int | None
    accept_median: float | None
    supplements: int
    supplemented: int
    re_appraised: int

    @property
    def due(self) -> int:
        """Return the denominator of the on-time rate: delivered and overdue open ones."""
        return self.delivered + self.overdue

    @property
    def on_time_permille(self) -> int | None:
        """Return the on-time rate in thousandths, halves up; None where nothing was due."""
        return permille(self.on_time, self.due)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            **{key: getattr(self, key) for key in self.__dataclass_fields__},
            "on_time_permille": self.on_time_permille,
            "supplement_permille": permille(self.supplemented, self.accepted),
            "re_appraisal_permille": permille(self.re_appraised, self.delivered),
        }


@dataclass(frozen=True)
class Row:
    """The figures of an agency and a matter; an empty one stands for all of them."""

    agency_id: str
    matter: MatterType | None
    figures: Figures


@dataclass(frozen=True)
class Report:
    """All rows as of ``day``, of the commissions sent from ``since`` to ``until``.

    ``names`` gives each agency's name; ``provisional`` counts the commissions whose due date
    lies past the last official calendar year.
    """

    day: date
    since: date | None
    until: date | None
    calendar: str
    rules: tuple[str, ...]
    provisional: int
    names: dict[str, str]
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "schema": "zhenglian.turnaround/1",
            "day": self.day.isoformat(),
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "calendar": self.calendar,
            "rules": list(self.rules),
            "provisional": self.provisional,
            "rows": [
                {
                    "agency_id": row.agency_id,
                    "agency": self.names.get(row.agency_id, ""),
                    "matter": row.matter.value if row.matter else "",
                    **row.figures.as_json(),
                }
                for row in self.rows
            ],
        }


def permille(part: int, whole: int) -> int | None:
    """Return a share in thousandths, halves up; None of nothing."""
    return (2000 * part + whole) // (2 * whole) if whole else None


def figures(
    measured: Iterable[Measured],
    matter: MatterType | None = None,
    repeated: dict[str, frozenset[MatterType]] | None = None,
) -> Figures:
    """Return the figures of commissions, of one matter if given.

    Args:
        measured: the commissions.
        matter: a commission with several matters counts under each of them.
        repeated: the matters appraised again, by the number of the first commission.
    """
    among = [each for each in measured if matter is None or matter in each.matters]
    told = [e for e in among if e.outcome not in (Outcome.REFUSED, Outcome.WITHDRAWN)]
    delivered = [each for each in told if each.outcome in DELIVERED]
    number = Counter(each.outcome for each in among)
    net = [each.net_days for each in delivered if each.net_days is not None]
    waits = [each.accept_days for each in told if each.accept_days is not None]
    again = repeated or {}
    return Figures(
        commissions=len(among),
        accepted=sum(each.accepted for each in told),
        delivered=len(delivered),
        on_time=number[Outcome.ON_TIME],
        late=number[Outcome.LATE],
        open=number[Outcome.OPEN] + number[Outcome.OVERDUE],
        overdue=number[Outcome.OVERDUE],
        undecided_late=sum(each.undecided_late for each in told),
        refused=number[Outcome.REFUSED],
        withdrawn=number[Outcome.WITHDRAWN],
        terminated=number[Outcome.TERMINATED],
        median_days=median(net),
        p90_days=percentile(net, 90),
        accept_median=median(waits),
        supplements=sum(each.supplements for each in told if each.accepted),
        supplemented=sum(bool(each.supplements) for each in told if each.accepted),
        re_appraised=sum(
            bool(again.get(each.number, frozenset()) & ({matter} if matter else each.matters))
            for each in delivered
        ),
    )


def report(
    histories: Iterable[Sequence[Transition]],
    book: RuleBook,
    calendar: WorkCalendar,
    day: date,
    since: date | None = None,
    until: date | None = None,
    names: dict[str, str] | None = None,
) -> Report:
    """Return the figures of every agency and matter as of a day.

    Args:
        histories: the steps of each commission, in their order.
        book: the rule sets.
        calendar: the working days.
        day: what happened after it is not known.
        since: the first day on which the commissions counted were sent; None: any.
        until: the last such day; None: any.
        names: the agencies' names by identifier.
    """
    workdays = Workdays(calendar)
    assessed = (assess(steps, day, book, workdays) for steps in histories)
    every = [each.measured for each in assessed if each is not None]
    return report_of(every, calendar, day, since, until, names)


def report_of(
    every: Sequence[Measured],
    calendar: WorkCalendar,
    day: date,
    since: date | None = None,
    until: date | None = None,
    names: dict[str, str] | None = None,
) -> Report:
    """Return the figures of commissions that were measured as of the day; see ``report``."""
    repeated = repeated_matters(every)
    counted = [e for e in every if (since or e.sent) <= e.sent <= (until or e.sent)]
    by_agency: dict[str, list[Measured]] = {}
    for each in counted:
        by_agency.setdefault(each.agency_id, []).append(each)
    agencies = sorted(by_agency)
    return Report(
        day=day,
        since=since,
        until=until,
        calendar=f"{calendar.id}@{calendar.version}",
        rules=tuple(sorted({each.rule_id for each in counted})),
        provisional=sum(each.provisional for each in counted),
        names={key: (names or {}).get(key, key) for key in agencies},
        rows=tuple(
            row
            for agency in (*agencies, "")
            for row in _rows(agency, by_agency[agency] if agency else counted, repeated)
        ),
    )


def _rows(
    agency: str, measured: Sequence[Measured], repeated: dict[str, frozenset[MatterType]]
) -> Iterable[Row]:
    """Yield the row of all matters, then one for each matter that was commissioned."""
    yield Row(agency, None, figures(measured, None, repeated))
    for matter in MatterType:
        if any(matter in each.matters for each in measured):
            yield Row(agency, matter, figures(measured, matter, repeated))
