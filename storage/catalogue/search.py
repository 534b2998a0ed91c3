"""Full-text search over pages: SQLite FTS5 or PostgreSQL, the same answers from both.

Both index the token string made by ``segment``; a query is the conjunction of its phrases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, text
from sqlalchemy.orm import Session

from storage.catalogue import segment
from storage.catalogue.tables import PageText

_SQLITE = (
    "CREATE VIRTUAL TABLE page_fts USING fts5(tokens, content='page_text', content_rowid='id',"
    " tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER page_text_ai AFTER INSERT ON page_text BEGIN"
    " INSERT INTO page_fts(rowid, tokens) VALUES (new.id, new.tokens); END",
    "CREATE TRIGGER page_text_ad AFTER DELETE ON page_text BEGIN"
    " INSERT INTO page_fts(page_fts, rowid, tokens) VALUES ('delete', old.id, old.tokens); END",
)
_POSTGRESQL = (
    "CREATE INDEX ix_page_text_tokens ON page_text USING gin (to_tsvector('simple', tokens))",
)


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
    """One page that answers a query."""

    exhibit_id: str
    page: int
    label: str
    origin: str
    snippet: str
    part: str = ""


def create_index(connection: Connection) -> None:
    """Make the full-text index of this dialect (called by the migration)."""
    statements = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    for statement in statements:
        connection.execute(text(statement))


def index_pages(session: Session, case: str, exhibit: str, pages: Sequence[PageInput]) -> None:
    """Replace the indexed pages of an exhibit itself; those of its parts stay."""
    replace_pages(session, exhibit, page_rows(case, exhibit, pages))


def replace_pages(session: Session, exhibit: str, rows: Sequence[dict[str, Any]]) -> None:
    """Do the same with rows that were made before, so that no writer waits for their making."""
    session.execute(delete(PageText).where(PageText.exhibit_id == exhibit, PageText.part == ""))
    add_pages(session, rows)


def page_rows(case: str, exhibit: str, pages: Iterable[PageInput]) -> list[dict[str, Any]]:
    """Return the rows of pages with their tokens; for long texts that is most of the work."""
    return [
        {
            "exhibit_id": exhibit,
            "case_id": case,
            "part": page.part,
            "page": page.number,
            "label": page.label,
            "origin": page.origin,
            "text": page.text,
            "tokens": " ".join(segment.tokens(page.text)),
        }
        for page in pages
        if page.text.strip()
    ]


def add_pages(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Index further pages of an exhibit or of its parts."""
    if rows:
        session.execute(insert(PageText), list(rows))


def search(session: Session, case: str, query: str, limit: int = 100) -> list[Hit]:
    """Return the pages of a case on which every phrase of the query stands, in exhibit order."""
    wanted = segment.phrases(query)
    if not wanted:
        return []
    sqlite = session.get_bind().dialect.name == "sqlite"
    condition, expression = _sqlite_query(wanted) if sqlite else _postgresql_query(wanted)
    statement = text(
        "SELECT exhibit_id, page, label, origin, text, part FROM page_text"  # noqa: S608 - fixed text
        f" WHERE case_id = :case AND {condition}"
        " ORDER BY exhibit_id, part, page, label LIMIT :limit"
    ).bindparams(bindparam("case", case), bindparam("limit", limit))
    rows = session.execute(statement, expression)
    return [Hit(r[0], r[1], r[2], r[3], segment.snippet(r[4], query), r[5]) for r in rows]


def _sqlite_query(wanted: list[list[str]]) -> tuple[str, dict[str, str]]:
    match = " AND ".join('"' + " ".join(phrase) + '"' for phrase in wanted)
    return "id IN (SELECT rowid FROM page_fts WHERE page_fts MATCH :match)", {"match": match}


def _postgresql_query(wanted: list[list[str]]) -> tuple[str, dict[str, str]]:
    parameters = {f"p{number}": " ".join(phrase) for number, phrase in enumerate(wanted)}
    parts = (
        f"to_tsvector('simple', tokens) @@ phraseto_tsquery('simple', :{name})"
        for name in parameters
    )
    return " AND ".join(parts), parameters
