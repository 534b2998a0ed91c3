"""Fills a database for the queue's benchmark: commissions with real histories, and exhibits.

Rows are put in directly (SQLite's ``executemany``, PostgreSQL's ``COPY``), not through the log.
Some three hundred histories are made by the real steps, at many dates and ends, and folded once;
every commission is one of them under its own number, case and client. One agency has a twentieth
of the commissions waiting for it; the others share the rest, one in seven of them open.

The newest steps stand at negative entries of the log: the log itself holds none of them, and what
happens while the benchmark runs is all that is newer.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from appraisal import acts
from appraisal.clocks import clocks
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.queue import summary
from appraisal.rules import Limit, Unit
from appraisal.step import Transition
from appraisal.transitions import apply
from storage.catalogue.database import Database
from storage.custody import Custody
from storage.nouns import Person, case_id
from tests.appraisal import made

SEED, AGENCIES, BATCH = 6, 200, 20_000
LARGE = "A000"
"""The agency with a twentieth of all commissions open."""
OURS, THEIRS = made.OFFICER, Person("周静", "SJ-07", "申江鉴定中心")
_NUMBER, _CLIENT = "沪市监鉴委〔2026〕7号", "某市市场监督管理局"
_OPEN = {"sent": 0, "received": 1, "accepted": 3, "working": 5, "paused": 8, "resumed": 14,
         "extended": 16, "returned": 25, "checked": 27}  # fmt: skip
"""What the open ones have come to, and the days that takes."""
_ENDED = ("closed", "corrected", "declined", "withdrawn", "terminated")
_FILES = [
    {"which": which, "name": f"{which}.bin", "fingerprint": made.PACKAGE.as_json()}
    for which in ("package", "letter", "receipt")
]
_AGES = (1, 2, 5, 9, 14, 20, 27, 35, 44, 60)
"""Days since the open ones came to where they are: many in time, some overdue."""


@dataclass(frozen=True)
class Shape:
    """One history: the columns of its commission, and its steps as JSON text."""

    row: dict[str, Any]
    bodies: tuple[str, ...]


def agency_name(number: int) -> str:
    """Return an agency's identifier."""
    return f"A{number:03d}"


def number_of(place: int) -> str:
    """Return the number of the commission at a place."""
    return f"沪市监鉴委〔2026〕{place}号"


def history(kind: str, first: date, desk: Desk) -> tuple[Commission, list[Transition]]:
    """Return a commission that came to ``kind``, from the day of its draft."""
    taken: list[Transition] = []
    found: Commission | None = None

    def at(days: int) -> str:
        return f"{first + timedelta(days=days)}T10:00:00+08:00"

    def take(step: Transition) -> None:
        nonlocal found
        found = apply(found, step)
        taken.append(step)

    for step in acts.draft(made.brief(), [made.material(1), made.material(2)], OURS, at(0)):
        take(step)
    for name in _way(kind):
        for step in _steps(name, found, at, desk):
            take(step)
    if found is None:
        raise LookupError(kind)
    return found, taken


def _way(kind: str) -> Sequence[str]:
    """Return the stops on the way to a kind."""
    order = [each for each in _OPEN if each not in ("paused", "resumed", "extended")]
    if kind in ("closed", "corrected"):
        return [*order, *(("closed",) if kind == "closed" else ("closed", "corrected"))]
    if kind in ("declined", "withdrawn"):
        return ["sent", "received", kind]
    if kind == "terminated":
        return ["sent", "received", "accepted", "working", "paused", kind]
    if kind in ("resumed", "extended"):
        return ["sent", "received", "accepted", "working", "paused", "resumed", kind][
            : 6 if kind == "resumed" else 7
        ]
    if kind == "paused":
        return ["sent", "received", "accepted", "working", "paused"]
    return order[: order.index(kind) + 1]


def _steps(name: str, found: Commission | None, at: Any, desk: Desk) -> Iterable[Transition]:
    """Return the steps from one stop to the next."""
    day, digest = at(_OPEN.get(name, 30)), made.PACKAGE.sha256
    if name == "extended" and found is not None:
        limit = Limit(15, Unit.WORKING_DAY)
        told = date.fromisoformat(day[:10])
        rules = desk.rules(found)
        return [acts.extend(found, limit, "主任", told, rules, desk.calendar, THEIRS, day)]
    return [
        {
            "sent": lambda: acts.dispatch(made.PACKAGE, OURS, day, files=_FILES),
            "received": lambda: acts.receive(digest, THEIRS, day),
            "accepted": lambda: acts.accept(THEIRS, day),
            "working": lambda: acts.start(THEIRS, day, ["陈工", "何工"]),
            "paused": lambda: acts.request_supplement("原始图纸", THEIRS, day),
            "resumed": lambda: acts.receive_supplement([f"{made.CASE}/E0003"], THEIRS, day),
            "returned": lambda: acts.return_opinion(
                made.opinion(), f"{made.CASE}/E0004", [made.GOOD], THEIRS, day
            ),
            "checked": lambda: acts.check(OURS, day),
            "closed": lambda: acts.close(OURS, day),
            "corrected": lambda: acts.correct("第3页图号", THEIRS, at(60), "补正书第1号"),
            "declined": lambda: acts.decline("超出业务范围", THEIRS, day),
            "withdrawn": lambda: acts.withdraw("当事人和解", OURS, day),
            "terminated": lambda: acts.terminate("材料无法补充", THEIRS, day),
        }[name]()
    ]


