"""A query as SQL: what the index gives, what is compared with it, and the filters.

The index may give too much and never too little: what stands under NOT asks nothing of it. The
same question can be asked without the index too, of a stretch of pages in their order: what is
frequent is found there at once. Every value is a parameter; the SQL is made of fixed pieces. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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

    @property
    def of_exhibits(self) -> bool:
        """Whether anything is asked that exhibits as a whole have or have not."""
        return bool(self.kind or self.unit or self.since or self.until)


Asked = tuple[str, dict[str, Any]]
"""A statement and its values."""
Place = tuple[str, str, int]
"""Exhibit, part and page: the order of all pages, but for the labels of one."""


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


def case_gram(case: str) -> int:
    """Return what the grams of every page of a case hold; a word may have the same number."""
    return segment.hashed(f"={case}")


def statement(query: Query, case: str, filters: Filters, limit: int, *, sqlite: bool) -> Asked:
    """Return a SELECT of the ids of the pages that answer a query, in order, by the index.

    PostgreSQL keeps texts apart from the rows: what the index gives is put in order without them,
    and then compared with the query one after the other, until there are enough.
    """
    sql = _Sql(sqlite)
    if sqlite or (_sure(sql, query) and filters == Filters()):
        found = _found(sql, query, case, filters, "p.id, p.exhibit_id, p.part, p.page, p.label")
        ids = f"SELECT p.id FROM {_apart(found, sqlite)} p {_order(sqlite)}"  # noqa: S608
    else:
        wanted = "p.id, p.exhibit_id, p.part, p.page, p.label, p.tokens, p.words"
        found = _found(sql, query, case, Filters(), wanted, compared=False)
        placed = f"SELECT * FROM {_apart(found, sqlite)} p {_order(sqlite)} OFFSET 0"  # noqa: S608
        ids = f"SELECT p.id FROM ({placed}) p {_compared(sql, query, filters)}"  # noqa: S608
    return f"{ids} LIMIT {sql.name(limit)}", sql.parameters


def _apart(found: str, sqlite: bool) -> str:
    """Keep pages apart from their order: no database is to walk all in order to spare the sorting.

    PostgreSQL need not keep them for it.
    """
    if sqlite:
        return f"(WITH n AS MATERIALIZED ({found}) SELECT * FROM n)"  # noqa: S608 - fixed text
    return f"({found} OFFSET 0)"


def counting(
    query: Query,
    case: str,
    filters: Filters,
    most: tuple[int, int],
    *,
    sqlite: bool,
    indexed: bool = True,
) -> Asked:
    """Return a SELECT of how many pages answer a query, counted to the first of ``most``.

    What is on many pages is counted sooner without the index, page by page. Of what PostgreSQL's
    index gives, no more pages are compared than the second of ``most``: then how many were is the
    second column.
    """
    sql = _Sql(sqlite)
    if sqlite or not indexed or _sure(sql, query) or not has_index(query):
        found = _found(sql, query, case, filters, "1", indexed=indexed)
        return f"SELECT count(*) FROM ({found} LIMIT {sql.name(most[0])}) n", sql.parameters  # noqa: S608
    wanted = "p.exhibit_id, p.part, p.tokens, p.words"
    found = _found(sql, query, case, Filters(), wanted, compared=False)
    counted = f"SELECT 1 FROM p {_compared(sql, query, filters)} LIMIT {sql.name(most[0])}"  # noqa: S608
    return (
        f"WITH p AS MATERIALIZED ({found} LIMIT {sql.name(most[1])})"  # noqa: S608 - fixed text
        f" SELECT n.c, CASE WHEN n.c < {sql.name(most[0])} THEN (SELECT count(*) FROM p) ELSE 0 END"
        f" FROM (SELECT count(*) AS c FROM ({counted}) f) n",
        sql.parameters,
    )


def _compared(sql: _Sql, query: Query, filters: Filters) -> str:
    """Return what leaves of pages ``p`` those that answer, each compared when it is asked for.

    Their texts are still where they lie: a page brings only the place of its text with it.
    """
    if filters == Filters():
        return f"WHERE {_true(sql, query)}"
    # What depends on the page cannot be asked before it, so their order stays; filters ask less.
    passed = f"SELECT p.tokens, p.words{_where(_filtered(sql, filters))} OFFSET 0"
    return f"CROSS JOIN LATERAL ({passed}) f WHERE {_true(sql, query, 'f')}"


def _found(
    sql: _Sql,
    query: Query,
    case: str,
    filters: Filters,
    wanted: str,
    *,
    indexed: bool = True,
    compared: bool = True,
) -> str:
    conditions = [f"p.case_id = {sql.name(case)}"] if case else []
    source = "page_text p"
    if (
        indexed
        and not sql.sqlite
        and (held := _held(sql, query, [case_gram(case)] if case else []))
    ):
        # PostgreSQL's index knows the case too, and is not to be left for that of cases alone:
        # that one cannot be asked of an expression.
        conditions = [held, *(f"p.case_id || '' = {sql.name(case)}" for _ in conditions)]
    if indexed and sql.sqlite and (match := _match(query)):
        value = sql.name(match)
        # A cross join keeps SQLite from walking every page of the case in its order.
        found = f"SELECT rowid AS hit FROM page_fts WHERE page_fts MATCH {value}"  # noqa: S608 - fixed text
        source = f"({found}) f CROSS JOIN page_text p ON p.id = f.hit"
    if compared and not (indexed and _sure(sql, query)):
        conditions.append(_true(sql, query))
    conditions += _filtered(sql, filters)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {wanted} FROM {source}{where}"  # noqa: S608 - fixed text


def _order(sqlite: bool) -> str:
    # The same order everywhere: SQLite compares bytes by itself.
    by = _by(sqlite)
    return f"ORDER BY p.exhibit_id{by}, p.part{by}, p.page, p.label{by}, p.id"


def _by(sqlite: bool) -> str:
    return "" if sqlite else ' COLLATE "C"'


def has_index(query: Query) -> bool:
    """Whether the index can tell anything: not of NOT alone."""
    return bool(_match(query))


def boundary(case: str, after: Place | None, pages: int, *, sqlite: bool) -> Asked:
    """Return a SELECT of the place of the last of so many pages, in order; of none if no more."""
    sql = _Sql(sqlite)
    by = _by(sqlite)
    where = _stretch(sql, case, after, None)
    order = f"ORDER BY p.exhibit_id{by}, p.part{by}, p.page LIMIT 1 OFFSET {sql.name(pages - 1)}"
    return (
        f"SELECT p.exhibit_id, p.part, p.page FROM page_text p{_where(where)} {order}",  # noqa: S608
        sql.parameters,
    )


def walking(
    query: Query,
    case: str,
    filters: Filters,
    stretch: tuple[Place | None, Place | None],
    limit: int,
    *,
    sqlite: bool,
) -> Asked:
    """Return a SELECT of the ids of answers on a stretch of pages, in order, without the index.

    ``stretch`` is the place after which it begins, and the last place of it; None: no bound.
    """
    sql = _Sql(sqlite)
    conditions = [*_stretch(sql, case, *stretch), _true(sql, query), *_filtered(sql, filters)]
    ids = f"SELECT p.id FROM page_text p{_where(conditions)} {_order(sqlite)}"  # noqa: S608
    return f"{ids} LIMIT {sql.name(limit)}", sql.parameters


def among(
    query: Query, exhibits: Sequence[str], filters: Filters, limit: int, *, sqlite: bool
) -> Asked:
    """Return a SELECT of the ids of answers in some exhibits, in order, without the index."""
    sql = _Sql(sqlite)
    names = ", ".join(sql.name(each) for each in exhibits)
    conditions = [f"p.exhibit_id IN ({names})", _true(sql, query)]
    conditions += _filtered(sql, Filters(media_type=filters.media_type))
    ids = f"SELECT p.id FROM page_text p{_where(conditions)} {_order(sqlite)}"  # noqa: S608
    return f"{ids} LIMIT {sql.name(limit)}", sql.parameters


def exhibits_of(cases: Sequence[str], filters: Filters, most: int, *, sqlite: bool) -> Asked:
    """Return a SELECT of the exhibits that pass the filters, in no order, at most so many.

    Of some cases alone, or of all if none is given.
    """
    sql = _Sql(sqlite)
    names = ", ".join(sql.name(each) for each in cases)
    conditions = [f"e.case_id IN ({names})"] if cases else []
    conditions += [f"{what} {sql.name(value)}" for what, value in _of_exhibit(filters)]
    found = f"SELECT e.exhibit_id FROM {_BUNDLED}{_where(conditions)}"  # noqa: S608
    return f"{found} LIMIT {sql.name(most)}", sql.parameters


def cases_of(filters: Filters, *, sqlite: bool) -> Asked:
    """Return a SELECT of the cases of bundles that pass the filters, in no order.

    An exhibit and its bundle are of the same case. What is asked of exhibits alone is left out.
    """
    sql = _Sql(sqlite)
    asked = _of_exhibit(replace(filters, kind=""))
    conditions = [f"{what} {sql.name(value)}" for what, value in asked]
    return f"SELECT DISTINCT a.case_id FROM accession a{_where(conditions)}", sql.parameters  # noqa: S608


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _stretch(sql: _Sql, case: str, after: Place | None, last: Place | None) -> list[str]:
    """Return conditions on the place of a page; exhibits begin with the name of their case."""
    by = _by(sql.sqlite)
    conditions = []
    if case:
        first, beyond = sql.name(f"{case}/"), sql.name(f"{case}0")  # 0 comes after the slash.
        conditions += [f"p.exhibit_id{by} >= {first}", f"p.exhibit_id{by} < {beyond}"]
    for sign, place in ((">", after), ("<=", last)):
        if place is not None:
            values = ", ".join(sql.name(value) for value in place)
            conditions.append(f"(p.exhibit_id{by}, p.part{by}, p.page) {sign} ({values})")
    return conditions


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


def _held(sql: _Sql, query: Query, of_case: list[int]) -> str:
    """Return a condition of PostgreSQL's index for what may answer, empty for every page."""
    if isinstance(query, Term):
        grams = segment.grams(query.stems)
        if not grams:
            return ""
        return f"p.grams @> CAST({sql.name(grams + of_case)} AS integer[])"
    if isinstance(query, Not):
        return ""
    parts = [_held(sql, part, of_case) for part in query.parts]
    if isinstance(query, Or):
        return "" if "" in parts else f"({' OR '.join(parts)})"
    some = list(filter(None, parts))
    return f"({' AND '.join(some)})" if some else ""


