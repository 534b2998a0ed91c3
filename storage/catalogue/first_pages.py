"""The first answers of a query, in order, without looking at all of them.

What is frequent has its first answers among the first pages, and what is rare has few in all. So
a stretch of pages is walked in their order first. While that gave some answers but not enough, one
that should is walked next; if it gave hardly any, the index is asked, and all that it gives is
compared and sorted. Each way gives the same answers, in the same order.

Where filters leave few exhibits, those alone are walked. What they leave of many may begin far
behind the first pages: a unit works on its own cases. Then the exhibits of those are walked first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import text
from sqlalchemy.orm import Session

from storage.catalogue import asking
from storage.catalogue.asking import Filters, Place
from storage.catalogue.query import Query

_MORE = 1.5
"""How much further than is reckoned a stretch goes, because answers stand unevenly."""
_ALL = 1 << 40


@dataclass(frozen=True)
class Reach:
    """How far to go in which way; no answer depends on it, only the time that it takes.

    ``pages`` are walked before anything is known: they are as dear as some hundred answers of the
    index. From ``few`` answers the next stretch is reckoned, of ``deepest`` pages at the most.
    ``exhibits`` are how many are walked first where filters leave no more than ``most_exhibits``,
    or gave hardly any answer on the first pages, and ``taken`` how many in one statement later;
    of ``counted`` all answers are counted so.
    ``frequent`` is how many answers on the first pages mean that counting needs no index.
    ``compared`` pages that the index gives are compared when answers are counted, and no more.
    """

    pages: int = 1000
    few: int = 4
    deepest: int = 20_000
    exhibits: int = 50
    most_exhibits: int = 3000
    taken: int = 500
    counted: int = 300
    frequent: int = 300
    compared: int = _ALL


SERVER = Reach(pages=300, few=3, deepest=2000, exhibits=25, frequent=150, compared=3000)
"""PostgreSQL reads a text in two steps, but puts what its index gives in order without texts."""


@dataclass(frozen=True)
class Counted:
    """How many answers there are: just so many, or ``more``, for at least so many."""

    number: int
    more: bool = False


class Asker:
    """One question to one database."""

    def __init__(
        self,
        session: Session,
        query: Query,
        case: str,
        filters: Filters,
        reach: Reach | None = None,
    ) -> None:
        """Ask nothing yet."""
        self._session, self._query, self._case, self._filters = session, query, case, filters
        self._sqlite = session.get_bind().dialect.name == "sqlite"
        self._reach = reach or (Reach() if self._sqlite else SERVER)

    def first(self, limit: int) -> list[int]:
        """Return the ids of the first answers, in order."""
        if self._filters.of_exhibits:
            some = self._exhibits()
            if len(some) <= self._reach.most_exhibits:
                return self._among(some, limit)
        found, after = self._walk(None, self._reach.pages, limit)
        walked = self._reach.pages
        while len(found) < limit and after is not None:
            deeper = max(1, int(walked * _MORE * (limit - len(found)) / max(1, len(found))))
            if len(found) < self._reach.few or deeper > self._reach.deepest:
                break
            more, after = self._walk(after, deeper, limit - len(found))
            found, walked = found + more, walked + deeper
        if len(found) == limit or after is None:
            return found
        if self._filters.of_exhibits and not self._case:
            return self._among(self._of_cases(), limit)
        if not asking.has_index(self._query):
            return found + self._stretch(after, None, limit - len(found))
        return self._by_index(limit)

    def count(self, most: int) -> Counted:
        """Count the answers, to ``most`` at the most."""
        if self._filters.of_exhibits:
            some = self._exhibits()
            if len(some) <= self._reach.counted:
                found = len(self._within(some, most + 1))
                return Counted(min(found, most), found > most)
        # What filters leave of frequent pages is seldom found by walking.
        indexed = self._sqlite or self._filters != Filters() or not self._is_frequent()
        asked = asking.counting(
            self._query,
            self._case,
            self._filters,
            (most + 1, self._reach.compared + 1),
            sqlite=self._sqlite,
            indexed=indexed,
        )
        with self._planned(by_index=indexed):
            row = self._session.execute(text(asked[0]), asked[1]).one()
        cut = len(row) > 1 and row[1] > self._reach.compared
        return Counted(min(row[0], most), row[0] > most or cut)

    def _is_frequent(self) -> bool:
        """Whether so many pages answer that PostgreSQL's index takes longer to list them.

        SQLite's gives one after the other, and is not asked for more than are counted.
        """
        found, _ = self._walk(None, self._reach.pages, self._reach.frequent)
        return len(found) >= self._reach.frequent

    def _by_index(self, limit: int) -> list[int]:
        asked = asking.statement(self._query, self._case, self._filters, limit, sqlite=self._sqlite)
        with self._planned(by_index=True):
            return self._ids(asked)

    def _walk(self, after: Place | None, pages: int, limit: int) -> tuple[list[int], Place | None]:
        """Return answers on the next pages, and the place of the last of those; None: no more."""
        sql, values = asking.boundary(self._case, after, pages, sqlite=self._sqlite)
        row = self._session.execute(text(sql), values).first()
        last: Place | None = (row[0], row[1], row[2]) if row else None
        return self._stretch(after, last, limit), last

    def _stretch(self, after: Place | None, last: Place | None, limit: int) -> list[int]:
        asked = asking.walking(
            self._query, self._case, self._filters, (after, last), limit, sqlite=self._sqlite
        )
        with self._planned(by_index=False):
            return self._ids(asked)

    def _exhibits(self) -> list[str]:
        """Return the exhibits that pass the filters, in order, or too many of them."""
        cases = [self._case] if self._case else []
        return self._passing(cases, self._reach.most_exhibits + 1)

    def _passing(self, cases: list[str], most: int) -> list[str]:
        sql, values = asking.exhibits_of(cases, self._filters, most, sqlite=self._sqlite)
        return sorted(self._session.scalars(text(sql), values))  # By code points, as everywhere.

    def _of_cases(self) -> Iterator[str]:
        """Yield the exhibits that pass the filters, in order, of one case and then of more."""
        sql, values = asking.cases_of(self._filters, sqlite=self._sqlite)
        cases = self._session.scalars(text(sql), values)
        # Exhibits are in the order of their names, which begin so.
        ordered = sorted(f"{case}/" for case in cases if case is not None)
        at, step = 0, 1
        while at < len(ordered):
            some = [each.removesuffix("/") for each in ordered[at : at + step]]
            yield from self._passing(some, _ALL)
            at, step = at + step, min(2 * step, self._reach.taken)

    def _among(self, exhibits: Iterable[str], limit: int) -> list[int]:
        found: list[int] = []
        rest, step, walked = iter(exhibits), self._reach.exhibits, False
        while len(found) < limit and (some := list(islice(rest, step))):
            if walked and self._is_rare(found):
                return self._by_index(limit)
            found += self._within(some, limit - len(found))
            step, walked = min(2 * step, self._reach.taken), True
        return found

    def _is_rare(self, found: list[int]) -> bool:
        return len(found) < self._reach.few and asking.has_index(self._query)

    def _within(self, exhibits: list[str], limit: int) -> list[int]:
        if not exhibits:
            return []
        asked = asking.among(self._query, exhibits, self._filters, limit, sqlite=self._sqlite)
        with self._planned(by_index=True):
            return self._ids(asked)

    def _ids(self, asked: asking.Asked) -> list[int]:
        return list(self._session.scalars(text(asked[0]), asked[1]))

    @contextmanager
    def _planned(self, *, by_index: bool) -> Iterator[None]:
        """Say to PostgreSQL what its estimates do not know: what comparing a page costs.

        By the index: every page is not to be compared. In order: nothing else is to be gathered
        first and sorted. Compiling a statement takes longer than answering it.
        """
        if self._sqlite:
            yield
            return
        on, off = ("on", "off") if by_index else ("off", "on")
        chosen = {"jit": "off", "work_mem": "64MB", "enable_bitmapscan": on, "enable_seqscan": off,
                  "plan_cache_mode": "force_custom_plan"}  # fmt: skip
        # True: until this transaction ends.
        said = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in chosen.items())
        self._session.execute(text(f"SELECT {said}"))
        yield
