"""The parts of exhibits that are containers: rows and questions; every answer is plain data.

Rows are written before the event that names their listing is on record, as the index of pages
is: whoever was killed in between does it again. A rebuild makes them from the listings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select
from sqlalchemy import case as case_of
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.catalogue.tables import Exhibit, Expansion, Fixity, PageText, Part
from storage.errors import NotFoundError

_AT_ONCE = 500
"""Names in one statement."""


def _row(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def place(part: str) -> tuple[int, ...]:
    """Return the indices of a part's path, by which parts are ordered."""
    return tuple(int(index) for index in part.split("/"))


def drop(session: Session, exhibit: str, roots: Sequence[str] = ()) -> None:
    """Remove the parts of an exhibit and their pages: all, or those at and below some paths."""
    for table in (Part, PageText):
        of_exhibit: list[ColumnElement[bool]] = [table.exhibit_id == exhibit]
        if not roots:
            session.execute(delete(table).where(*of_exhibit, table.part != ""))
        for root in roots:
            session.execute(delete(table).where(*of_exhibit, _at_or_below(table.part, root)))


def _at_or_below(column: InstrumentedAttribute[str], root: str) -> ColumnElement[bool]:
    return or_(column == root, column.startswith(f"{root}/", autoescape=True))


def add(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows of parts."""
    if rows:
        session.execute(insert(Part), list(rows))


def find(session: Session, exhibit: str, part: str) -> dict[str, Any]:
    """Return one part of an exhibit.

    Raises:
        NotFoundError: the exhibit has no such part.
    """
    row = session.get(Part, (exhibit, part))
    if row is None:
        raise NotFoundError(
            f"{exhibit} 没有部分 {part} the exhibit has no such part",
            remedy="see 'custody case show CASE --parts'",
        )
    return _row(row)


def of_digest(session: Session, sha256: str, most: int) -> list[dict[str, Any]]:
    """Return parts that are these very bytes and of which pages were read."""
    statement = select(Part).where(Part.sha256 == sha256, Part.pages > 0).limit(most)
    return [_row(row) for row in session.scalars(statement)]


def of_exhibit(session: Session, exhibit: str) -> list[dict[str, Any]]:
    """Return the parts of an exhibit, in the order of its tree."""
    rows = session.scalars(select(Part).where(Part.exhibit_id == exhibit))
    return sorted(map(_row, rows), key=lambda each: place(each["part"]))


def of_case(
    session: Session, case: str, states: Iterable[str] | None = None
) -> list[dict[str, Any]]:
    """Return the parts of a case's exhibits (those in some states), in the order of the trees."""
    statement = select(Part).where(Part.case_id == case)
    if states is not None:
        statement = statement.where(Part.state.in_(list(states)))
    rows = map(_row, session.scalars(statement))
    return sorted(rows, key=lambda each: (each["exhibit_id"], place(each["part"])))


def whole(session: Session, exhibit: str) -> dict[str, Any] | None:
    """Return the listing of the whole exhibit that is in force, or None."""
    row = session.scalars(
        select(Expansion).where(Expansion.exhibit_id == exhibit, Expansion.scope == "whole")
    ).first()
    return None if row is None else _row(row)


def whole_of_case(session: Session, case: str) -> dict[str, dict[str, Any]]:
    """Return the listings of whole exhibits of a case that are in force, by exhibit."""
    rows = session.scalars(
        select(Expansion).where(Expansion.case_id == case, Expansion.scope == "whole")
    )
    return {row.exhibit_id: _row(row) for row in rows}


def newest(session: Session, exhibit: str) -> dict[str, Any] | None:
    """Return the newest listing of an exhibit, whole or of some parts, or None."""
    return newest_of(session, [exhibit]).get(exhibit)


def newest_of(session: Session, exhibits: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the newest listing of each exhibit that has one, by exhibit."""
    found: dict[str, dict[str, Any]] = {}
    for first in range(0, len(exhibits), _AT_ONCE):
        statement = (
            select(Expansion)
            .where(Expansion.exhibit_id.in_(exhibits[first : first + _AT_ONCE]))
            .order_by(Expansion.event_index)
        )
        found.update((row.exhibit_id, _row(row)) for row in session.scalars(statement))
    return found


def whole_listings(session: Session, case: str) -> dict[str, dict[str, Any]]:
    """Return what each exhibit's newest whole listing says (its details), by exhibit."""
    statement = (
        select(Expansion)
        .where(Expansion.case_id == case, Expansion.scope == "whole")
        .order_by(Expansion.event_index)
    )
    return {row.exhibit_id: row.details for row in session.scalars(statement)}


def listings(session: Session, after: int, count: int) -> list[dict[str, Any]]:
    """Return the next listings in force in the order of the log, and whether each is kept."""
    statement = (
        select(Expansion).where(Expansion.event_index > after).order_by(Expansion.event_index)
    )
    rows = [_row(row) for row in session.scalars(statement.limit(count))]
    keys = [row["details"]["object"]["key"] for row in rows]
    gone = select(Fixity.object_key).where(Fixity.object_key.in_(keys), Fixity.disposed.is_(True))
    disposed = set(session.scalars(gone))
    return [{**row, "kept": row["details"]["object"]["key"] not in disposed} for row in rows]


def children(session: Session, case: str, exhibit: str = "") -> list[dict[str, Any]]:
    """Return what each container's recorded members come to: how many, and claimed bytes.

    ``parent`` is the container's path, empty for the exhibit itself.
    """
    statement = (
        select(Part.exhibit_id, Part.parent, func.count(), _known(Part.claimed))
        .where(Part.case_id == case)
        .group_by(Part.exhibit_id, Part.parent)
    )
    if exhibit:
        statement = statement.where(Part.exhibit_id == exhibit)
    return [
        {"exhibit_id": row[0], "parent": row[1], "members": row[2], "bytes": int(row[3])}
        for row in session.execute(statement)
    ]


def _known(column: InstrumentedAttribute[int]) -> ColumnElement[int]:
    """Return the sum of the sizes that are known; -1 says that one is not."""
    return func.sum(case_of((column > 0, column), else_=0))


def containers(session: Session, case: str, exhibit: str = "") -> list[dict[str, Any]]:
    """Return the parts of a case that are containers, with what they say that they hold."""
    statement = select(Part.exhibit_id, Part.part, Part.members, Part.member_bytes).where(
        Part.case_id == case, Part.members >= 0
    )
    if exhibit:
        statement = statement.where(Part.exhibit_id == exhibit)
    return [
        {"exhibit_id": row[0], "part": row[1], "members": row[2], "bytes": row[3]}
        for row in session.execute(statement)
    ]


def tally(session: Session, case: str) -> list[dict[str, Any]]:
    """Return how many parts are in which state, and their bytes, by accession and state."""
    statement = (
        select(Exhibit.accession, Part.state, Part.code, func.count(), _known(Part.size))
        .join(Exhibit, Exhibit.exhibit_id == Part.exhibit_id)
        .where(Part.case_id == case)
        .group_by(Exhibit.accession, Part.state, Part.code)
        .order_by(Exhibit.accession, Part.state, Part.code)
    )
    return [
        {
            "accession": row[0],
            "state": row[1],
            "code": row[2],
            "count": row[3],
            "bytes": int(row[4]),
        }
        for row in session.execute(statement)
    ]