def _sure(sql: _Sql, query: Query) -> bool:
    """Whether the index alone gives the answer: single characters, and in SQLite words; no NOT."""
    if isinstance(query, Term):
        (unit, *more) = query.units
        short = len(unit) < (100 if sql.sqlite else 2)
        return not more and short and segment.is_token(unit) and not query.exact
    return not isinstance(query, Not) and all(_sure(sql, part) for part in query.parts)


def _true(sql: _Sql, query: Query, page: str = "p") -> str:
    """Return the condition that is the query itself, on the folded text of a page."""
    if isinstance(query, Term):
        tokens = f"{page}.tokens"
        column = f"coalesce({page}.words, {tokens})" if query.exact else tokens
        wanted = segment.spelled(query.units if query.exact else query.stems)
        function = "instr" if sql.sqlite else "strpos"
        return f"{function}({column}, {sql.name(wanted)}) > 0"
    if isinstance(query, Not):
        return f"NOT ({_true(sql, query.part, page)})"
    word = " OR " if isinstance(query, Or) else " AND "
    return f"({word.join(_true(sql, part, page) for part in query.parts)})"


_BUNDLED = "exhibit e JOIN accession a ON a.accession = e.accession"
_DAY = "substr(a.received_at, 1, 10)"


def _of_exhibit(filters: Filters) -> list[tuple[str, str]]:
    """Return what is asked of an exhibit and of its bundle: a comparison and its value."""
    asked = (
        ("e.kind =", filters.kind),
        ("a.unit =", filters.unit),
        (f"{_DAY} >=", filters.since),
        (f"{_DAY} <=", filters.until),
    )
    return [(what, value) for what, value in asked if value]


def _filtered(sql: _Sql, filters: Filters) -> list[str]:
    conditions = []
    if filters.of_exhibits:
        asked = " AND ".join(f"{what} {sql.name(value)}" for what, value in _of_exhibit(filters))
        of_page = f"SELECT 1 FROM {_BUNDLED} WHERE e.exhibit_id = p.exhibit_id"  # noqa: S608
        conditions.append(f"EXISTS ({of_page} AND {asked})")
    if filters.media_type:
        conditions.append(_of_type(sql, filters.media_type))
    return conditions


def _of_type(sql: _Sql, media_type: str) -> str:
    value, length = sql.name(media_type), sql.name(len(media_type))
    begins = f"substr(t.media_type, 1, {length}) = {value}"
    own = "SELECT 1 FROM reading t WHERE t.exhibit_id = p.exhibit_id AND p.part = ''"
    parts = "SELECT 1 FROM part t WHERE t.exhibit_id = p.exhibit_id AND t.part = p.part"
    return f"(EXISTS ({own} AND {begins}) OR EXISTS ({parts} AND {begins}))"
