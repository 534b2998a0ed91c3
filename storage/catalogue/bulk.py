"""Many rows, and many values, in one short statement.

A driver sends each row of an ``executemany`` by itself. PostgreSQL takes the columns as arrays
instead, however many rows they hold, and makes the rows of them; SQLite has no arrays, and runs in
this process, where a row costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

Rows = Sequence[dict[str, Any]]
_FEW = 4
"""Rows that are not worth the arrays."""


def insert_rows(session: Session, table: Table, rows: Rows) -> None:
    """Insert rows, all with the same columns; one that is there already is an error."""
    if _as_arrays(session, rows):
        names = list(rows[0])
        session.execute(insert(table).from_select(names, _arrays(table, rows)))
    elif rows:
        session.execute(insert(table), list(rows))


def replace_rows(session: Session, table: Table, rows: Rows) -> None:
    """Insert rows, no two of one key; one that is there already gets the new values."""
    if not rows:
        return
    arrays = _as_arrays(session, rows)
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = make(table)
    if arrays:
        statement = statement.from_select(list(rows[0]), _arrays(table, rows))
    keys = [column.name for column in table.primary_key]
    new = {each.name: each for each in statement.excluded if each.name not in keys}
    statement = statement.on_conflict_do_update(index_elements=keys, set_=new)
    if arrays:
        session.execute(statement)
    else:
        session.execute(statement, list(rows))


def among(session: Session, column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of some values.

    PostgreSQL takes the values as one array: the statement is as short as with one of them.
    """
    if session.get_bind().dialect.name != "postgresql":
        found: ColumnElement[bool] = column.in_(values)
        return found
    array = bindparam(None, list(values), type_=postgresql.ARRAY(column.type))
    return cast(ColumnElement[bool], column == func.any(array))


def _as_arrays(session: Session, rows: Rows) -> bool:
    return len(rows) > _FEW and session.get_bind().dialect.name == "postgresql"


def _arrays(table: Table, rows: Rows) -> Any:
    """Return a selection of the rows, whose columns are given as arrays."""
    columns = [table.c[name] for name in rows[0]]
    values = [
        bindparam(None, [row[each.name] for row in rows], type_=postgresql.ARRAY(each.type))
        for each in columns
    ]
    found = func.unnest(*values).table_valued(*(each.name for each in columns)).render_derived()
    return select(*(found.c[each.name] for each in columns))
