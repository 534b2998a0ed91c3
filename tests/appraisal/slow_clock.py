"""A slow clerk: counts days one by one from the raw calendar file, and shares no code with ours.

The file is read as JSON, every struck day stands in a set, nothing is skipped or summed: what
the fast rules say must be what this clerk finds.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

_RAW = json.loads(
    (Path(__file__).parents[2] / "appraisal/calendars/cn.json").read_text(encoding="utf-8")
)
_FIXED = {"01-01", "05-01", "05-02", "10-01", "10-02", "10-03"}
ONE = timedelta(days=1)


def worked(day: date, more: dict[int, dict[str, dict[str, str]]] | None = None) -> bool:
    """Whether people go to work on a day; ``more`` holds years loaded besides the file's."""
    year, name = str(day.year), f"{day:%m-%d}"
    official = (more or {}).get(day.year) or _RAW["years"].get(year)
    weekend = day.isoweekday() in (6, 7)
    if official is not None:
        return name in official["make_up"] if weekend else name not in official["holidays"]
    if weekend:
        return False
    expected = _RAW["expected"].get(year, {})
    return name not in expected and name not in _FIXED


def struck(periods: Iterable[tuple[date, date]]) -> set[date]:
    """Return every day after the first and up to the last of periods, each day once."""
    found = set()
    for first, last in periods:
        day = first
        while day < last:
            day = day + ONE
            found.add(day)
    return found


def walk(
    start: date,
    limits: Sequence[tuple[int, bool]],
    periods: Iterable[tuple[date, date]] = (),
    more: dict[int, dict[str, dict[str, str]]] | None = None,
) -> date:
    """Count limits one after another: each a number of days, and whether only worked ones."""
    out, day = struck(periods), start
    for length, only_worked in limits:
        tally = 0
        while tally < length:
            day = day + ONE
            if day in out or (only_worked and not worked(day, more)):
                continue
            tally += 1
    return day


def uncounted(
    start: date, end: date, only_worked: bool, periods: Iterable[tuple[date, date]]
) -> list[date]:
    """Return the days between that were not counted, in order."""
    out, found, day = struck(periods), [], start
    while day < end:
        day = day + ONE
        if day in out or (only_worked and not worked(day)):
            found.append(day)
    return found
