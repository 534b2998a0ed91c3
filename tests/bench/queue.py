"""The queue: how long one page takes among 100 thousand commissions and a million exhibits.

Run: ``.venv/bin/python -m tests.bench.queue [--commissions 100000] [--exhibits 1000000]
[--only sqlite]``. Rows are put in directly, not through the log, on SQLite and on a PostgreSQL of
its own; one agency in fifty has a twentieth of all commissions. Every question is asked 200
times, each time by a desk that was just opened: once so that every row of the page is folded from
its steps and its clocks are counted (new), and once as a process that showed it before (again).
p50 and p99 are printed in milliseconds, and the processor time that a question took this process
on average: the machine's other work is not in it.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from appraisal import acts
from appraisal.agency_desk import AgencyDesk
from appraisal.clocks import clocks
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.queue import summary
from appraisal.remembered import remembered
from appraisal.step import Transition
from appraisal.transitions import apply
from storage.catalogue.database import Database
from storage.custody import Custody
from storage.nouns import Person
from tests.appraisal import made
from tests.services.postgres import running_postgres
from tests.tasks.life import open_house

SEED, AGENCIES, TIMES, BATCH = 6, 50, 200, 2_000
TODAY = date(2026, 11, 20)
ZHOU = Person("周静", unit="申江鉴定中心")
Rows = list[dict[str, Any]]
_STEP = (
    "INSERT INTO commission_step (commission_no, step, event_index, body)"
    " VALUES (:commission_no, :step, :event_index, :body)"
)
_EXHIBIT = (
    "INSERT INTO exhibit (exhibit_id, case_id, number, accession, event_index, name, kind, size,"
    " sha256, item, fingerprint, object) VALUES (:exhibit_id, :case_id, :number, 'A2026-000001',"
    " :number, :name, 'documentary', 1000, :sha256, :item, :item, :item)"
)
_CASE = (
    'INSERT INTO "case" (case_id, case_no, cause, unit, secrecy, opened_at)'
    " VALUES (:case_id, :case_id, '', '', '', '')"
)


def shapes(desk: Desk) -> list[list[Transition]]:
    """Return the histories that the commissions have: sent, received, accepted, paused, closed."""
    a, b, at = made.OFFICER, ZHOU, "2026-11-02T09:00:00+08:00"
    (draft,) = acts.draft(made.brief(commission_no="NUMBER"), [made.material()], a, at)
    sent = [draft, acts.dispatch(made.PACKAGE, a, at)]
    taken = [*sent, acts.receive(made.PACKAGE.sha256, b, at), acts.accept(b, at)]
    working = [*taken, acts.start(b, at, ["陈工", "何工"])]
    paused = [*working, acts.request_supplement("原始图纸", b, at)]
    back = [*working, acts.return_opinion(made.opinion(), "x/E0003", [made.GOOD], b, at)]
    closed = [*back, acts.check(a, at), acts.close(a, at)]
    return [sent, taken, working, paused, back, *[closed] * 5]


def commission_rows(desk: Desk, count: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield rows of commissions and of their steps, in batches."""
    chosen = random.Random(SEED)
    made_once = [_template(desk, steps) for steps in shapes(desk)]
    rows: Rows = []
    steps: Rows = []
    for number in range(count):
        row, bodies = chosen.choice(made_once)
        name = f"鉴委〔2026〕{number}号"
        agency = "A00" if number % 20 == 0 else f"A{1 + number % (AGENCIES - 1):02d}"
        due = row["due"]
        if row["open"] and due < "9999":
            moved = datetime.fromisoformat(due) + timedelta(days=chosen.randrange(-10, 60))
            due = moved.date().isoformat()
        shown = {"commission_no": name, "agency_id": agency, "due": due}
        rows.append(
            {**row, **shown, "last_index": number * 9, "words": f"{name} 分局{number % 99}"}
        )
        for step, body in enumerate(bodies):
            told = body.replace("NUMBER", name).replace('"SJ"', f'"{agency}"')
            steps.append(
                {"commission_no": name, "step": step, "event_index": number * 9, "body": told}
            )
        if len(rows) == BATCH:
            yield rows, steps
            rows, steps = [], []
    yield rows, steps


def _template(desk: Desk, steps: Sequence[Transition]) -> tuple[dict[str, Any], list[str]]:
    commission: Commission | None = None
    for step in steps:
        commission = apply(commission, step)
    assert commission is not None
    running = clocks(commission, desk.rules(commission), desk.calendar, date(2026, 11, 2))
    row = {
        **summary(commission, running),
        "case_id": commission.brief.case_id,
        "state": commission.state.value,
        "steps": commission.steps,
        "open": commission.is_open,
        "last_at": commission.last_at,
    }
    return row, [json.dumps(each.as_json(), ensure_ascii=False) for each in steps]


