"""One contract of search: SQLite and PostgreSQL answer as a slow reference does, on any corpus.

The reference knows no index and no SQL: it walks the folded units of every page.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from storage.catalogue import first_pages, search, tables
from storage.catalogue.asking import Filters
from storage.catalogue.database import Database
from storage.catalogue.first_pages import Counted, Reach
from storage.catalogue.migrate import _config, upgrade
from storage.catalogue.query import And, Not, Or, Query, Term, parse
from storage.errors import HostError, InputError
from tests.contracts.asked_search import ASKED, TEXTS
from tests.contracts.filtered_search import FILTERS, fill, insert_exhibits, insert_row
from tests.contracts.reference_search import CORPORA, QUERIES, holds
from tests.services.postgres import Postgres

CASE = "c"
WAYS = (
    Reach(pages=1, few=100, frequent=100),  # The index, nearly at once.
    Reach(pages=1, few=1, frequent=1),  # One page, then some more, then the index.
    Reach(pages=2, few=0, deepest=1 << 40),  # A stretch that ends where it likes.
)
"""Ways to the same answers, which a small corpus would not lead to by itself."""
_NUMBERS = count()
"""Cases of one database: every example has a case of its own."""


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('search') / 'c.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    opened = Database.open(url)
    upgrade(opened)
    yield opened
    opened.close()


def pages_of(texts: list[str]) -> list[search.PageInput]:
    return [search.PageInput(at, "document", each) for at, each in enumerate(texts)]


def answer(database: Database, texts: list[str], query: str) -> list[int]:
    case = f"case{next(_NUMBERS)}"
    with database.write() as session:
        search.index_pages(session, case, f"{case}/E0001", pages_of(texts))
    with database.read() as session:
        return [hit.page for hit in search.search(session, case, query)]


def _agrees(database: Database, texts: list[str], query: str) -> None:
    asked = parse(query)
    expected = [at for at, each in enumerate(texts) if each.strip() and holds(each, asked)]
    assert answer(database, texts, query) == expected
    case = f"case{next(_NUMBERS) - 1}"
    with database.read() as session:
        for reach in WAYS:
            for limit in (1, 3, 100):
                found = first_pages.Asker(session, asked, case, Filters(), reach).first(limit)
                pages = select(tables.PageText.page).where(tables.PageText.id.in_(found))
                assert sorted(session.scalars(pages)) == expected[:limit]
                assert found == sorted(found)  # They were put in by page.
                counted = first_pages.Asker(session, asked, case, Filters(), reach).count(limit)
                assert counted == Counted(min(limit, len(expected)), len(expected) > limit)


@pytest.mark.parametrize("compared", [0, 1, 2, 3, 100])
def test_counting_that_ends_early_says_at_least(filled: Database, compared: int) -> None:
    """What is counted is never too much, and whatever was left out is said."""
    reach = Reach(pages=1, few=100, frequent=100, compared=compared)
    with filled.read() as session:
        for query in ("客户名单", "客户 NOT 报价", "lists", "名客", "NOT 客户", "单"):
            expected = len(search.search(session, "", query))
            asker = first_pages.Asker(session, parse(query), "", Filters(), reach)
            counted = asker.count(10)
            assert counted.number <= expected
            assert counted.more or counted.number == expected
            if compared == 100 or filled.embedded:
                assert counted == Counted(expected)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=CORPORA, query=QUERIES)
def test_an_embedded_database_answers_as_the_reference(
    sqlite: Database, texts: list[str], query: str
) -> None:
    _agrees(sqlite, texts, query)


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=CORPORA, query=QUERIES)
def test_a_server_answers_as_the_reference(
    postgresql: Database, texts: list[str], query: str
) -> None:
    _agrees(postgresql, texts, query)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path_factory.mktemp('property') / 'c.sqlite'}")
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def postgresql(postgres: Postgres) -> Iterator[Database]:
    opened = Database.open(postgres.new_database())
    upgrade(opened)
    yield opened
    opened.close()


@given(QUERIES)
def test_every_query_of_the_grammar_is_parsed_and_its_parts_kept(query: str) -> None:
    asked = parse(query)
    assert parse(f"({asked_as_text(asked)})") == parse(asked_as_text(asked))


def asked_as_text(query: Query) -> str:
    if isinstance(query, Term):
        body = " ".join(query.units).replace('"', "")
        return f'"{body}"' if query.exact and body.strip() else "(甲)"
    if isinstance(query, Not):
        return f"NOT {asked_as_text(query.part)}"
    word = " OR " if isinstance(query, Or) else " AND "
    return f"({word.join(map(asked_as_text, query.parts))})"


# What people ask, spelled out.


@pytest.fixture(scope="module")
def filled(database: Database) -> Database:
    with database.write() as session:
        search.index_pages(session, CASE, f"{CASE}/E0001", pages_of(TEXTS))
        search.index_pages(session, "d", "d/E0001", pages_of(TEXTS[:1]))
    return database


@pytest.mark.parametrize("query", ASKED)
def test_what_people_ask(filled: Database, query: str) -> None:
    with filled.read() as session:
        assert [hit.page for hit in search.search(session, CASE, query)] == ASKED[query]


def test_all_cases_in_the_order_of_their_exhibits_and_a_limit(filled: Database) -> None:
    with filled.read() as session:
        hits = search.search(session, "", "客户名单 AND 报价")
        assert [hit.exhibit_id for hit in hits] == ["c/E0001", "d/E0001"]
        assert search.search(session, "", "客户名单 AND 报价", 1) == hits[:1]


def test_a_hit_says_where_it_is(filled: Database) -> None:
    with filled.read() as session:
        (hit,) = search.search(session, CASE, "customers list")
    assert TEXTS[1][slice(*hit.at)] == "lists" or "customer" in hit.snippet
    with filled.read() as session:
        (hit,) = search.search(session, "d", "名单")
    assert TEXTS[0][slice(*hit.at)] == "名單"
    assert "【名單】" in hit.snippet


WRONG: dict[str, tuple[int, str]] = {
    "": (1, "word"),
    "客户 AND": (7, "word"),
    "OR 客户": (1, "word"),
    "(客户": (4, ")"),
    "客户)": (3, "end"),
    'a "b': (3, '"'),
    "甲 ++ 乙": (3, "letters"),
    "NOT": (4, "word"),
    "()": (2, "word"),
}


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_query_is_told_where_and_what_is_expected(query: str) -> None:
    position, expected = WRONG[query]
    with pytest.raises(InputError) as caught:
        parse(query)
    assert caught.value.facts["position"] == position
    assert expected in caught.value.facts["expected"]
    assert str(position) in caught.value.message
    assert caught.value.remedy


def test_what_is_too_long_or_too_deep_is_refused() -> None:
    for query in ("甲" * 3000, "甲 " * 201, "(" * 500 + "甲" + ")" * 500, "NOT " * 400 + "甲"):
        with pytest.raises(InputError):
            parse(query)
    assert parse("(" * 20 + "甲" + ")" * 20) == Term(("甲",))


def test_the_largest_query_is_answered(filled: Database) -> None:
    words = ["NOT 丁"] * 80 + [f"({each} OR 丙)" for each in "客户名单" * 15]
    with filled.read() as session:
        assert [hit.page for hit in search.search(session, CASE, " ".join(words))] == [0, 1]
        assert search.search(session, CASE, " OR ".join(["甲丁"] * 200)) == []


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_an_input_error(query: str) -> None:
    try:
        found: object = parse(query)
    except InputError as error:
        found = error.facts["position"]
    assert isinstance(found, Term | And | Or | Not) or found in range(1, len(query) + 2)


# Long pages, filters, versions.


def test_the_last_words_of_a_long_page_are_found(database: Database) -> None:
    """A tsvector would forget them: it keeps 256 places of a word and 16,383 in all."""
    page = "客户的名单" * 5000 + "，最后的名字 appended"
    assert answer(database, [page], "最后的名字") == [0]
    assert answer(database, [page], "单客户的名单，最后的名字 appending") == [0]
    assert answer(database, [page], "单最后") == []


@pytest.fixture(scope="module")
def filtered(database: Database) -> Database:
    with database.write() as session:
        fill(session)
    return database


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("query", ["筛选", "文本 NOT 名单"])
def test_filters(filtered: Database, name: str, query: str) -> None:
    filters, expected = FILTERS[name]
    with filtered.read() as session:
        hits = [
            hit
            for hit in search.search(session, "", query, filters=filters)
            if hit.exhibit_id.startswith("f")
        ]
    assert [f"{h.exhibit_id}/{h.part}" if h.part else h.exhibit_id for h in hits] == expected


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("query", ["筛选", "文本 NOT 名单", "NOT 名单"])
def test_filters_hold_whichever_way_is_taken(filtered: Database, name: str, query: str) -> None:
    filters, expected = FILTERS[name]
    ways = (*WAYS, Reach(exhibits=1, few=0, taken=1), Reach(exhibits=1, few=9), Reach(counted=0),
            Reach(most_exhibits=0, counted=0, pages=1, few=9),
            Reach(most_exhibits=0, counted=0, pages=1, few=0, deepest=0, exhibits=1))  # fmt: skip
    # Pages of other tests are of no such exhibit, but answer where none is asked for.
    cases = ("f1", "f2", "") if filters.unit or filters.kind else ("f1", "f2")
    with filtered.read() as session:
        for case in cases:
            within = [each for each in expected if each.startswith(case)]
            for reach in ways:
                asker = first_pages.Asker(session, parse(query), case, filters, reach)
                found = asker.first(100)
                rows = {
                    row.id: f"{row.exhibit_id}/{row.part}" if row.part else row.exhibit_id
                    for row in session.scalars(
                        select(tables.PageText).where(tables.PageText.id.in_(found))
                    )
                }
                assert [rows[each] for each in found] == within
                assert asker.first(1) == found[:1]
                assert asker.count(100) == Counted(len(within))


def test_what_a_unit_has_in_several_cases_is_in_the_order_of_all_pages(database: Database) -> None:
    """Exhibits are in the order of their names: ``o-1/`` is before ``o/``, and ``o`` is not."""
    with database.write() as session:
        rows = [(case, at) for case in ("o", "o-1", "o0") for at in range(1, 4)]
        insert_exhibits(
            session,
            *((case, at, "崇明", "2026-11-01", "documentary", "image/png") for case, at in rows),
        )
    ways = [Reach(most_exhibits=0, pages=1, few=0, deepest=0, exhibits=at) for at in (1, 2, 99)]
    with database.read() as session:
        for query in ("筛选", "NOT 名单"):
            for reach in (None, *ways):
                asker = first_pages.Asker(session, parse(query), "", Filters(unit="崇明"), reach)
                found = [session.get_one(tables.PageText, each) for each in asker.first(100)]
                names = [each.exhibit_id for each in found]
                assert names == sorted(f"{case}/E{at:04}" for case, at in rows)
                assert asker.first(4) == [each.id for each in found[:4]]


def test_answers_are_counted_and_more_than_a_thousand_are_only_more(database: Database) -> None:
    case = f"case{next(_NUMBERS)}"
    texts = ["甲" if at % 2 else "甲乙" for at in range(2010)]
    with database.write() as session:
        search.index_pages(session, case, f"{case}/E0001", pages_of(texts))
    with database.read() as session:
        assert search.count(session, case, "丙") == Counted(0)
        assert search.count(session, case, "乙") == Counted(1000, more=True)
        assert search.count(session, case, "甲 NOT 乙") == Counted(1000, more=True)
        assert search.count(session, case, "甲 AND 乙", Filters(unit="无")) == Counted(0)
        hits = search.search(session, case, "甲 NOT 乙", 1003)
    assert [hit.page for hit in hits] == list(range(1, 2006, 2))


def test_an_index_of_another_version_is_not_asked_and_made_again(
    request: pytest.FixtureRequest, database: Database, tmp_path: Path
) -> None:
    if database.embedded:
        other = Database.open(f"sqlite:///{tmp_path / 'old.sqlite'}")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        other = Database.open(server.new_database())
    upgrade(other)
    with other.write() as session:
        search.index_pages(session, CASE, f"{CASE}/E0001", pages_of(TEXTS))
        nothing: list[int] | str = "" if database.embedded else []
        session.execute(update(tables.PageText).values(tokens=" 旧 ", words=None, grams=nothing))
        session.execute(update(tables.SearchIndex).values(version="1"))
    with other.read() as session, pytest.raises(HostError) as caught:
        search.search(session, CASE, "客户名单")
    assert "custody init" in caught.value.remedy
    upgrade(other)
    with other.read() as session:
        assert search.search(session, CASE, "旧") == []
        assert [hit.page for hit in search.search(session, CASE, "客户名单")] == [0]
    with other.write() as session:
        assert search.bring_up_to_date(session) == 0
        search.index_pages(session, CASE, f"{CASE}/E0001", pages_of(["甲"]))
    with other.read() as session:
        assert search.search(session, CASE, "客户名单") == []
    other.close()


def test_a_database_from_before_this_language_is_brought_up(
    request: pytest.FixtureRequest, database: Database, tmp_path: Path
) -> None:
    if database.embedded:
        old = Database.open(f"sqlite:///{tmp_path / 'before.sqlite'}")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        old = Database.open(server.new_database())
    with old.write() as session:
        command.upgrade(_config(session.connection()), "0003")
        insert_row(session, tables.Case, case_id="o", case_no="o", cause="", unit="", secrecy="",
                opened_at="")  # fmt: skip
        insert_row(session, tables.Exhibit, exhibit_id="o/E0001", case_id="o", number=1,
                accession="A", event_index=1, name="合同.pdf", kind="documentary", size=1,
                sha256="", item={}, fingerprint={}, object={})  # fmt: skip
        insert_row(session, tables.Reading, exhibit_id="o/E0001", case_id="o", event_index=2,
                state="read", media_type="application/pdf", pages=1, details={})  # fmt: skip
        session.execute(
            text(
                "INSERT INTO page_text (exhibit_id, case_id, part, page, label, origin, text,"
                " tokens) VALUES ('o/E0001', 'o', '', 1, '', 'ocr', '客戶名單 lists',"
                " '客 戶 名 單 lists')"
            )
        )
    upgrade(old)
    with old.write() as session:
        pages = {
            query: [(hit.page, hit.origin) for hit in search.search(session, "o", query)]
            for query in ("客户名单", "listing", "合同", "戶")
        }
        search.index_pages(session, "o", "o/E0001", pages_of(["甲"]))
        assert search.search(session, "o", "客户名单 OR 合同") == []
    of_page = [(1, "ocr")]
    assert pages == {"客户名单": of_page, "listing": of_page, "合同": [(0, "name")], "戶": of_page}
    old.close()
