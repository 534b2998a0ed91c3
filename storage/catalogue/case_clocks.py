"""A case's own clocks, the appraisals that stop them, and the working-day calendars in use.

Projection and questions together, because the rows have no other use. Events are the only
input: steps of clocks (``clock``), steps of commissions (when an appraisal took effect, came back,
was told to the party) and loadings of a year's notice (``calendar``). What a step *means* is
folded in ``appraisal.case_record``; here it is only kept. (RULES: TT-07 to TT-09, TT-11.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, cast

from sqlalchemy import JSON, Index, String, Table, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalogue.commissions import Commission, CommissionStep
from storage.catalogue.database import Base
from storage.catalogue.sequencing import chunks
from storage.catalogue.tables import Case
from storage.event import Action, CustodyEvent


class CaseClockStep(Base):
    """One step of a case's clocks, as its event recorded it."""

    __tablename__ = "case_clock_step"

    case_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_index: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class CaseClock(Base):
    """One clock of a case; ``started`` and ``ended`` are days (ISO), ended empty while it runs."""

    __tablename__ = "case_clock"
    __table_args__ = (Index("ix_case_clock_ended", "ended", "case_id"),)

    case_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    rule_id: Mapped[str] = mapped_column(String(64))
    started: Mapped[str] = mapped_column(String(10))
    ended: Mapped[str] = mapped_column(String(10))


class AppraisalPeriod(Base):
    """When an appraisal of a case was at work: its effect to the opinion's return, and again.

    ``begun`` is a day or a moment as the step has it; ``ended`` is empty while it lasts.
    ``notified`` names the notice of the period to the party (AP-12), empty without one.
    """

    __tablename__ = "appraisal_period"

    commission_no: Mapped[str] = mapped_column(String(64), primary_key=True)
    begun_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    begun: Mapped[str] = mapped_column(String(40))
    ended: Mapped[str] = mapped_column(String(40))
    notified: Mapped[str] = mapped_column(String(255))


class CalendarYear(Base):
    """A year's official notice that this installation loaded, whole; later ones of a year win."""

    __tablename__ = "calendar_year"

    event_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    year: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[str] = mapped_column(String(40))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


_PERIOD = cast(Table, AppraisalPeriod.__table__)


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to these rows."""
    if event.action is Action.CLOCK:
        _clock(session, index, event)
    elif event.action is Action.COMMISSION:
        handler = _COMMISSION.get(event.details["transition"]["kind"])
        if handler is not None:
            handler(session, index, event)
    elif event.action is Action.CALENDAR:
        _calendar(session, index, event)


def _clock(session: Session, index: int, event: CustodyEvent) -> None:
    details = event.details
    kind, data = details["kind"], details["data"]
    body = {"kind": kind, "at": details["at"], "data": data}
    session.add(
        CaseClockStep(case_id=event.case, step=details["step"], event_index=index, body=body)
    )
    if kind == "started":
        session.add(
            CaseClock(
                case_id=event.case,
                number=details["number"],
                name=data["name"],
                rule_id=data["rule_id"],
                started=data["day"],
                ended="",
            )
        )
    elif kind == "ended":
        row = session.get(CaseClock, (event.case, details["number"]))
        if row is None:
            raise LookupError(f"a clock ended that never started: {details['number']}")
        row.ended = data["day"]


def _calendar(session: Session, index: int, event: CustodyEvent) -> None:
    """Put a notice in use, or let the queue's rows follow the dates that it changed."""
    details = event.details
    if details["state"] == "recomputed":
        for each in details["clocks"]:
            session.execute(
                update(Commission)
                .where(
                    Commission.commission_no == each["subject"],
                    Commission.clock == each["clock"],
                    Commission.open.is_(True),
                )
                .values(due=each["new"]["date"])
            )
        return
    session.add(
        CalendarYear(
            event_index=index,
            year=details["year"],
            digest=details["digest"],
            loaded_at=event.recorded_at,
            content=dict(details["content"]),
        )
    )


