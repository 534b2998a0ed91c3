"""What a page of the queue takes: over HTTP, at the desk in this process, and as bare queries.

Every question is asked of the real server with a real session or token. Beside it stands what the
same rows take without the server: by the desk (queries, histories folded, clocks counted, nothing
remembered), and by the queries alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from appraisal.desk import Desk
from appraisal.remembered import remembered
from storage.catalogue import commissions as rows
from storage.custody import Custody
from storage.nouns import case_id
from tests.bench.figures import Figure, keep
from tests.bench.queue_rows import LARGE, SEED, number_of
from tests.bench.queue_serving import IDLE, Client, People, Server

SHOWN = 20
"""Commissions on a page."""
_BARE = 25
Ask = Callable[[int], Any]


@dataclass
class Question:
    """Something asked over HTTP, and the listing behind it, if there is one."""

    name: str
    ask: Ask
    listing: Callable[[int], dict[str, Any]] | None = None


@dataclass
class Asking:
    """Who asks whom about which rows."""

    custody: Custody
    server: Server
    people: People
    count: int
    today: date

    def __post_init__(self) -> None:
        """Let everybody have one connection."""
        self._clients: dict[str, Client] = {}
        self._chosen = random.Random(SEED + 1)
        with self.custody.read() as session:
            wanted = rows.Wanted(agency=LARGE, today=self.today.isoformat(), sent=True)
            total = rows.count_open(session, LARGE)
            places = [self._chosen.randrange(1, max(2, total - SHOWN)) for _ in range(400)]
            self.cursors = [rows.page(session, wanted, "", each)[1] for each in places[:200]]

    def page(self, who: str, path: str, **asked: str) -> bytes:
        """Ask with a session, as a browser does."""
        return self._client(who, Cookie=self.people.cookies[who]).get(_address(path, asked))

    def api(self, who: str, path: str, **asked: str) -> bytes:
        """Ask with a token, as a program does."""
        token = f"Bearer {self.people.tokens[who]}"
        return self._client(f"{who} token", Authorization=token).get(
            _address(f"/api/v1{path}", asked)
        )

    def _client(self, name: str, **headers: str) -> Client:
        if name not in self._clients:
            self._clients[name] = self.server.client(**headers)
        return self._clients[name]

    def cursor(self, place: int) -> str:
        """Return where one of the pages of the large agency begins."""
        return self.cursors[place % len(self.cursors)]

    def number(self, place: int) -> str:
        """Return the number of a commission of the large agency."""
        return number_of((place * 37 % max(1, self.count // 20)) * 20)

    def close(self) -> None:
        """End all connections."""
        for each in self._clients.values():
            each.close()


def questions(asking: Asking) -> list[Question]:
    """Return what agencies, their programs and the bureau ask."""
    every = {"standing": "all"}
    others = sorted(set(asking.people.tokens) - {LARGE, IDLE})
    part = f"{asking.count // 3}"

    def any_agency(place: int) -> str:
        return others[place % len(others)]

    def of(agency: str, **more: Any) -> Callable[[int], dict[str, Any]]:
        return lambda _: {"agency": agency, **more}

    return [
        Question("redirect to one's work (limit)", lambda _: asking.page(LARGE, "/")),
        Question("queue of an idle agency (limit)", lambda _: asking.page(IDLE, "/queue")),
        Question(
            f"queue, {len(others)} agencies",
            lambda n: asking.page(any_agency(n), "/queue"),
            lambda n: {"agency": any_agency(n)},
        ),
        Question("queue, large agency", lambda _: asking.page(LARGE, "/queue"), of(LARGE)),
        Question(
            "queue, any page of it",
            lambda n: asking.page(LARGE, "/queue", after=asking.cursor(n)),
            lambda n: {"agency": LARGE, "after": asking.cursor(n)},
        ),
        Question(
            "queue, overdue",
            lambda _: asking.page(LARGE, "/queue", standing="overdue"),
            of(LARGE, standing="overdue"),
        ),
        Question(
            "queue, search a number",
            lambda n: asking.page(LARGE, "/queue", q=asking.number(n), **every),
            lambda n: {"agency": LARGE, "text": asking.number(n), **every},
        ),
        Question(
            "queue, search nothing",
            lambda _: asking.page(LARGE, "/queue", q="查无此号", **every),
            of(LARGE, text="查无此号", **every),
        ),
        Question(
            "one commission",
            lambda n: asking.page(LARGE, "/commission", number=asking.number(n)),
        ),
        Question(
            "API: list, 50 rows", lambda _: asking.api(LARGE, "/commissions"), of(LARGE, limit=50)
        ),
        Question(
            "API: one commission",
            lambda n: asking.api(LARGE, f"/commissions/{case_id(asking.number(n))}"),
        ),
        Question("bureau's list", lambda _: asking.page("officer", "/officer/commissions"), of("")),
        Question(
            "bureau's search, all",
            lambda _: asking.page("officer", "/officer/commissions", q=part, **every),
            of("", text=part, **every),
        ),
        Question(
            "bureau's search, nothing",
            lambda _: asking.page("officer", "/officer/commissions", q="查无此号", **every),
            of("", text="查无此号", **every),
        ),
    ]


def kind_of(custody: Custody) -> str:
    """Return what the database is called in figures."""
    return "sqlite" if custody.database.embedded else "postgresql"


def measure(asking: Asking, times: int) -> None:
    """Print p50 and p99 of every question."""
    print(f"  {'milliseconds, ' + str(times) + ' each':34} {'HTTP':>22} {'desk':>9} {'queries':>9}")
    print(f"  {'':34} {'p50':>7} {'p99':>7} {'cpu':>6} {'p50':>9} {'p50':>9}")
    for each in questions(asking):
        each.ask(times)
        used = asking.server.used()
        taken = timed(each.ask, times)
        spent = (asking.server.used() - used) / times * 1000
        shown = f"{at(taken, 0.5):7.1f} {at(taken, 0.99):7.1f} {spent:6.1f}"
        if each.listing is not None:
            shown += "".join(
                f" {at(timed(ask, min(times, _BARE)), 0.5):9.1f}"
                for ask in beside(asking, each.listing)
            )
        print(f"  {each.name:34} {shown}", flush=True)
        name = f"queue.{kind_of(asking.custody)}.{each.name}"
        about = f"{asking.count:,} commissions; median {at(taken, 0.5):.1f} ms"
        keep("queue", [Figure(f"{name}.p99", at(taken, 0.99), "ms", better="less", about=about)])


def beside(asking: Asking, listing: Callable[[int], dict[str, Any]]) -> tuple[Ask, Ask]:
    """Return the same rows as the desk gives them, and as the queries alone do."""
    custody, today = asking.custody, asking.today
    desk = Desk(custody)

    def at_desk(place: int) -> None:
        remembered(custody.database).clear()
        desk.page(today=today, sent=True, **{"limit": SHOWN, **listing(place)})

    def bare(place: int) -> None:
        asked = listing(place)
        after, limit = asked.pop("after", ""), asked.pop("limit", SHOWN)
        wanted = rows.Wanted(**asked, today=today.isoformat(), sent=True)
        with custody.read() as session:
            found, _ = rows.page(session, wanted, after, limit)
            rows.count_open(session, wanted.agency)
            rows.steps_of(session, [each["commission_no"] for each in found])

    return at_desk, bare


def timed(ask: Ask, times: int) -> list[float]:
    """Return how long each took, in milliseconds, sorted."""
    taken = []
    for place in range(times):
        started = time.perf_counter()
        ask(place)
        taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)


def at(taken: list[float], share: float) -> float:
    """Return a percentile of sorted values."""
    return taken[min(len(taken) - 1, int(len(taken) * share))] if taken else 0.0


def _address(path: str, asked: dict[str, str]) -> str:
    return f"{path}?{urlencode(asked)}" if asked else path
