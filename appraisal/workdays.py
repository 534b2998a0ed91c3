"""Working days counted by subtraction, for figures over many commissions. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from appraisal.calendar import WorkCalendar

_DAY = timedelta(days=1)


class Workdays:
    """Running totals of a calendar's working days, made as far as they are asked for."""

    def __init__(self, calendar: WorkCalendar) -> None:
        """Use a calendar; it must not change while this lives."""
        self.calendar = calendar
        self._first = date(calendar.first_year, 1, 1)
        self._totals = [0]

    def between(self, start: date, end: date) -> int:
        """Count the working days after ``start`` up to and with ``end``; none if reversed.

        Raises:
            InputError: a day lies before the first year of the calendar.
        """
        return max(0, self._total(end) - self._total(start))

    def net(self, start: date, end: date, pauses: Iterable[tuple[date, date]]) -> int:
        """Count as ``between`` does, without what lies after a pause's first day to its last.

        Days in more than one pause are left out once.
        """
        left, counted_to = self.between(start, end), start
        for first, last in sorted(pauses):
            begin, stop = max(first, counted_to), min(last, end)
            if stop > begin:
                left -= self.between(begin, stop)
                counted_to = stop
        return left

    def _total(self, day: date) -> int:
        """Return how many working days there are after the calendar's first day."""
        if day < self._first:
            self.calendar.day_kind(day)
        index = (day - self._first).days
        while len(self._totals) <= index:
            after = self._first + _DAY * len(self._totals)
            self._totals.append(self._totals[-1] + self.calendar.is_working_day(after))
        return self._totals[index]
