"""Listings: the columns say what the commissions say, page by page, on both databases."""

import contextlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from appraisal import acts
from appraisal.calendar import WorkCalendar
from appraisal.clocks import clocks
from appraisal.commission import Commission
from appraisal.queue import NEVER, summary
from appraisal.rules import Limit, RuleBook, Unit
from appraisal.standing import standing
from appraisal.states import Standing
from appraisal.step import Kind, Transition
from appraisal.transitions import apply, event_details
from storage.catalogue import commissions
from storage.catalogue.commissions import Wanted
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from storage.errors import CustodyError, InputError, NotFoundError
from storage.event import Action, CustodyEvent
from tests.appraisal import made
from tests.services.postgres import Postgres

CALENDAR = WorkCalendar.load()
NATIONAL = RuleBook.load().get("national", date(2026, 1, 1))
COUNT, AGENCIES = 120, ("SJ", "HJ", "ZJ")
A, B = made.OFFICER, made.CLERK
START = datetime.fromisoformat("2026-01-05T09:00:00+08:00")


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('listing') / 'c.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    opened = Database.open(url)
    upgrade(opened)
    yield opened
    opened.close()


def random_steps(chosen: Random, number: int) -> list[tuple[Commission, Transition]]:
    """Return a commission after each of some random steps, with the step that led there."""
    agency = chosen.choice(AGENCIES)
    brief = made.brief(
        commission_no=f"鉴委〔2026〕{number}号", agency_id=agency, client=f"第{number % 7}分局"
    )
    at = START + timedelta(days=chosen.randrange(120))
    (step,) = acts.draft(brief, [made.material()], A, at.isoformat())
    found = [(apply(None, step), step)]
    for _ in range(chosen.randrange(14)):
        at += timedelta(days=chosen.randrange(12), hours=1)
        steps = possible(found[-1][0], at.isoformat())
        for step in chosen.sample(steps, len(steps)):
            with contextlib.suppress(CustodyError):
                found.append((apply(found[-1][0], step), step))
                break
    return found


def possible(commission: Commission, at: str) -> list[Transition]:
    data = {
        "limit": Limit(10, Unit.WORKING_DAY).as_json(),
        "approved_by": "所长",
        "notified": "2026-01-01",
        "old_due": "2026-01-02",
    }
    return [
        acts.dispatch(made.PACKAGE, A, at),
        acts.dispatch(made.PACKAGE, A, at),
        acts.receive(made.PACKAGE.sha256, B, at),
        acts.accept(B, at, made.PACKAGE.sha256),
        acts.start(B, at, ["陈工"]),
        acts.request_supplement("图纸", B, at),
        acts.go_on_without("无", B, at),
        Transition(Kind.EXTEND, at, B, data),
        acts.return_opinion(made.opinion(), "x/E0003", [made.GOOD], B, at),
        acts.check(A, at),
        acts.close(A, at),
        acts.correct("图号", B, at, "补正书"),
        *([acts.decline("忙", B, at)] if commission.steps % 3 == 0 else []),
        *([acts.withdraw("撤案", A, at)] if commission.steps % 4 == 0 else []),
    ]


def event_of(commission: Commission, step: Transition, *, told: bool = True) -> CustodyEvent:
    day = datetime.fromisoformat(step.at).date()
    running = clocks(commission, NATIONAL, CALENDAR, day)
    more = {"summary": summary(commission, running)} if told else {}
    details = event_details(commission, step, **more)
    return CustodyEvent(
        "x", Action.COMMISSION, step.at, step.at, step.actor, made.CASE, details=details
    )


@pytest.fixture(scope="module")
def known(database: Database) -> dict[str, Commission]:
    """Commissions of every standing, on record in the database."""
    chosen = Random(6)
    histories = [random_steps(chosen, number) for number in range(COUNT)]
    events = [each for history in histories for each in history]
    events.sort(key=lambda each: each[1].at)
    with database.write() as session:
        for index, (commission, step) in enumerate(events):
            commissions.follow(session, index, event_of(commission, step))
    return {history[-1][0].commission_no: history[-1][0] for history in histories}


def all_pages(database: Database, wanted: Wanted, limit: int) -> list[str]:
    found, after = [], ""
    with database.read() as session:
        while True:
            rows, after = commissions.page(session, wanted, after, limit)
            assert len(rows) <= limit
            found += [each["commission_no"] for each in rows]
            if not after:
                return found
            assert len(rows) == limit


DAYS = [date(2026, 1, 20), date(2026, 4, 1), date(2026, 6, 15), date(2026, 12, 1)]


