"""What is on record about a case's clocks: a fold of steps, each of which was one custody event.

::

    started   K1: which rule, from which day, by which document
    extended  K1: by how many days, who approved, when, by which document
    ended     K1: on which day, with what outcome, or "void": entered by mistake
    excluded  P1: a period of some kind begins that clocks do not count, by which document
    resumed   P1: it ends; by which document the party was told, unless that is known

Clocks and periods are numbered in their case. Nothing is ever changed or taken back. A step's
time is never before the step before it; the *days* that a step names are the law's, and may lie
before. Pure. (RULES: TT-07 to TT-09, data fields of a case.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from appraisal.rules import Unit
from appraisal.step import parse_moment
from storage.errors import IntegrityError, NotFoundError, StateError


class CaseStepKind(StrEnum):
    """What can be done to the clocks of a case."""

    STARTED = "started"
    EXTENDED = "extended"
    EXCLUDED = "excluded"
    RESUMED = "resumed"
    ENDED = "ended"


@dataclass(frozen=True)
class CaseStep:
    """One step: what, when it was recorded (RFC 3339 with a zone), and its data as JSON."""

    kind: CaseStepKind
    at: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the form used as the details of a custody event."""
        return {"kind": self.kind.value, "at": self.at, "data": dict(self.data)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CaseStep:
        """Rebuild from ``as_json``."""
        return cls(CaseStepKind(value["kind"]), str(value["at"]), dict(value["data"]))


@dataclass(frozen=True)
class CaseGrant:
    """One extension as it was granted; ``days`` in the clock's unit."""

    days: int
    approved_by: str
    day: date
    document: str


@dataclass(frozen=True)
class CaseClockRecord:
    """One clock; ``moment`` is set where the limit is in hours, ``ended`` once it is over.

    ``ended_at`` is when the end was recorded, ``void`` that the clock was entered by mistake.
    ``runs_on``: its items are neither appraised nor tested, so that no period stops it.
    """

    number: str
    name: str
    rule_id: str
    unit: Unit
    day: date
    moment: str
    document: str
    note: str
    extensions: tuple[CaseGrant, ...] = ()
    ended: date | None = None
    ended_moment: str = ""
    ended_at: str = ""
    outcome: str = ""
    end_document: str = ""
    void: bool = False
    runs_on: bool = False


@dataclass(frozen=True)
class Period:
    """A period that clocks of its kind do not count; open until ``end``.

    ``source`` is the commission that it follows from, empty for one that a person entered.
    ``notified`` names the document that told the party about it.
    """

    label: str
    kind: str
    start: date
    end: date | None = None
    document: str = ""
    end_document: str = ""
    source: str = ""
    notified: str = ""


@dataclass(frozen=True)
class CaseRecord:
    """Clocks and entered periods of one case after ``steps`` steps."""

    steps: int = 0
    last_at: str = ""
    clocks: tuple[CaseClockRecord, ...] = ()
    periods: tuple[Period, ...] = ()

    def clock(self, name: str) -> CaseClockRecord:
        """Return a clock by number, or by name if only one of that name is open.

        Raises:
            NotFoundError: there is none.
            StateError: several are open.
        """
        for each in self.clocks:
            if each.number == name.upper():
                return each
        named = [each for each in self.clocks if each.name == name]
        found = [each for each in named if each.ended is None] or named
        if len(found) > 1:
            numbers = ", ".join(each.number for each in found)
            raise StateError(
                f"有多个“{name}”期限 there are several clocks {name!r}: {numbers}",
                remedy="请用编号指明 name one by its number",
            )
        if not found:
            raise NotFoundError(
                f"没有编号为{name}的期限 the case has no clock {name!r}",
                remedy="见 see 'custody clocks CASE'",
            )
        return found[0]

    def period(self, name: str) -> Period:
        """Return an open period by its label or kind.

        Raises:
            NotFoundError: none is open.
        """
        for each in self.periods:
            if each.end is None and name in (each.label, each.label.lower(), each.kind):
                return each
        raise NotFoundError(
            f"没有未结束的“{name}”期间 no period {name!r} is open",
            remedy="见 see 'custody clocks CASE'；委托鉴定的期间自动起止 "
            "periods of commissions begin and end by themselves",
        )

    @property
    def running(self) -> tuple[CaseClockRecord, ...]:
        """Return the clocks that are not over."""
        return tuple(each for each in self.clocks if each.ended is None)


def fold(steps: Iterable[CaseStep]) -> CaseRecord:
    """Return what a history of steps gives."""
    record = CaseRecord()
    for step in steps:
        record = apply(record, step)
    return record


def apply(record: CaseRecord, step: CaseStep) -> CaseRecord:
    """Return the record after one more step.

    Raises:
        StateError: the step is not allowed at its place, or its time lies before the last.
        NotFoundError: it names no clock or period.
        IntegrityError: its data is not that of a step.
    """
    if record.last_at and parse_moment(step.at) < parse_moment(record.last_at):
        raise StateError(
            f"这一步的时间{step.at}早于上一步{record.last_at} the step's time lies before that of "
            "the step before it",
            remedy="核对本机时钟 check this machine's clock; the days of a step are given apart",
            at=step.at,
        )
    try:
        changes = _EFFECTS[step.kind](record, step)
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"a step of a case's clock is malformed: {error!r}") from error
    return replace(record, steps=record.steps + 1, last_at=step.at, **changes)