def shape(kind: str, first: date, desk: Desk) -> Shape:
    """Return a history as rows."""
    found, steps = history(kind, first, desk)
    seen = date.fromisoformat(found.last_at[:10])
    row = {
        **summary(found, clocks(found, desk.rules(found), desk.calendar, seen)),
        "state": found.state.value,
        "steps": found.steps,
        "open": found.is_open,
        "last_at": found.last_at,
    }
    return Shape(row, tuple(json.dumps(each.as_json()) for each in steps))


def shapes(desk: Desk, today: date) -> tuple[list[Shape], list[Shape]]:
    """Return open and ended histories; none is younger than today."""
    waiting = [
        shape(kind, today - timedelta(days=days + age), desk)
        for kind, days in _OPEN.items()
        for age in _AGES
    ]
    done = [
        shape(kind, today - timedelta(days=61 + 17 * week), desk)
        for kind in ("closed", "closed", *_ENDED)
        for week in range(30)
    ]
    return waiting, done


COMMISSION = (
    "commission_no", "case_id", "agency_id", "state", "steps", "open", "due", "clock", "paused",
    "extended", "corrected", "sent_at", "last_at", "last_index", "words",
)  # fmt: skip
STEP = ("commission_no", "step", "event_index", "body")
NAMED = ("commission_id", "commission_no")
EXHIBIT = (
    "exhibit_id", "case_id", "number", "accession", "event_index", "name", "kind", "size",
    "sha256", "item", "fingerprint", "object",
)  # fmt: skip
CASE = ("case_id", "case_no", "cause", "unit", "secrecy", "opened_at")
Row = tuple[Any, ...]


def agency_of(place: int, count: int, chosen: random.Random) -> tuple[str, bool]:
    """Return whose the commission at a place is, and whether it is open."""
    if place % 20 == 0:
        return LARGE, True
    return agency_name(1 + place % (AGENCIES - 1)), chosen.random() < 1 / 7


def commissions(
    desk: Desk, count: int, cases: int, today: date
) -> Iterator[tuple[Row, list[Row], Row]]:
    """Yield each commission's row, its steps and its identifier."""
    chosen = random.Random(SEED)
    waiting, done = shapes(desk, today)
    said = {each: json.dumps(each)[1:-1] for each in (_NUMBER, _CLIENT, made.CASE_NO)}
    for place in range(count):
        agency, is_open = agency_of(place, count, chosen)
        one = chosen.choice(waiting if is_open else done)
        number, case_no = number_of(place), f"沪市监案〔2026〕{place % cases:04d}号"
        case, client = case_id(case_no), f"第{place % 97}区市场监督管理局"
        index = place - count
        row = {
            **one.row,
            "commission_no": number,
            "case_id": case,
            "agency_id": agency,
            "last_index": index,
            "words": f"{number} {case_no} {client}".casefold(),
        }
        steps: list[Row] = []
        for step, body in enumerate(one.bodies):
            told = body
            if step == 0:
                told = told.replace(said[made.CASE_NO], json.dumps(case_no)[1:-1])
                told = told.replace(said[_CLIENT], json.dumps(client)[1:-1])
                told = told.replace('"SJ"', f'"{agency}"')
            told = told.replace(said[_NUMBER], json.dumps(number)[1:-1]).replace(made.CASE, case)
            steps.append((number, step, index, told))
        yield tuple(row[each] for each in COMMISSION), steps, (case_id(number), number)


def exhibits(count: int, cases: int) -> Iterator[Row]:
    """Yield the rows of exhibits."""
    named = [case_id(f"沪市监案〔2026〕{each:04d}号") for each in range(cases)]
    item = json.dumps({"name": "供货合同.pdf", "path": "a/b.pdf"})
    for place in range(count):
        case, number = named[place % cases], 1 + place // cases
        label = f"{case}/E{number:04d}"
        name, digest = f"供货合同{place}.pdf", f"{place:064x}"
        yield (label, case, number, "A2026-000001", place, name, "documentary", 1000, digest,
               item, item, item)  # fmt: skip


def fill(custody: Custody, count: int, exhibit_count: int, today: date) -> None:
    """Put all of it into the tables."""
    database, desk = custody.database, Desk(custody)
    cases = max(1, exhibit_count // 1000)
    numbers = [f"沪市监案〔2026〕{each:04d}号" for each in range(cases)]
    put(database, "case", CASE, [(case_id(each), each, "", "", "", "") for each in numbers])
    made_rows = commissions(desk, count, cases, today)
    while part := list(islice(made_rows, BATCH // 8)):
        put(database, "commission", COMMISSION, [each[0] for each in part])
        put(database, "commission_step", STEP, [step for each in part for step in each[1]])
        put(database, "commission_identifier", NAMED, [each[2] for each in part])
    of_cases = exhibits(exhibit_count, cases)
    while rows := list(islice(of_cases, BATCH)):
        put(database, "exhibit", EXHIBIT, rows)
    with database.connected() as connection:
        connection.exec_driver_sql("ANALYZE")  # As both do by themselves after a while.


def put(database: Database, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows in one transaction, as fast as each database takes them."""
    named = ", ".join(f'"{each}"' for each in columns)
    with database.write() as session:
        driver: Any = session.connection().connection.driver_connection
        if database.embedded:
            marks = ", ".join("?" * len(columns))
            driver.executemany(f'INSERT INTO "{table}" ({named}) VALUES ({marks})', rows)
            return
        with driver.cursor().copy(f'COPY "{table}" ({named}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
