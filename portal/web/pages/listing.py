"""What a list shows: which commissions were asked for, and the page of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from appraisal.agency_desk import AgencyDesk
from appraisal.desk import Desk
from appraisal.states import STANDING_NAMES, Standing
from portal.web.pages.lines import Line, lines_of
from portal.web.words import Pair
from storage.catalogue import queries

PER_PAGE = 20
_OPEN = "open"
_CHOICES: tuple[tuple[str, Pair], ...] = (
    (_OPEN, ("待办", "open")),
    ("all", ("全部", "all")),
    ("ended", ("已结束", "ended")),
    *((each.value, STANDING_NAMES[each]) for each in Standing if each is not Standing.DRAFTED),
)


@dataclass(frozen=True)
class Chosen:
    """What somebody asked a list for; a standing that is none means the open ones.

    ``after`` is where the page begins, as the page before says.
    """

    q: str = ""
    standing: str = _OPEN
    after: str = ""
    agency: str = ""

    @classmethod
    def of(cls, q: str, standing: str, after: str, agency: str = "") -> Chosen:
        """Read what stands in an address; what makes no sense is left out."""
        known = {value for value, _ in _CHOICES}
        return cls(
            q.strip()[:64],
            standing if standing in known else _OPEN,
            after[:300],
            agency[:64],
        )

    @property
    def narrowed(self) -> bool:
        """Whether more was asked for than the open ones."""
        return bool(self.q or self.agency or self.standing != _OPEN)

    def address(self, path: str, **more: str) -> str:
        """Return the address of the same list."""
        asked: dict[str, Any] = {"q": self.q, "agency": self.agency, **more}
        if self.standing != _OPEN:
            asked["standing"] = self.standing
        told = urlencode({key: value for key, value in asked.items() if value})
        return f"{path}?{told}" if told else path


@dataclass(frozen=True)
class Listing:
    """One page of a list; ``after`` is where the next begins, empty on the last."""

    chosen: Chosen
    today: date
    lines: Sequence[Line]
    after: str
    total_open: int
    agencies: Sequence[tuple[str, str]] = ()

    @property
    def choices(self) -> Sequence[tuple[str, Pair]]:
        """Return what the list can be narrowed to."""
        return _CHOICES


def agency_listing(desk: AgencyDesk, chosen: Chosen) -> Listing:
    """Return a page of an agency's commissions."""
    today = desk.desk.today()
    found = desk.page(
        today=today,
        standing=chosen.standing,
        text=chosen.q,
        after=chosen.after,
        limit=PER_PAGE,
    )
    lines = lines_of(found.rows, desk.desk.rules)
    return Listing(chosen, today, lines, found.next, found.total_open)


def bureau_listing(desk: Desk, chosen: Chosen, reader: str) -> Listing:
    """Return a page of every agency's commissions, as far as an account may know them."""
    today = desk.today()
    with desk.custody.read() as session:
        agencies = tuple(queries.agency_names(session).items())
    if chosen.agency not in dict(agencies):
        chosen = replace(chosen, agency="")  # No choice of the page would show it.
    found = desk.page(
        today=today,
        agency=chosen.agency,
        standing=chosen.standing,
        text=chosen.q,
        after=chosen.after,
        limit=PER_PAGE,
        sent=True,
        reader=reader,
    )
    lines = lines_of(found.rows, desk.rules)
    return Listing(chosen, today, lines, found.next, found.total_open, agencies)