def _day(value: Any) -> date:
    return date.fromisoformat(value)


def _started(record: CaseRecord, step: CaseStep) -> dict[str, Any]:
    data = step.data
    new = CaseClockRecord(
        number=f"K{len(record.clocks) + 1}",
        name=data["name"],
        rule_id=data["rule_id"],
        unit=Unit(data["unit"]),
        day=_day(data["day"]),
        moment=data["moment"],
        document=data["document"],
        note=data["note"],
        runs_on=data.get("runs_on", False),
    )
    return {"clocks": (*record.clocks, new)}


def _extended(record: CaseRecord, step: CaseStep) -> dict[str, Any]:
    data, clock = step.data, _running(record, step)
    grant = CaseGrant(data["days"], data["approved_by"], _day(data["day"]), data["document"])
    return _with_clock(record, replace(clock, extensions=(*clock.extensions, grant)))


def _ended(record: CaseRecord, step: CaseStep) -> dict[str, Any]:
    data, clock = step.data, _running(record, step)
    day, moment = _day(data["day"]), data["moment"]
    if day < clock.day:
        raise _reversed(day, clock.day)
    if moment and parse_moment(moment) < parse_moment(clock.moment):
        raise _reversed(moment, clock.moment)
    ended = replace(
        clock,
        ended=day,
        ended_moment=moment,
        ended_at=step.at,
        outcome=data["outcome"],
        end_document=data["document"],
        void=data["void"],
    )
    return _with_clock(record, ended)


def _excluded(record: CaseRecord, step: CaseStep) -> dict[str, Any]:
    data = step.data
    for each in record.periods:
        if each.kind == data["period"] and each.end is None:
            raise StateError(
                f"{each.label}（{each.kind}）尚未结束 the period {each.label} ({each.kind}) is "
                "still open",
                remedy=f"先结束它 end it first: custody clock resume CASE {each.label}",
            )
    new = Period(
        f"P{len(record.periods) + 1}",
        data["period"],
        _day(data["day"]),
        document=data["document"],
        notified=data["notified"],
    )
    return {"periods": (*record.periods, new)}


def _resumed(record: CaseRecord, step: CaseStep) -> dict[str, Any]:
    data = step.data
    open_ = record.period(data["label"])
    day = _day(data["day"])
    if day < open_.start:
        raise _reversed(day, open_.start)
    told = data.get("notified") or open_.notified
    ended = replace(open_, end=day, end_document=data["document"], notified=told)
    return {"periods": tuple(ended if each is open_ else each for each in record.periods)}


_EFFECTS: dict[CaseStepKind, Callable[[CaseRecord, CaseStep], dict[str, Any]]] = {
    CaseStepKind.STARTED: _started,
    CaseStepKind.EXTENDED: _extended,
    CaseStepKind.EXCLUDED: _excluded,
    CaseStepKind.RESUMED: _resumed,
    CaseStepKind.ENDED: _ended,
}


def _running(record: CaseRecord, step: CaseStep) -> CaseClockRecord:
    clock = record.clock(step.data["number"])
    if clock.ended is not None:
        raise StateError(
            f"{clock.number}已于{clock.ended}结束 the clock {clock.number} ended on {clock.ended}",
            remedy="需要时另行起算 start another if one is needed",
        )
    return clock


def _with_clock(record: CaseRecord, new: CaseClockRecord) -> dict[str, Any]:
    return {"clocks": tuple(new if each.number == new.number else each for each in record.clocks)}


def _reversed(day: date | str, start: date | str) -> StateError:
    return StateError(
        f"{day}早于起日{start} {day} lies before the start on {start}",
        remedy="核对日期 check the day",
    )
