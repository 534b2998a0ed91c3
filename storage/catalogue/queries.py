"""Questions to the catalogue; every answer is plain data, no session leaves this module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.catalogue import tables
from storage.errors import InputError, NotFoundError
from storage.event import Action

_AT_ONCE = 200
"""Rows that are in memory at once where very many are asked for."""


def _row(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def find_case(session: Session, name: str) -> dict[str, Any]:
    """Return a case by its identifier or its number.

    Raises:
        NotFoundError: there is no such case.
    """
    statement = select(tables.Case).where(
        (tables.Case.case_id == name) | (tables.Case.case_no == name)
    )
    row = session.scalars(statement).first()
    if row is None:
        raise NotFoundError(
            f"没有案件{name!r} there is no case {name!r}", remedy="查看案件 see 'custody case list'"
        )
    return _row(row)


def list_cases(session: Session) -> list[dict[str, Any]]:
    """Return every case with its number of exhibits and bytes, by identifier."""
    statement = (
        select(
            tables.Case,
            func.count(tables.Exhibit.exhibit_id),
            func.coalesce(func.sum(tables.Exhibit.size), 0),
        )
        .outerjoin(tables.Exhibit, tables.Exhibit.case_id == tables.Case.case_id)
        .group_by(tables.Case.case_id)
        .order_by(tables.Case.case_id)
    )
    rows = session.execute(statement)
    return [{**_row(case), "exhibits": count, "bytes": int(size)} for case, count, size in rows]


def list_exhibits(session: Session, case: str) -> list[dict[str, Any]]:
    """Return the exhibits of a case by number, each with its reading under ``reading``."""
    return list(each_exhibit(session, case))


def each_exhibit(session: Session, case: str) -> Iterator[dict[str, Any]]:
    """Yield the exhibits of a case as ``list_exhibits`` does, some hundred in memory at once."""
    statement = (
        select(tables.Exhibit, tables.Reading)
        .outerjoin(tables.Reading, tables.Reading.exhibit_id == tables.Exhibit.exhibit_id)
        .where(tables.Exhibit.case_id == case)
        .order_by(tables.Exhibit.number)
    )
    for exhibit, reading in session.execute(statement.execution_options(yield_per=_AT_ONCE)):
        yield {**_row(exhibit), "reading": _row(reading) if reading is not None else None}


def find_exhibit(session: Session, name: str) -> dict[str, Any]:
    """Return an exhibit by ``<case identifier or number>/E0001``.

    Raises:
        InputError: the name has another form.
        NotFoundError: there is no such exhibit.
    """
    case_name, separator, label = name.rpartition("/")
    if not separator:
        raise InputError(
            f"{name!r}不是证据编号 {name!r} is not an exhibit",
            remedy="写作 案号/E0001 name it as CASE/E0001, see 'custody case show'",
        )
    case = find_case(session, case_name)
    row = session.get(tables.Exhibit, f"{case['case_id']}/{label.upper()}")
    if row is None:
        raise NotFoundError(
            f"案件{case['case_no']}没有证据{label} case {case['case_no']} has no exhibit {label}",
            remedy="查看案件的证据 see 'custody case show CASE'",
        )
    return _row(row)


def find_exhibits(session: Session, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return exhibits in the order of their names, those named by identifier all at once.

    Raises:
        InputError, NotFoundError: as ``find_exhibit``.
    """
    known = _by_exhibit(session, tables.Exhibit, names)
    return [known.get(name) or find_exhibit(session, name) for name in names]


def find_reading(session: Session, exhibit: str) -> dict[str, Any] | None:
    """Return the newest reading of an exhibit, or None."""
    row = session.get(tables.Reading, exhibit)
    return None if row is None else _row(row)


