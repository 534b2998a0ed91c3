"""A year's official notice on holidays and make-up workdays, as a person loads it.

One JSON object, by hand from the State Council's notice::

    {"schema": "zhenglian.calendar-year/1", "year": 2027,
     "source": "国务院办公厅关于2027年部分节假日安排的通知",
     "document": "国办发明电〔2026〕7号", "published": "2026-11-05",
     "holidays": {"2027-01-01": "元旦", ...}, "make_up": {"2027-02-14": "春节", ...}}

``holidays`` are the days off that fall on Monday to Friday, ``make_up`` the Saturdays and Sundays
that are worked. A notice may reach into the last week of the year before. Every mistake is one
line; nothing is used before all are gone. Pure. (RULES: work-day calendars; TT-06, TT-11.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from appraisal.calendar import WorkCalendar
from storage.errors import InputError

SCHEMA = "zhenglian.calendar-year/1"
MAX_BYTES = 32_768
"""A notice has some thirty days; its event must hold it whole."""
MAX_NAME = 40
_FIELDS = ("schema", "year", "source", "document", "published", "holidays", "make_up")
_FESTIVALS = ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节")
_LAW = "全国年节及纪念日放假办法"
_SINCE = 2008
"""The first year of eleven statutory days."""


@dataclass(frozen=True)
class YearNotice:
    """One edition of one year's notice; ``digest`` is the SHA-256 of its canonical JSON."""

    year: int
    source: str
    document: str
    published: date
    holidays: Mapping[date, str]
    make_up: Mapping[date, str]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content, hex: equal notices are one, however written."""
        text = json.dumps(self.as_json(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def edition(self) -> str:
        """Return the short name by which the calendar's version tells it."""
        return f"{self.year}-{self.digest[:8]}"

    def as_json(self) -> dict[str, Any]:
        """Return the content as it is recorded."""
        return {
            "schema": SCHEMA,
            "year": self.year,
            "source": self.source,
            "document": self.document,
            "published": self.published.isoformat(),
            "holidays": {day.isoformat(): name for day, name in sorted(self.holidays.items())},
            "make_up": {day.isoformat(): name for day, name in sorted(self.make_up.items())},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> YearNotice:
        """Rebuild from ``as_json``; what is on record was checked when it was loaded."""
        return cls(
            value["year"],
            value["source"],
            value["document"],
            date.fromisoformat(value["published"]),
            {date.fromisoformat(day): name for day, name in value["holidays"].items()},
            {date.fromisoformat(day): name for day, name in value["make_up"].items()},
        )


def parse(untrusted: bytes, calendar: WorkCalendar) -> YearNotice:
    """Return the notice in a file, or refuse it with every mistake.

    Args:
        untrusted: the file's bytes.
        calendar: the calendar in use, which knows the statutory days to come.

    Raises:
        InputError: it is no such file; ``facts["mistakes"]`` lists each line.
    """
    value = _object(untrusted)
    mistakes = list(_shape(value))
    if not mistakes:
        days = {key: dict(_days(value[key])) for key in ("holidays", "make_up")}
        mistakes = list(_wrong_days(value, calendar))
    if mistakes:
        raise InputError(
            f"节假日安排有{len(mistakes)}处错误，未采用 the notice has {len(mistakes)} mistake(s) "
            f"and was not taken: {'; '.join(mistakes)}",
            remedy="按通知原文改正后再载入；格式见 correct them after the notice's own text; the "
            "form is in docs/clocks.md",
            mistakes=mistakes,
        )
    return YearNotice(
        value["year"],
        value["source"].strip(),
        value["document"].strip(),
        date.fromisoformat(value["published"]),
        days["holidays"],
        days["make_up"],
    )


def template(year: int, calendar: WorkCalendar) -> dict[str, Any]:
    """Return a notice to be filled in: the statutory days that are certain stand in it.

    It is refused until document and day of publication are filled in.
    """
    return {
        "schema": SCHEMA,
        "year": year,
        "source": f"国务院办公厅关于{year}年部分节假日安排的通知",
        "document": "",
        "published": "",
        "holidays": {
            day.isoformat(): name
            for day, name in sorted(dict(_statutory(year, calendar)).items())
            if day.weekday() < 5
        },
        "make_up": {},
    }


def doubts(notice: YearNotice, calendar: WorkCalendar) -> list[str]:
    """Return what is allowed but unusual, and so perhaps a slip: for the person who loads it."""
    found = []
    usual = _days_off(notice.year)
    balance = len(notice.holidays) - len(notice.make_up)
    if balance > usual:
        found.append(
            f"工作日放假{len(notice.holidays)}天、调休上班{len(notice.make_up)}天，相差{balance}天；"
            f"通常相差{usual}天 days off less make-up days are {balance}, and usually {usual}"
        )
    if notice.year <= calendar.last_year:
        found.append(
            f"{notice.year}年已有官方安排，将以本文件为准 {notice.year} is known already; this "
            "edition replaces it"
        )
    return found


def _days_off(year: int) -> int:
    """Return how many days off the law gives: a weekend day among them is made good (art. 7)."""
    return 13 if year >= 2025 else 11


def with_notices(base: WorkCalendar, loaded: Sequence[tuple[datetime, YearNotice]]) -> WorkCalendar:
    """Return a calendar with notices laid over it, in the order in which they were loaded.

    Of several editions of one year the last loaded counts. The result knows what was in use
    before each loading (``WorkCalendar.known``).
    """
    stages = [_laid_over(base, [each for _, each in loaded[:n]]) for n in range(len(loaded) + 1)]
    earlier = tuple((at, stages[n]) for n, (at, _) in enumerate(loaded))
    return replace(stages[-1], earlier=earlier)


def _laid_over(base: WorkCalendar, notices: Iterable[YearNotice]) -> WorkCalendar:
    newest = {each.year: each for each in notices}
    holidays, make_up = dict(base.holidays), dict(base.make_up)
    for year, notice in sorted(newest.items()):
        for days in (holidays, make_up):
            for day in [each for each in days if _replaced(each, year, base)]:
                del days[day]
        for day, name in notice.holidays.items():
            make_up.pop(day, None)
            holidays[day] = name
        for day, name in notice.make_up.items():
            holidays.pop(day, None)
            make_up[day] = name
    return replace(
        base,
        version="+".join([base.version, *(each.edition for _, each in sorted(newest.items()))]),
        last_year=max([base.last_year, *newest]),
        holidays=holidays,
        make_up=make_up,
    )


def _replaced(day: date, year: int, base: WorkCalendar) -> bool:
    """Whether a notice of a year speaks for a day; the last week may be the next year's."""
    last_week = day.month == 12 and day.day > 24
    return day.year == year and not (last_week and year < base.last_year)


def _object(untrusted: bytes) -> dict[str, Any]:
    problem = f"超过{MAX_BYTES}字节 more than {MAX_BYTES} bytes"
    if len(untrusted) <= MAX_BYTES:
        try:
            value = json.loads(untrusted.decode("utf-8-sig"), object_pairs_hook=_no_twins)
            if isinstance(value, dict):
                return value
            problem = "不是 JSON 对象 not a JSON object"
        except (ValueError, RecursionError) as error:
            problem = f"不是有效的 JSON not valid JSON: {error}"
    raise InputError(
        f"文件无法读取为年度安排 the file is no year's notice: {problem}",
        remedy="格式见 its form is in docs/clocks.md",
        mistakes=[problem],
    )


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twins = sorted({each for each in names if names.count(each) > 1})
        raise ValueError(f"重复 stands there twice: {', '.join(twins)}")
    return value


def _shape(value: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(set(_FIELDS) - set(value)):
        yield f"缺少字段 missing: {name}"
    for name in sorted(set(value) - set(_FIELDS)):
        yield f"未知字段 unknown: {name[:MAX_NAME]}"
    if value.get("schema", SCHEMA) != SCHEMA:
        yield f"schema 应为 should be {SCHEMA}"
    year = value.get("year", 2000)
    if type(year) is not int or not 2000 <= year <= 2199:
        yield "year 应为2000至2199的整数 should be a whole number from 2000 to 2199"
    for name in ("source", "document"):
        text = value.get(name, "-")
        if not _is_text(text, 255):
            yield f"{name} 应为文字 should be text of 1 to 255 characters"
    published = value.get("published", "2000-01-01")
    if _date(published) is None:
        yield "published 应为日期 should be a date such as 2026-11-05"
    for name in ("holidays", "make_up"):
        yield from _table(name, value.get(name, {}))


def _table(name: str, table: Any) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"{name} 应为“日期: 名称”表 should map days to names"
        return
    for day, festival in table.items():
        if _date(day) is None:
            yield f"{name}: “{day[:MAX_NAME]}”不是日期 is not a date such as 2027-01-01"
        if not _is_text(festival, MAX_NAME):
            yield f"{name}: {day[:MAX_NAME]} 缺少节日名称 has no name of a festival"


def _is_text(value: Any, longest: int) -> bool:
    """Whether this is a line of text that every screen and every event can hold."""
    return isinstance(value, str) and 0 < len(value.strip()) <= longest and value.isprintable()


def _date(text: Any) -> date | None:
    try:
        found = date.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.isoformat() == text else None


def _days(table: Mapping[str, str]) -> Iterator[tuple[date, str]]:
    for day, name in table.items():
        yield date.fromisoformat(day), name.strip()


def _wrong_days(value: Mapping[str, Any], calendar: WorkCalendar) -> Iterator[str]:
    year = value["year"]
    holidays, make_up = dict(_days(value["holidays"])), dict(_days(value["make_up"]))
    if year > calendar.last_year + 1:
        missing = calendar.last_year + 1
        yield f"须先载入{missing}年 load {missing} first: the official years have no gap"
    if year < calendar.first_year:
        yield f"日历自{calendar.first_year}年起 the calendar begins in {calendar.first_year}"
    for name, table in (("holidays", holidays), ("make_up", make_up)):
        for day in sorted(table):
            last_week = (day.year, day.month) == (year - 1, 12) and day.day > 24
            if day.year != year and not last_week:
                yield f"{name}: {day}不属于{year}年 does not belong to {year}"
    for day in sorted(holidays):
        if day.weekday() >= 5:
            yield f"holidays: {day}是周末，不必列出 is a weekend day; list Mondays to Fridays"
    for day in sorted(make_up):
        if day.weekday() < 5:
            yield f"make_up: {day}不是周末 is no weekend day; a workday needs no making up"
    # What is worked in the last week of the year may make good for the next New Year.
    worked = sum(day < date(year, 12, 25) for day in make_up)
    balance, least = len(holidays) - worked, _days_off(year)
    if year >= _SINCE and balance < least:
        yield (
            f"放假{len(holidays)}天减调休上班{worked}天为{balance}天，少于法定{least}天 days off "
            f"less make-up days are {balance}, and by law {least} at least ({_LAW})"
        )
    yield from _missing_festivals(year, holidays, make_up, calendar)


def _missing_festivals(
    year: int, holidays: Mapping[date, str], make_up: Mapping[date, str], calendar: WorkCalendar
) -> Iterator[str]:
    for day, name in _statutory(year, calendar):
        if day in make_up:
            yield f"make_up: {day}是法定节日{name}，不能调为上班 is a statutory holiday ({_LAW})"
        elif day.weekday() < 5 and day not in holidays:
            yield f"holidays: 缺少法定节日{name} {day} the statutory holiday is missing ({_LAW})"
    for name in _FESTIVALS:
        named = any(name in each for each in holidays.values())
        if not named and _due_in(year, name, calendar):
            yield f"holidays: 没有一天是{name} no day is named {name} ({_LAW})"


def _due_in(year: int, name: str, calendar: WorkCalendar) -> bool:
    """Whether a festival gives a weekday off: one that meets another may stand under its name."""
    known = [each for day, each in calendar.expected.items() if day.year == year]
    if known:
        return any(name in each for each in known)
    return name in ("春节", "劳动节", "国庆节") or (year >= 2008 and name in ("清明节", "端午节"))


def _statutory(year: int, calendar: WorkCalendar) -> Iterator[tuple[date, str]]:
    """Yield the statutory days that are certain: the fixed ones, and the lunar ones on file."""
    yield date(year, 1, 1), "元旦"
    yield date(year, 5, 1), "劳动节"
    if year >= 2025:  # The decision of 2024-11-10 made it two days.
        yield date(year, 5, 2), "劳动节"
    for number in (1, 2, 3):
        yield date(year, 10, number), "国庆节"
    for day, name in sorted(calendar.expected.items()):
        if day.year == year and "补假" not in name and name not in ("元旦", "劳动节", "国庆节"):
            yield day, name