def _begun(session: Session, index: int, event: CustodyEvent) -> None:
    transition = event.details["transition"]
    stated = transition["data"].get("effective_date") if transition["kind"] == "accept" else ""
    row = {
        "commission_no": event.details["commission_no"],
        "begun_index": index,
        "case_id": event.case,
        "begun": stated or transition["at"],
        "ended": "",
        "notified": "",
    }
    session.execute(insert(_PERIOD), row)


def _over(session: Session, index: int, event: CustodyEvent) -> None:
    _change(session, event, "ended", event.details["transition"]["at"])


def _notified(session: Session, index: int, event: CustodyEvent) -> None:
    data = event.details["transition"]["data"]
    if data["notice"] == "period":
        _change(session, event, "notified", str(data["document"])[:255])


def _change(session: Session, event: CustodyEvent, name: str, value: str) -> None:
    """Fill a column of the commission's periods where it is still empty."""
    mine = _PERIOD.c.commission_no == event.details["commission_no"]
    session.execute(update(_PERIOD).where(mine, _PERIOD.c[name] == "").values({name: value}))


_COMMISSION: dict[str, Callable[[Session, int, CustodyEvent], None]] = {
    "accept": _begun,
    "send_back": _begun,
    "return_opinion": _over,
    "withdraw": _over,
    "terminate": _over,
    "notify": _notified,
}


def clock_steps(session: Session, cases: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the steps of the clocks of cases, by case, each in order."""
    found: dict[str, list[dict[str, Any]]] = {each: [] for each in cases}
    for part in chunks(cases):
        statement = (
            select(CaseClockStep.case_id, CaseClockStep.body)
            .where(CaseClockStep.case_id.in_(part))
            .order_by(CaseClockStep.case_id, CaseClockStep.step)
        )
        for case, body in session.execute(statement):
            found[case].append(body)
    return found


def appraisal_periods(session: Session, cases: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return when the appraisals of cases were at work, by case, in the order of their events."""
    found: dict[str, list[dict[str, str]]] = {each: [] for each in cases}
    for part in chunks(cases):
        statement = (
            select(AppraisalPeriod)
            .where(AppraisalPeriod.case_id.in_(part))
            .order_by(AppraisalPeriod.begun_index)
        )
        for row in session.scalars(statement):
            found[row.case_id].append(
                {
                    "commission_no": row.commission_no,
                    "begun": row.begun,
                    "ended": row.ended,
                    "notified": row.notified,
                }
            )
    return found


def cases_with_open_clocks(session: Session) -> list[tuple[str, str]]:
    """Return the identifier and number of every case that has a clock running."""
    statement = (
        select(Case.case_id, Case.case_no)
        .where(Case.case_id.in_(select(CaseClock.case_id).where(CaseClock.ended == "")))
        .order_by(Case.case_id)
    )
    return [(case, number) for case, number in session.execute(statement)]


def open_commissions(session: Session) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the open commissions with their steps, by number; one at a time in memory."""
    statement = (
        select(CommissionStep.commission_no, CommissionStep.body)
        .join(Commission, Commission.commission_no == CommissionStep.commission_no)
        .where(Commission.open.is_(True))
        .order_by(CommissionStep.commission_no, CommissionStep.step)
        .execution_options(yield_per=500)
    )
    rows: Iterable[Any] = session.execute(statement)
    for number, steps in groupby(rows, key=lambda row: str(row[0])):
        yield number, [body for _, body in steps]


def calendar_years(session: Session) -> list[dict[str, Any]]:
    """Return every notice that was loaded, in the order of loading."""
    statement = select(CalendarYear).order_by(CalendarYear.event_index)
    return [
        {
            "index": row.event_index,
            "year": row.year,
            "digest": row.digest,
            "loaded_at": row.loaded_at,
            "content": row.content,
        }
        for row in session.scalars(statement)
    ]


def newest_calendar(session: Session) -> int:
    """Return the log index of the newest notice, -1 without one: what a copy is checked by."""
    newest = session.scalar(select(func.max(CalendarYear.event_index)))
    return -1 if newest is None else newest