def find_readings(session: Session, exhibits: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the newest reading of each exhibit that has one, by exhibit."""
    return _by_exhibit(session, tables.Reading, exhibits)


_AT_ONCE = 500
"""Names in one statement."""


def _by_exhibit(session: Session, kind: Any, exhibits: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for first in range(0, len(exhibits), _AT_ONCE):
        some = exhibits[first : first + _AT_ONCE]
        # Columns and not objects: a session that would keep each of them is not needed.
        statement = select(kind.__table__).where(kind.exhibit_id.in_(some))
        rows = session.execute(statement).mappings()
        found.update((row["exhibit_id"], dict(row)) for row in rows)
    return found


def returned_unread(session: Session, after: int) -> tuple[list[str], int]:
    """Return opinions that came back past an entry and that nobody has read, and the last entry.

    The oldest come first; without any new entry the last one is ``after`` itself.
    """
    event, named, reading = tables.EventRef, tables.EventExhibit, tables.Reading
    last = session.scalar(select(func.max(event.index)))
    statement = (
        select(named.exhibit_id)
        .join(event, event.index == named.index)
        .outerjoin(reading, reading.exhibit_id == named.exhibit_id)
        .where(
            event.index > after,
            event.action == Action.RETURNED.value,
            reading.exhibit_id.is_(None),
        )
        .order_by(event.index)
    )
    return list(dict.fromkeys(session.scalars(statement))), after if last is None else last


def readings_of(session: Session, sha256: str, most: int) -> list[dict[str, Any]]:
    """Return the newest readings of exhibits that are these very bytes, the latest first."""
    statement = (
        select(tables.Reading)
        .join(tables.Exhibit, tables.Exhibit.exhibit_id == tables.Reading.exhibit_id)
        .where(tables.Exhibit.sha256 == sha256)
        .order_by(tables.Reading.event_index.desc())
        .limit(most)
    )
    return [_row(row) for row in session.scalars(statement)]


def event_indexes(session: Session, exhibit: str) -> list[int]:
    """Return the log indexes of an exhibit's events, in order."""
    statement = (
        select(tables.EventExhibit.index)
        .where(tables.EventExhibit.exhibit_id == exhibit)
        .order_by(tables.EventExhibit.index)
    )
    return list(session.scalars(statement))


def list_accessions(session: Session, case: str | None = None) -> list[dict[str, Any]]:
    """Return accessions (of one case, if given) by number."""
    statement = select(tables.Accession).order_by(tables.Accession.accession)
    if case is not None:
        statement = statement.where(tables.Accession.case_id == case)
    return [_row(row) for row in session.scalars(statement)]


def find_accession(session: Session, accession: str) -> dict[str, Any] | None:
    """Return one accession, or None before its first event."""
    row = session.get(tables.Accession, accession)
    return None if row is None else _row(row)


def exhibits_of(session: Session, accession: str) -> list[str]:
    """Return the exhibits of an accession, by number."""
    statement = (
        select(tables.Exhibit.exhibit_id)
        .where(tables.Exhibit.accession == accession)
        .order_by(tables.Exhibit.number)
    )
    return list(session.scalars(statement))


def list_agencies(session: Session) -> list[dict[str, Any]]:
    """Return the newest description of every agency."""
    statement = select(tables.Agency).order_by(tables.Agency.agency_id)
    return [row.body for row in session.scalars(statement)]


def agency_names(session: Session) -> dict[str, str]:
    """Return the name of every agency, by identifier."""
    statement = select(tables.Agency.agency_id, tables.Agency.name)
    rows = session.execute(statement.order_by(tables.Agency.agency_id))
    return {agency: name for agency, name in rows}  # noqa: C416


def find_agency(session: Session, agency: str) -> dict[str, Any]:
    """Return an agency's description by identifier or name.

    Raises:
        NotFoundError: there is no such agency.
    """
    statement = select(tables.Agency).where(
        (tables.Agency.agency_id == agency) | (tables.Agency.name == agency)
    )
    row = session.scalars(statement).first()
    if row is None:
        raise NotFoundError(
            f"没有鉴定机构{agency!r} there is no agency {agency!r}",
            remedy="查看机构 see 'custody agency list'",
        )
    return row.body


def accession_events(session: Session, accession: str) -> list[int]:
    """Return the log indexes of an accession's events that name no exhibit, in order."""
    named = select(tables.EventExhibit.index)
    statement = (
        select(tables.EventRef.index)
        .where(tables.EventRef.accession == accession, tables.EventRef.index.not_in(named))
        .order_by(tables.EventRef.index)
    )
    return list(session.scalars(statement))


def progress(session: Session, accession: str) -> tuple[str, int, int]:
    """Return how far an accession is: its state, its exhibits on record, those read."""
    row = session.get(tables.Accession, accession)
    ours = tables.Exhibit.accession == accession
    total = session.scalar(select(func.count()).select_from(tables.Exhibit).where(ours)) or 0
    read = session.scalar(
        select(func.count())
        .select_from(tables.Reading)
        .join(tables.Exhibit, tables.Exhibit.exhibit_id == tables.Reading.exhibit_id)
        .where(ours)
    )
    return ("" if row is None else row.state), total, read or 0
