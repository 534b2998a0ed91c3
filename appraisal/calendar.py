"""Working days in China, from a versioned file of the State Council's yearly notices.

``calendars/cn.json`` lists, for each official year, the holidays that fall on Monday to Friday
and the Saturdays and Sundays that are worked instead (调休上班日). It is written by
``deploy/make_calendar.py``. Counting excludes the start day (RULES, clocks; TT-06).

Past the last official year nobody knows the make-up days yet. Such a day is judged by the
statutory holidays alone (全国年节及纪念日放假办法 arts. 2 and 7: the expected lunar ones as far as
the file lists them, then the fixed dates), and ``provisional`` says so; whoever shows a date must
show that too. A year's notice that an installation loads later (``appraisal.year_notice``) is laid
over the file, which stays as it is; ``known`` gives back the calendar as it was before, because
what is closed keeps its date (TT-11). Pure but for reading the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from storage.errors import HostError, InputError

DATA = Path(__file__).parent / "calendars" / "cn.json"
SCHEMA = "zhenglian.calendar/1"
_DAY = timedelta(days=1)
_FIXED = {
    (1, 1): "元旦",
    (5, 1): "劳动节",
    (5, 2): "劳动节",
    (10, 1): "国庆节",
    (10, 2): "国庆节",
    (10, 3): "国庆节",
}


_FESTIVALS = {
    "元旦": "New Year's Day",
    "农历除夕": "Lunar New Year's Eve",
    "春节": "Spring Festival",
    "清明节": "Tomb-sweeping Day",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-autumn Festival",
    "国庆节": "National Day",
    "抗战胜利纪念日": "Victory Day",
}


def festival(name: str) -> tuple[str, str]:
    """Return a holiday's name in Chinese and English; one that is not known stays as it is."""
    plain = name.removesuffix("（补假）")
    english = _FESTIVALS.get(plain, plain)
    return name, english if plain == name else f"{english} (in lieu)"


class DayKind(StrEnum):
    """Why a day is worked or not."""

    WORKDAY = "workday"
    MAKE_UP = "make_up"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True)
class WorkCalendar:
    """Official working days from ``first_year`` to ``last_year``, provisional ones after.

    ``holidays`` and ``make_up`` map a day to the name of its festival; ``expected`` holds the
    statutory holidays of years whose notice is not out.
    """

    id: str
    version: str
    first_year: int
    last_year: int
    holidays: Mapping[date, str] = field(repr=False)
    make_up: Mapping[date, str] = field(repr=False)
    expected: Mapping[date, str] = field(repr=False, default_factory=dict)
    earlier: tuple[tuple[datetime, WorkCalendar], ...] = field(repr=False, default=())
    """Each loading of a notice: its time, and the calendar as it was before."""

    @classmethod
    def load(cls, path: Path = DATA) -> WorkCalendar:
        """Read a calendar file.

        Raises:
            HostError: the file is missing or not a calendar of this schema.
        """
        return _load(path)

    def day_kind(self, day: date) -> DayKind:
        """Say what kind of day it is.

        Raises:
            InputError: the day lies before the first year of the calendar.
        """
        if day.year < self.first_year:
            raise InputError(
                f"日历自{self.first_year}年起，{day.isoformat()}在其之前 the calendar {self.id} "
                f"{self.version} begins in {self.first_year}; {day.isoformat()} lies before it",
                remedy="核对年份 check the year of the date",
                day=day.isoformat(),
            )
        if day in self.make_up:
            return DayKind.MAKE_UP
        if day.weekday() >= 5:
            return DayKind.WEEKEND
        return DayKind.HOLIDAY if self.holiday_name(day) else DayKind.WORKDAY

    def holiday_name(self, day: date) -> str:
        """Return the Chinese name of the holiday on a day, or an empty string."""
        if not self.provisional(day):
            return self.holidays.get(day, "")
        return self.expected.get(day) or _FIXED.get((day.month, day.day), "")

    def is_working_day(self, day: date) -> bool:
        """Whether the day is worked, make-up workdays included."""
        return self.day_kind(day) in (DayKind.WORKDAY, DayKind.MAKE_UP)

    def nth_working_day(self, start: date, n: int) -> date:
        """Return the ``n``-th working day after ``start``; the start day is not counted.

        ``n`` = 0 returns the start day itself, whether it is worked or not.

        Raises:
            InputError: ``n`` is negative.
        """
        if n < 0:
            raise InputError("工作日数不能为负 a number of working days is not negative", n=n)
        day = start
        while n:
            day += _DAY
            n -= self.is_working_day(day)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Count the working days after ``start`` up to and with ``end``; negative if reversed."""
        if end < start:
            return -self.working_days_between(end, start)
        span = (end - start).days
        return sum(self.is_working_day(start + _DAY * each) for each in range(1, span + 1))

    def provisional(self, day: date) -> bool:
        """Whether the day lies past the last year whose official notice is known."""
        return day.year > self.last_year

    def known(self, moment: str) -> WorkCalendar:
        """Return the calendar as it was in use at a time (RFC 3339 with a zone).

        A clock that is over keeps the date that it ended with, whatever is loaded later (TT-11).
        """
        at = datetime.fromisoformat(moment)
        return next((before for loaded, before in self.earlier if at < loaded), self)


@cache
def _load(path: Path) -> WorkCalendar:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["schema"] != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        return _parse(value)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(
            f"the calendar file {path.name} cannot be used: {error}",
            remedy="restore it from the repository, or run deploy/make_calendar.py",
        ) from error


def _parse(value: Mapping[str, Any]) -> WorkCalendar:
    years = {int(year): days for year, days in value["years"].items()}
    if sorted(years) != list(range(value["first_year"], value["last_year"] + 1)):
        raise ValueError("its years are not without gap")
    expected = {int(year): days for year, days in value["expected"].items()}
    return WorkCalendar(
        id=value["id"],
        version=value["version"],
        first_year=value["first_year"],
        last_year=value["last_year"],
        holidays=_days({year: days["holidays"] for year, days in years.items()}),
        make_up=_days({year: days["make_up"] for year, days in years.items()}),
        expected=_days(expected),
    )


def _days(years: Mapping[int, Mapping[str, str]]) -> dict[date, str]:
    return {
        date.fromisoformat(f"{year}-{day}"): name
        for year, days in years.items()
        for day, name in days.items()
    }
