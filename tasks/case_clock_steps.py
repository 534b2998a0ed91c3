"""Steps of a case's clocks: started, extended, stopped for a while, ended.

Each is one event of the custody log; its identifier holds the case and the step's number, so of
two people who act at the same moment one is recorded and the other is told. The event also holds
the dates that follow from the step, as they were told that day. (RULES: TT-07 to TT-09.)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from appraisal import case_acts
from appraisal.calendar_in_use import CalendarInUse
from appraisal.case_clocks import CaseClock, local
from appraisal.case_record import CaseRecord, CaseStep, CaseStepKind, apply
from appraisal.case_rules import CaseRuleBook
from storage.custody import Custody
from storage.errors import ConflictError, StateError
from storage.event import Action, decode
from storage.nouns import Person
from tasks.case_clocks import LIVE, CaseClocks, CaseOnRecord, explain, find_on_record


def start(
    custody: Custody,
    case: str,
    name: str,
    *,
    when: str,
    document: str,
    note: str = "",
    unit: str = "",
    runs_on: bool = False,
    by: Person | None = None,
) -> CaseClocks:
    """Start a clock of a case; see ``case_acts.start``."""
    return _step(
        custody,
        case,
        by,
        lambda found, at: case_acts.start(
            found.record,
            CaseRuleBook.load(),
            name,
            when or at,
            unit,
            document,
            note,
            at,
            runs_on=runs_on,
        ),
    )


def extend(
    custody: Custody,
    case: str,
    name: str,
    *,
    days: int,
    approved_by: str,
    when: str,
    document: str,
    by: Person | None = None,
) -> CaseClocks:
    """Extend a clock of a case; see ``case_acts.extend``."""

    def act(found: CaseOnRecord, at: str) -> CaseStep:
        book, calendar = CaseRuleBook.load(), CalendarInUse(custody).now()
        number = case_acts.find(found.record, book, name)
        day = local(when or at, custody.settings.timezone)
        clock = next(
            (each for each in found.clocks(calendar, day) if each.record.number == number), None
        )
        if clock is None:
            raise StateError(
                f"{number}在{day}尚未起算 the clock {number} had not started on {day}",
                remedy="核对日期 check the day",
            )
        return case_acts.extend(clock, days, approved_by, when or at, document, at)

    return _step(custody, case, by, act)


def exclude(
    custody: Custody,
    case: str,
    kind: str,
    *,
    when: str,
    document: str,
    notified: str = "",
    by: Person | None = None,
) -> CaseClocks:
    """Begin a period that clocks of the case do not count; see ``case_acts.exclude``."""
    return _step(
        custody,
        case,
        by,
        lambda found, at: case_acts.exclude(
            found.record, CaseRuleBook.load(), kind, when or at, document, notified, at
        ),
    )


def resume(
    custody: Custody,
    case: str,
    name: str,
    *,
    when: str,
    document: str,
    notified: str = "",
    by: Person | None = None,
) -> CaseClocks:
    """End such a period; see ``case_acts.resume``."""
    return _step(
        custody,
        case,
        by,
        lambda found, at: case_acts.resume(
            found.record, CaseRuleBook.load(), name, when or at, document, at, notified
        ),
    )


def end(
    custody: Custody,
    case: str,
    name: str,
    *,
    when: str,
    document: str,
    outcome: str,
    void: bool = False,
    by: Person | None = None,
) -> CaseClocks:
    """End a clock of a case; see ``case_acts.end``."""

    def act(found: CaseOnRecord, at: str) -> CaseStep:
        book = CaseRuleBook.load()
        return case_acts.end(found.record, book, name, when or at, document, outcome, at, void=void)

    return _step(custody, case, by, act)


def _step(
    custody: Custody,
    case: str,
    by: Person | None,
    act: Callable[[CaseOnRecord, str], CaseStep],
) -> CaseClocks:
    """Take one step of a case's clocks and record it with the dates that follow.

    Raises:
        ConflictError: somebody else took a step at the same moment.
    """
    found = find_on_record(custody, case)
    at = custody.now()
    step = act(found, at)
    after = apply(found.record, step)
    then = CaseOnRecord(found.case_id, found.case_no, after, found.appraisals)
    running = then.clocks(CalendarInUse(custody).now(), date.fromisoformat(at[:10]), at)
    event = custody.event(
        Action.CLOCK,
        [found.case_id, str(found.record.steps)],
        actor=by,
        case=found.case_id,
        purpose="clock",
        details={
            "step": found.record.steps,
            **step.as_json(),
            "number": _number(after, step),
            "title": _title(after, step),
            "due": [_due(each) for each in running if each.clock.state in LIVE],
        },
    )
    (recorded,) = custody.record([event])
    kept = decode(custody.log.leaf(recorded.index)).details
    if (kept["kind"], kept["data"]) != (step.kind.value, dict(step.data)):
        raise ConflictError(
            f"案件{found.case_no}的期限刚有他人操作 somebody else acted on its clocks just now",
            remedy="再看一遍后重做 look again with 'custody clocks CASE' before you go on",
        )
    return explain(custody, found.case_id)


def _number(after: CaseRecord, step: CaseStep) -> str:
    if step.kind is CaseStepKind.STARTED:
        return after.clocks[-1].number
    if step.kind is CaseStepKind.EXCLUDED:
        return after.periods[-1].label
    return str(step.data.get("number") or step.data["label"])


def _title(after: CaseRecord, step: CaseStep) -> str:
    """Return the Chinese name of the clock or period, for whoever reads the history."""
    book, number = CaseRuleBook.load(), _number(after, step)
    for clock in after.clocks:
        if clock.number == number:
            return book.version(clock.name, clock.rule_id).title[0]
    kind = next(each.kind for each in after.periods if each.label == number)
    names = (rule.excluded[kind].name[0] for rule in book.rules if kind in rule.excluded)
    return next(names, kind)


def _due(clock: CaseClock) -> dict[str, Any]:
    return {
        "number": clock.record.number,
        "name": clock.record.name,
        "date": clock.clock.due.date.isoformat(),
        "due_at": clock.due_at,
        "provisional": clock.clock.provisional,
        "rule_id": clock.clock.rule_id,
    }
