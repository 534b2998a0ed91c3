"""A query as SQL: what the index gives, what is compared with it, and the filters.

The index may give too much and never too little: what stands under NOT asks nothing of it. Every
value is a parameter; the SQL is made of fixed pieces. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from storage.catalogue import segment
from storage.catalogue.query import Not, Or, Query, Term


@dataclass(frozen=True)
class Filters:
    """What must hold of a page beside the query; empty asks nothing.

    ``kind`` is that of the exhibit (``documentary``), ``unit`` the one that handed it in;
    ``since`` and ``until`` are the first and last day (ISO dates) on which its bundle was
    received; ``media_type`` is the type of the exhibit or of the part, or its beginning
    (``image/``).
    """

    kind: str = ""
    unit: str = ""
    since: str = ""
    until: str = ""
    media_type: str = ""


@dataclass
class _Sql:
    """Pieces under way, with the parameters that they name."""

    sqlite: bool
    parameters: dict[str, Any] = field(default_factory=dict)

    def name(self, value: Any) -> str:
        """Keep a value and return what stands for it."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"


def case_gram(case: str) -> str:
    """Return what the grams of every page of a case hold, which no text can hold."""
    return f"={case.replace(' ', '_')}"


def statement(
    query: Query, case: str, filters: Filters, limit: int, *, sqlite: bool
) -> tuple[str, dict[str, Any]]:
    """Return a SELECT of the ids of the pages that answer a query, in order, and its values."""
    sql = _Sql(sqlite)
    held = "" if sqlite else _held(sql, query, [case_gram(case)] if case else [])
    # PostgreSQL's index knows the case too, and is not to be left for that of cases alone.
    conditions = [held] if held else [f"p.case_id = {sql.name(case)}"] if case else []
    source = "page_text p"
    match = _match(query) if sqlite else ""
    if match:
        value = sql.name(match)
        # A cross join keeps SQLite from walking every page of the case in its order.
        found = f"SELECT rowid AS hit FROM page_fts WHERE page_fts MATCH {value}"  # noqa: S608 - fixed text
        source = f"({found}) f CROSS JOIN page_text p ON p.id = f.hit"
    if not _sure(query):
        conditions.append(_true(sql, query))
    conditions += _filtered(sql, filters)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    # The same order everywhere: SQLite compares bytes by itself.
    by = "" if sqlite else ' COLLATE "C"'
    order = f"p.exhibit_id{by}, p.part{by}, p.page, p.label{by}, p.id"
    ids = f"SELECT p.id FROM {source}{where} ORDER BY {order}"  # noqa: S608 - fixed text
    return f"{ids} LIMIT {sql.name(limit)}", sql.parameters


def _match(query: Query) -> str:
    """Return an expression of FTS5 for what may answer, empty if that is every page."""
    if isinstance(query, Term):
        # The tokenizer leaves marks of ASCII out of texts, so they are no part of a phrase.
        units = [u for u in query.stems if not u.isascii() or u.isalnum()]
        return f'"{" ".join(units)}"' if units else ""
    if isinstance(query, Not):
        return ""
    parts = [_match(part) for part in query.parts]
    if isinstance(query, Or):
        return "" if "" in parts else f"({' OR '.join(parts)})"
    some = list(filter(None, parts))
    return f"({' AND '.join(some)})" if some else ""


def _held(sql: _Sql, query: Query, of_case: list[str]) -> str:
    """Return a condition of PostgreSQL's index for what may answer, empty for every page."""
    if isinstance(query, Term):
        grams = sorted(set(segment.grams(query.stems)))
        if not grams:
            return ""
        grams += of_case
        return f"string_to_array(p.grams, ' ') @> CAST({sql.name(grams)} AS text[])"
    if isinstance(query, Not):
        return ""
    parts = [_held(sql, part, of_case) for part in query.parts]
    if isinstance(query, Or):
        return "" if "" in parts else f"({' OR '.join(parts)})"
    some = list(filter(None, parts))
    return f"({' AND '.join(some)})" if some else ""


def _sure(query: Query) -> bool:
    """Whether the index alone gives the answer: single characters and words, and no NOT."""
    if isinstance(query, Term):
        (unit, *more) = query.units
        short = len(unit) < 100
        return not more and short and segment.is_token(unit) and not query.exact
    return not isinstance(query, Not) and all(map(_sure, query.parts))


def _true(sql: _Sql, query: Query) -> str:
    """Return the condition that is the query itself, on the folded text."""
    if isinstance(query, Term):
        column = "coalesce(p.words, p.tokens)" if query.exact else "p.tokens"
        wanted = segment.spelled(query.units if query.exact else query.stems)
        function = "instr" if sql.sqlite else "strpos"
        return f"{function}({column}, {sql.name(wanted)}) > 0"
    if isinstance(query, Not):
        return f"NOT ({_true(sql, query.part)})"
    word = " OR " if isinstance(query, Or) else " AND "
    return f"({word.join(_true(sql, part) for part in query.parts)})"


def _filtered(sql: _Sql, filters: Filters) -> list[str]:
    exhibit = "EXISTS (SELECT 1 FROM exhibit e {} WHERE e.exhibit_id = p.exhibit_id AND {})"
    received = "JOIN accession a ON a.accession = e.accession"
    day = "substr(a.received_at, 1, 10)"
    conditions = []
    if filters.kind:
        conditions.append(exhibit.format("", f"e.kind = {sql.name(filters.kind)}"))
    for condition, value in (
        ("a.unit =", filters.unit),
        (f"{day} >=", filters.since),
        (f"{day} <=", filters.until),
    ):
        if value:
            conditions.append(exhibit.format(received, f"{condition} {sql.name(value)}"))
    if filters.media_type:
        conditions.append(_of_type(sql, filters.media_type))
    return conditions


def _of_type(sql: _Sql, media_type: str) -> str:
    value, length = sql.name(media_type), sql.name(len(media_type))
    begins = f"substr(t.media_type, 1, {length}) = {value}"
    own = "SELECT 1 FROM reading t WHERE t.exhibit_id = p.exhibit_id AND p.part = ''"
    parts = "SELECT 1 FROM part t WHERE t.exhibit_id = p.exhibit_id AND t.part = p.part"
    return f"(EXISTS ({own} AND {begins}) OR EXISTS ({parts} AND {begins}))"
