"""Counting days: a limit walked from a start day, with every day left out and why.

The invariants: the start day is not counted; a day inside a stop (after its first day, up to and
with its last) is not counted, however many stops cover it; a limit in working days leaves out
weekends and holidays and counts make-up workdays; the count ends on the day on which the last
day is counted, and that day is not moved, even if it is no working day. Pure. (RULES: clocks.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from appraisal.calendar import DayKind, WorkCalendar, festival
from appraisal.rules import Article, Limit, Unit
from storage.errors import InputError

Words = tuple[str, str]
"""The same in Chinese and in English."""
DAY = timedelta(days=1)
LAST_YEAR = 2199
"""No count of this software reaches further; a day beyond is a mistyped one."""
_WEEKEND: Words = ("周末", "weekend")
_MAKE_UP: Words = ("调休上班，计入", "make-up workday, counted")


@dataclass(frozen=True)
class Stop:
    """A closed period that a clock leaves out: the days after ``first`` up to and with ``last``."""

    first: date
    last: date
    reason: Words = ("补充材料", "supplement")

    def covers(self, day: date) -> bool:
        """Whether the day is left out."""
        return self.first < day <= self.last


@dataclass(frozen=True)
class Run:
    """Days next to each other with one reason; ``counted`` only for make-up workdays."""

    first: date
    last: date
    reason: Words
    counted: bool = False

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "days": self.days,
            "zh": self.reason[0],
            "en": self.reason[1],
            "counted": self.counted,
        }


@dataclass(frozen=True)
class Step:
    """One step of a computation: its period, its words, the article, the days with a remark."""

    start: date
    end: date
    text: Words
    article: Article
    runs: tuple[Run, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "zh": self.text[0],
            "en": self.text[1],
            "article": self.article.zh,
            "article_en": self.article.en,
            "read": self.article.read,
            "not_counted": [each.as_json() for each in self.runs if not each.counted],
            "make_up": [each.as_json() for each in self.runs if each.counted],
        }


def count(
    start: date,
    limit: Limit,
    stops: Sequence[Stop],
    calendar: WorkCalendar,
    article: Article,
) -> Step:
    """Count a limit from a day; the step tells which days were left out and why.

    Raises:
        InputError: the count leaves the years that a calendar can have.
    """
    day, left, runs = start, limit.length, list[Run]()
    near = [each for each in stops if each.last > start]
    working = limit.unit is Unit.WORKING_DAY
    while left:
        if day.year > LAST_YEAR:
            raise InputError(
                f"期限超出{LAST_YEAR}年 the count from {start} goes past the year {LAST_YEAR}",
                remedy="check the days of the clock, and the day asked for",
            )
        day += DAY
        reason, counted = judge(day, near, calendar, working)
        left -= counted
        if reason is not None:
            _note(runs, Run(day, day, reason, counted))
    return Step(start, day, _words(start, day, limit, runs), article, tuple(runs))


def judge(
    day: date, stops: Sequence[Stop], calendar: WorkCalendar, working: bool
) -> tuple[Words | None, bool]:
    """Return the remark on a day, if any, and whether it counts."""
    kind = calendar.day_kind(day) if working else DayKind.WORKDAY
    if kind is DayKind.WEEKEND:
        return _WEEKEND, False
    if kind is DayKind.HOLIDAY:
        return festival(calendar.holiday_name(day)), False
    reasons = dict.fromkeys(each.reason for each in stops if each.covers(day))
    if reasons:
        return ("、".join(zh for zh, _ in reasons), ", ".join(en for _, en in reasons)), False
    return (_MAKE_UP if kind is DayKind.MAKE_UP else None), True


def _note(runs: list[Run], new: Run) -> None:
    last = runs[-1] if runs else None
    if last and last.last + DAY == new.first and last.reason == new.reason:
        runs[-1] = Run(last.first, new.last, last.reason, last.counted)
    else:
        runs.append(new)


def _words(start: date, end: date, limit: Limit, runs: Sequence[Run]) -> Words:
    zh, en = limit.text()
    tally = Counter[tuple[str, str]]()
    for run in runs:
        tally[run.reason] += run.days
    out = "，".join(f"{name}{days}天" for (name, _), days in tally.items())
    out_en = ", ".join(f"{name} {days}" for (_, name), days in tally.items())
    return (
        f"自{start}次日起计{zh}，至{end}" + (f"；不计入或说明：{out}" if out else ""),
        f"{en} from the day after {start}, to {end}" + (f"; noted: {out_en}" if out_en else ""),
    )


def left_until(today: date, due: date, unit: Unit, calendar: WorkCalendar) -> int:
    """Return the days from today to a due date in a unit; negative once it is past."""
    if unit is Unit.WORKING_DAY:
        return calendar.working_days_between(today, due)
    return (due - today).days


def days_before(due: date, days: int, unit: Unit, calendar: WorkCalendar) -> date:
    """Return the day that lies a number of days before a due date, in a unit."""
    day = due
    while days:
        day -= DAY
        days -= unit is Unit.CALENDAR_DAY or calendar.is_working_day(day)
    return day
