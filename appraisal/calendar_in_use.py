"""The calendar of an installation: the packaged file with the notices that were loaded over it.

What was loaded is in the record (``calendar`` events), so that every machine of an installation
counts by the same days, and a rebuild finds them again. The files that the workspace keeps in
``calendars/`` are copies for people. (RULES: TT-06, TT-11.)
"""

from __future__ import annotations

from datetime import datetime
from threading import Lock

from appraisal.calendar import WorkCalendar
from appraisal.year_notice import YearNotice, with_notices
from storage.catalogue import case_clocks as rows
from storage.custody import Custody


class CalendarInUse:
    """Answers which calendar is in use, and reads it again only when a notice was loaded."""

    def __init__(self, custody: Custody) -> None:
        """Use an installation."""
        self._custody = custody
        self._lock = Lock()
        self._newest = -1
        self._calendar = WorkCalendar.load()

    def now(self) -> WorkCalendar:
        """Return the calendar in use, with what was in use before each loading."""
        with self._custody.read() as session:
            newest = rows.newest_calendar(session)
            if newest == self._newest:
                return self._calendar
            found = rows.calendar_years(session)
        with self._lock:
            self._calendar = calendar_of([(each["loaded_at"], each["content"]) for each in found])
            self._newest = found[-1]["index"]
            return self._calendar


def calendar_of(loaded: list[tuple[str, dict[str, object]]]) -> WorkCalendar:
    """Return the packaged calendar with notices laid over it, in the order of loading."""
    notices = [
        (datetime.fromisoformat(at), YearNotice.from_json(content)) for at, content in loaded
    ]
    return with_notices(WorkCalendar.load(), notices)
