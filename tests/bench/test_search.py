"""The bench of search: its pages are indexed as real ones are, and what is kept is taken again."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import select

from storage.catalogue import search
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from storage.catalogue.tables import PageText
from tests.bench import search_databases, search_pages
from tests.bench.search import KINDS, ask, measure
from tests.bench.search_databases import opened
from tests.bench.search_growing import grow
from tests.bench.search_questions import questions
from tests.services.postgres import Postgres

PAGES = 90


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the texts repeated after 40 pages, in other exhibits of the same cases."""
    monkeypatch.setattr(search_pages, "DISTINCT", 40)
    monkeypatch.setattr(search_pages, "CASES", 2)


def rows_of(database: Database) -> list[tuple[object, ...]]:
    names = [getattr(PageText, name) for name in search_pages._PAGE]
    with database.read() as session:
        asked = select(*names).order_by(PageText.exhibit_id, PageText.page)
        return [tuple(row) for row in session.execute(asked)]


@pytest.mark.slow
def test_pages_that_are_copied_into_a_server_are_those_that_reading_indexes(
    postgres: Postgres, few: None
) -> None:
    filled, read = (Database.open(postgres.new_database()) for _ in range(2))
    upgrade(filled)
    upgrade(read)
    assert search_pages.fill(filled, PAGES, 60) > 0
    found = rows_of(filled)
    assert len(found) == PAGES
    assert len({row[6] for row in found}) == 40
    of_exhibit: dict[tuple[str, str], list[search.PageInput]] = {}
    for exhibit, case, part, page, label, origin, text, *_ in found:
        one = search.PageInput(page, origin, text, label, part)  # type: ignore[arg-type]
        of_exhibit.setdefault((str(case), str(exhibit)), []).append(one)
    with read.write() as session:
        for (case, exhibit), pages in of_exhibit.items():
            search.index_pages(session, case, exhibit, pages)
    assert rows_of(read) == found
    filled.close()
    read.close()


@pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_what_was_kept_is_taken_again_and_asked_everything(
    monkeypatch: pytest.MonkeyPatch, few: None, *, postgres: bool
) -> None:
    # Not below pytest's own folder: the server is another user, whom every pytest locks out.
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        _kept(monkeypatch, Path(folder), postgres=postgres)


def _kept(monkeypatch: pytest.MonkeyPatch, kept: Path, *, postgres: bool) -> None:
    with opened(PAGES, 60, kept, postgres=postgres) as there:
        before = rows_of(there.database)
        assert {figure.goal for figure in measure(there, KINDS, frozen=1)} == {100, None}
        page, used, most = grow(there)
        assert 0 < page.value < most.value
        assert used.value > 0
    real = search_databases._fill
    monkeypatch.setattr(search_databases, "_fill", lambda *_: pytest.fail("filled again"))
    with opened(PAGES, 60, kept, postgres=postgres) as there:
        assert rows_of(there.database) == before
        times = ask(there, questions(KINDS, 1))
        assert len(times.together.all) == len(times.used.all) == 2 * KINDS
        assert len(times.hits) == KINDS + 1
    monkeypatch.setattr(search_databases, "_fill", real)
    with opened(PAGES + 1, 60, kept, postgres=postgres) as there:
        assert len(rows_of(there.database)) == PAGES + 1