@pytest.mark.parametrize("today", DAYS)
def test_the_columns_call_every_commission_as_the_function_does(
    database: Database, known: dict[str, Commission], today: date
) -> None:
    said: dict[Standing, set[str]] = {each: set() for each in Standing}
    for number, each in known.items():
        running = clocks(each, NATIONAL, CALENDAR, today)
        said[standing(each, running)].add(number)
    for word in Standing:
        wanted = Wanted(standing=word.value, today=today.isoformat())
        assert set(all_pages(database, wanted, 7)) == said[word], word
    if today == DAYS[1]:
        assert sum(map(bool, said.values())) >= 12, "few standings occur: the test says little"


def test_pages_show_every_row_once_and_in_order(
    database: Database, known: dict[str, Commission]
) -> None:
    for agency in ("", *AGENCIES):
        mine = {n: c for n, c in known.items() if agency in ("", c.agency_id)}
        for limit in (1, 7, 500):
            every = all_pages(database, Wanted(agency, standing="all"), limit)
            assert sorted(every) == sorted(mine)
            urgent = all_pages(database, Wanted(agency, standing="open"), limit)
            assert sorted(urgent) == sorted(n for n, c in mine.items() if c.is_open)
            ended = all_pages(database, Wanted(agency, standing="ended"), limit)
            assert sorted(ended) == sorted(n for n, c in mine.items() if c.ended_at)
        with database.read() as session:
            rows, _ = commissions.page(session, Wanted(agency, standing="open"), "", 500)
            assert commissions.count_open(session, agency) == len(rows)
        assert [each["due"] for each in rows] == sorted(each["due"] for each in rows)


def test_a_search_finds_by_number_case_and_client(
    database: Database, known: dict[str, Commission]
) -> None:
    found = all_pages(database, Wanted(standing="all", text="〔2026〕12号"), 50)
    assert found == ["鉴委〔2026〕12号"]
    mine = [n for n, c in known.items() if c.brief.client == "第3分局"]
    assert sorted(all_pages(database, Wanted(standing="all", text="第3分"), 50)) == sorted(mine)
    assert all_pages(database, Wanted(standing="all", text="%"), 50) == []


def test_what_changed_since_is_told_in_the_order_of_the_log(
    database: Database, known: dict[str, Commission]
) -> None:
    since, seen = 0, []
    with database.read() as session:
        while rows := commissions.changed(session, "SJ", since, 5):
            seen += [each["commission_no"] for each in rows]
            since = rows[-1]["last_index"]
        assert commissions.changed(session, "SJ", since, 5) == []
    sent = [n for n, c in known.items() if c.agency_id == "SJ" and c.sent_at]
    assert sorted(seen) == sorted(sent)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("after", ["?", "5Zue", "Li4vLi4", "MjAyNi0wMS0wMQ", "A" * 500, "\0"])
def test_a_cursor_that_is_none_is_refused(database: Database, after: str) -> None:
    with database.read() as session:
        for word in ("open", "all"):
            with pytest.raises(InputError) as caught:
                commissions.page(session, Wanted(standing=word), after, 5)
            assert caught.value.remedy
        with pytest.raises(InputError, match="没有"):
            commissions.page(session, Wanted(standing="nonsense"), "", 5)
        for text in ("\0", "\ud800", "长" * 201):
            with pytest.raises(InputError, match="查找"):
                commissions.page(session, Wanted(text=text), "", 5)


@pytest.mark.parametrize("number", ["", "\0", "a\0b", "鉴" * 65, "\ud800", "x\n"])
def test_a_guessed_number_is_found_nowhere(database: Database, number: str) -> None:
    with database.read() as session:
        assert commissions.find(session, number) is None
        with pytest.raises(NotFoundError):
            commissions.steps(session, number)


def test_events_without_a_summary_give_what_their_data_tells(tmp_path: Path) -> None:
    """Steps recorded before listings had columns are listed too, without their due date."""
    opened = Database.open(f"sqlite:///{tmp_path / 'c.sqlite'}")
    upgrade(opened)
    chosen = Random(6)
    history = next(h for h in iter(lambda: random_steps(chosen, 1), None) if len(h) > 3)
    with opened.write() as session:
        for index, (commission, step) in enumerate(history):
            commissions.follow(session, index, event_of(commission, step, told=False))
    with opened.read() as session:
        row = commissions.find(session, "鉴委〔2026〕1号")
    opened.close()
    last = history[-1][0]
    assert NEVER == commissions.NEVER
    assert row is not None
    assert (row["sent_at"], row["last_index"]) == (last.sent_at, len(history) - 1)
    assert row["due"] == ("" if last.is_open else commissions.NEVER)
    assert "第1分局" in row["words"]
