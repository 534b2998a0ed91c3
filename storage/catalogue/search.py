"""Full-text search over pages: SQLite FTS5 or PostgreSQL, the same answers from both.

An index gives candidates, and each is then compared with the query on its folded text, in the
database. So the answer is exact whatever the index is: FTS5's phrases in SQLite, sets of
characters, pairs of characters and stems in PostgreSQL (``segment``). The index remembers what
made it; one of an earlier version is made again, from the texts beside it, by ``custody init``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select, text, update
from sqlalchemy.orm import Session

from storage.catalogue import segment
from storage.catalogue.asking import Filters, case_gram
from storage.catalogue.first_pages import Asker, Counted
from storage.catalogue.query import parse, terms
from storage.catalogue.snippets import first, snippet
from storage.catalogue.tables import PageText, SearchIndex
from storage.errors import HostError

COUNTED = 1000
"""Answers that are counted; more than so many are only said to be more."""
_PAGE = cast(Table, PageText.__table__)
_THE_ROW = 1
_BATCH = 500
GRAMS = "ix_page_text_grams"
"""PostgreSQL's index."""
_MAKING = "1GB"
"""Memory of the server while it makes the index: entries gathered before they are written."""


@dataclass(frozen=True)
class PageInput:
    """One page to index; ``label`` names a sheet, attachment or member, or is empty.

    ``part`` is the path of the part that the page belongs to, empty for the exhibit itself.
    """

    number: int
    origin: str
    text: str
    label: str = ""
    part: str = ""


@dataclass(frozen=True)
class Hit:
    """One page that answers a query.

    ``snippet`` shows the first place that was found, in 【】; ``at`` are that place's first
    character in the text of the page and the one after its last, equal where there is none.
    """

    exhibit_id: str
    page: int
    label: str
    origin: str
    snippet: str
    part: str = ""
    at: tuple[int, int] = (0, 0)


def index_pages(session: Session, case: str, exhibit: str, pages: Sequence[PageInput]) -> None:
    """Replace the indexed pages of an exhibit itself; those of its parts stay."""
    rows = page_rows(case, exhibit, pages, grams=wants_grams(session))
    replace_pages(session, {exhibit: rows})