def fill(custody: Custody, commissions: int, exhibits: int) -> None:
    """Put the rows into the tables."""
    database, desk = custody.database, Desk(custody)
    insert = "INSERT INTO commission ({}) VALUES ({})"
    for rows, steps in commission_rows(desk, commissions):
        if rows:
            names = list(rows[0])
            quoted = ", ".join(f'"{each}"' for each in names)
            put(database, insert.format(quoted, ", ".join(f":{each}" for each in names)), rows)
            put(database, _STEP, steps)
    cases = max(1, exhibits // 1000)
    put(database, _CASE, [{"case_id": f"c{each}"} for each in range(cases)])
    item = json.dumps({"name": "供货合同.pdf", "path": "a/b.pdf"})
    for start in range(0, exhibits, BATCH):
        put(
            database,
            _EXHIBIT,
            [
                {
                    "exhibit_id": f"c{each % cases}/E{each // cases:04d}",
                    "case_id": f"c{each % cases}",
                    "number": each // cases,
                    "name": f"供货合同{each}.pdf",
                    "sha256": f"{each:064x}",
                    "item": item,
                }
                for each in range(start, min(exhibits, start + BATCH))
            ],
        )


def put(database: Database, statement: str, rows: Rows) -> None:
    """Insert rows in one transaction."""
    if rows:
        with database.write() as session:
            session.execute(text(statement), rows)


def analyse(database: Database) -> None:
    """Let the database know its tables, as it does by itself after a while."""
    with database.connected() as connection:
        connection.execute(text("ANALYZE"))


def questions(custody: Custody, commissions: int) -> dict[str, Callable[[], Any]]:
    """Return what a page, a client and a bureau ask."""
    chosen = random.Random(SEED + 1)

    def big() -> AgencyDesk:
        return AgencyDesk(Desk(custody), "A00", ZHOU)

    def small() -> AgencyDesk:
        return AgencyDesk(Desk(custody), f"A{chosen.randrange(1, AGENCIES):02d}", ZHOU)

    after = big().page(today=TODAY).next
    newest = commissions * 9
    return {
        "page, any agency, 50 rows": lambda: small().page(today=TODAY),
        "page, large agency, 50 rows": lambda: big().page(today=TODAY),
        "second page, large agency": lambda: big().page(today=TODAY, after=after),
        "overdue, large agency": lambda: big().page(today=TODAY, standing="overdue"),
        "all, newest first": lambda: big().page(today=TODAY, standing="all"),
        "search a number": lambda: big().page(today=TODAY, standing="all", text="〔2026〕4000号"),
        "one commission": lambda: big().row(
            f"鉴委〔2026〕{chosen.randrange(commissions // 20) * 20}号", TODAY
        ),
        "changes: nothing new": lambda: big().changes(newest, today=TODAY),
        "changes: 50 rows": lambda: big().changes(0, 50, TODAY),
        "bureau's page, 50 rows": lambda: Desk(custody).page(today=TODAY),
        "bureau's search": lambda: Desk(custody).page(today=TODAY, text="分局42"),
    }


def measure(ask: Callable[[], Any], before: Callable[[], None]) -> tuple[float, float, float]:
    """Return p50, p99 and the mean processor time in milliseconds."""
    taken, spent = [], 0.0
    ask()
    for _ in range(TIMES):
        before()
        started, used = time.perf_counter(), time.process_time()
        ask()
        spent += (time.process_time() - used) * 1000
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return taken[len(taken) // 2], taken[int(len(taken) * 0.99)], spent / TIMES


def run(name: str, url: str, commissions: int, exhibits: int) -> None:
    """Fill one database and print what its questions take."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_house(Path(folder) / "home", **({"database": url} if url else {})) as custody,
    ):
        started = time.monotonic()
        fill(custody, commissions, exhibits)
        analyse(custody.database)
        seconds = time.monotonic() - started
        held = f"{commissions} commissions, {exhibits} exhibits"
        print(f"{name}, ms (new, again): {held}, filled in {seconds:.0f} s")
        for question, ask in questions(custody, commissions).items():
            new = measure(ask, remembered(custody.database).clear)
            again = measure(ask, lambda: None)
            shown = "  ".join(
                "p50 {:6.2f} p99 {:6.2f} cpu {:6.2f}".format(*each) for each in (new, again)
            )
            print(f"  {question:28} {shown}", flush=True)


def main() -> None:
    """Run on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commissions", type=int, default=100_000)
    parser.add_argument("--exhibits", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    if given.only != "postgresql":
        run("sqlite", "", given.commissions, given.exhibits)
    if given.only != "sqlite":
        with running_postgres() as server:
            run("postgresql", server.new_database(), given.commissions, given.exhibits)


if __name__ == "__main__":
    main()
