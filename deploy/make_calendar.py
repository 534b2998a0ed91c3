"""Write ``appraisal/calendars/cn.json`` from the development packages that follow the notices.

Run it when the State Council has published the next year's notice and the package carries it::

    python -m deploy.make_calendar            # writes the file
    python -m deploy.make_calendar --check    # exit 1 if the file is not what it would write

Official years come from ``chinesecalendar`` (holidays and make-up workdays). The statutory lunar
holidays expected for the four years after them come from ``holidays``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import chinese_calendar
import holidays
from chinese_calendar import constants

from appraisal.calendar import DATA, SCHEMA

FIRST_YEAR = 2004
EXPECTED_YEARS = 4
_NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}


def build() -> dict[str, Any]:
    """Return the calendar as the JSON value of the file."""
    last = max(day.year for day in constants.holidays)
    return {
        "schema": SCHEMA,
        "id": "cn",
        "version": f"{last}.1",
        "source": "国务院办公厅关于部分节假日安排的通知, one a year; "
        f"taken from chinesecalendar {version('chinesecalendar')}",
        "expected_source": "全国年节及纪念日放假办法, statutory days without make-up days; "
        f"taken from holidays {version('holidays')}",
        "first_year": FIRST_YEAR,
        "last_year": last,
        "years": {str(year): _official(year) for year in range(FIRST_YEAR, last + 1)},
        "expected": {
            str(year): _expected(year) for year in range(last + 1, last + 1 + EXPECTED_YEARS)
        },
    }


def render(value: dict[str, Any]) -> str:
    """Return the file's text."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _official(year: int) -> dict[str, dict[str, str]]:
    holidays_: dict[str, str] = {}
    make_up: dict[str, str] = {}
    for day in _year(year):
        working = chinese_calendar.is_workday(day)
        if day.weekday() < 5 and not working:
            holidays_[f"{day:%m-%d}"] = _NAMES[constants.holidays[day]]
        elif day.weekday() >= 5 and working:
            make_up[f"{day:%m-%d}"] = _NAMES[constants.workdays[day]]
    return {"holidays": holidays_, "make_up": make_up}


def _expected(year: int) -> dict[str, str]:
    known = holidays.country_holidays("CN", years=year, language="zh_CN")
    return {
        f"{day:%m-%d}": name
        for day, name in sorted(known.items())
        if day.weekday() < 5 and day.year == year
    }


def _year(year: int) -> Iterable[date]:
    first = date(year, 1, 1)
    return (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))


def main(arguments: list[str], path: Path = DATA) -> int:
    """Write the file, or with ``--check`` compare it."""
    text = render(build())
    if "--check" in arguments:
        same = path.is_file() and path.read_text(encoding="utf-8") == text
        print("calendar: in step" if same else "calendar: run python -m deploy.make_calendar")
        return 0 if same else 1
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path.name}: {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