def replace_pages(session: Session, made: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Do the same for exhibits with rows made before, so that no writer waits for their making."""
    own = PageText.exhibit_id.in_(list(made)) & (PageText.part == "")
    session.execute(delete(PageText).where(own))
    add_pages(session, [row for rows in made.values() for row in rows])


def page_rows(
    case: str, exhibit: str, pages: Iterable[PageInput], *, grams: bool = True
) -> list[dict[str, Any]]:
    """Return the rows of pages with their units; for long texts that is most of the work.

    ``grams`` are needed by PostgreSQL's index alone.
    """
    return [
        {
            "exhibit_id": exhibit,
            "case_id": case,
            "part": page.part,
            "page": page.number,
            "label": page.label,
            "origin": page.origin,
            "text": page.text.replace("\0", "\ufffd"),  # PostgreSQL cannot hold it.
            **_derived(case, page.text, grams=grams),
        }
        for page in pages
        if page.text.strip()
    ]


def _derived(case: str, page: str, *, grams: bool) -> dict[str, Any]:
    made = segment.indexed(page.replace("\0", "\ufffd"), with_grams=grams)
    held = [*made.grams, case_gram(case)] if grams else ""
    return {"tokens": made.stems, "words": made.words, "grams": held}


def add_pages(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Index further pages of an exhibit or of its parts."""
    if rows:
        session.execute(insert(_PAGE), _for_dialect(session, rows))


def _for_dialect(session: Session, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what SQLite's index does not need."""
    more = {"grams": ""} if _is_sqlite(session) else {}
    return [{**row, **more} for row in rows]


def wants_grams(session: Session) -> bool:
    """Return whether the database's index holds grams."""
    return not _is_sqlite(session)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def search(
    session: Session, case: str, query: str, limit: int = 100, filters: Filters | None = None
) -> list[Hit]:
    """Return the pages that answer a query, by exhibit, part and page.

    Args:
        session: a reading session.
        case: the identifier of a case, or empty for all cases.
        query: in the language of ``query.parse``.
        limit: how many pages at most.
        filters: what else must hold.

    Raises:
        InputError: the query is none.
        HostError: the index is of another version.
    """
    asked = parse(query)
    _require_version(session)
    ids = Asker(session, asked, case, filters or Filters()).first(limit)
    wanted = list(terms(asked))
    hits = []
    for row in _pages(session, ids):
        place = first(row.text, wanted)
        hits.append(
            Hit(
                row.exhibit_id, row.page, row.label, row.origin,
                snippet(row.text, place), row.part, place or (0, 0),
            )
        )  # fmt: skip
    return hits


def count(session: Session, case: str, query: str, filters: Filters | None = None) -> Counted:
    """Return how many pages answer a query: to ``COUNTED`` just so many, then only that more do.

    Where hardly any of very many candidates answers, counting ends before, with ``more``.

    Raises:
        InputError: the query is none.
        HostError: the index is of another version.
    """
    asked = parse(query)
    _require_version(session)
    return Asker(session, asked, case, filters or Filters()).count(COUNTED)


def _pages(session: Session, ids: Sequence[int]) -> Iterable[Any]:
    """Yield pages in the order of their ids as they are given."""
    for start in range(0, len(ids), _BATCH):
        some = ids[start : start + _BATCH]
        asked = select(
            PageText.id, PageText.exhibit_id, PageText.page, PageText.label, PageText.origin,
            PageText.text, PageText.part,
        ).where(PageText.id.in_(some))  # fmt: skip
        found = {row.id: row for row in session.execute(asked)}
        yield from (found[each] for each in some)


def _require_version(session: Session) -> None:
    if session.scalar(select(SearchIndex.version)) != segment.INDEX_VERSION:
        raise HostError(
            "检索索引是另一版本所建 the search index was made by another version",
            remedy="run 'custody init' to make it again",
        )


def make_index(session: Session) -> None:
    """Make PostgreSQL's index of the pages that are there."""
    session.execute(text(f"SET LOCAL maintenance_work_mem = '{_MAKING}'"))
    # What is new is gathered, and sorted into the index now and then: a MB at a time, because
    # every question reads what is gathered, and whoever fills it up waits.
    with_limit = "WITH (fastupdate = on, gin_pending_list_limit = 1024)"
    session.execute(text(f"CREATE INDEX {GRAMS} ON page_text USING gin (grams) {with_limit}"))


def bring_up_to_date(session: Session) -> int:
    """Make the index again from the texts if another version made it; return the pages.

    Called by the migrations, in their transaction.
    """
    if session.scalar(select(SearchIndex.version)) == segment.INDEX_VERSION:
        return 0
    after, count = 0, 0
    by_id = text(
        "UPDATE page_text SET tokens = :tokens, words = :words, grams = :grams WHERE id = :key"
    ).bindparams(
        bindparam("words", type_=PageText.words.type), bindparam("grams", type_=PageText.grams.type)
    )
    if wants_grams(session):
        # Made of all pages at once, it takes a fraction of the time that its changes would.
        session.execute(text(f"DROP INDEX IF EXISTS {GRAMS}"))
    while True:
        pages = select(PageText.id, PageText.case_id, PageText.text).where(PageText.id > after)
        some = list(session.execute(pages.order_by(PageText.id).limit(_BATCH)))
        if not some:
            break
        rows = [{"key": row.id, **_derived(row.case_id, row.text, grams=True)} for row in some]
        session.execute(by_id, _for_dialect(session, rows))
        after, count = some[-1].id, count + len(some)
    if wants_grams(session):
        make_index(session)
    session.execute(
        update(SearchIndex).where(SearchIndex.id == _THE_ROW).values(version=segment.INDEX_VERSION)
    )
    return count
