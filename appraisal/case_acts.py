"""Builders of the steps of a case's clocks: each refuses what the rules do not allow. Pure.

Days are the law's and are given apart from the time at which a step is recorded: a filing of last
week may be entered today, nothing of tomorrow may. (RULES: TT-07 to TT-09.)
"""

from __future__ import annotations

from datetime import date
from typing import Any

from appraisal.case_clocks import CaseClock, local
from appraisal.case_record import CaseRecord, CaseStep, CaseStepKind
from appraisal.case_rules import CaseRule, CaseRuleBook
from appraisal.counting import Words
from appraisal.step import parse_moment
from storage.errors import ConflictError, InputError, StateError

MOST_TEXT = 500
"""Characters of a document's number, a note or an outcome."""
_DOCUMENT = "文书编号 the number of the document"
_NOTIFIED = "告知文书编号 the number of the notice to the party"


def start(
    record: CaseRecord,
    book: CaseRuleBook,
    name: str,
    when: str,
    unit: str,
    document: str,
    note: str,
    at: str,
    *,
    runs_on: bool = False,
) -> CaseStep:
    """Start a clock under the rule in force on its first day.

    Args:
        record: what is on record of the case.
        book: the rules.
        name: the clock, by its name or Chinese title.
        when: the day on which it starts; for a limit in hours the moment, with a zone.
        unit: how to count, where the rule leaves the choice; empty: its default.
        document: the paper behind it.
        note: what it is about, for example which items were seized.
        at: when this is recorded.
        runs_on: its items are neither appraised nor tested: no period stops it (ACL art. 25).

    Raises:
        InputError: no such clock, no document, a day to come, or a day where a moment is needed.
        ConflictError: this very clock runs already.
    """
    rule = book.get(name, local(when, _zone(book)))
    moment = _moment(rule, when, at)
    data: dict[str, Any] = {
        "name": rule.name,
        "rule_id": rule.rule_id,
        "unit": rule.unit(unit).value,
        "day": _past(when, rule.zone, at).isoformat(),
        "moment": moment,
        "document": _required(document, _DOCUMENT),
        "note": _said(note, "说明 the note"),
    }
    if runs_on:
        if not rule.period_notified:
            raise InputError(
                f"{rule.title[0]}的扣除不以物品为准 what stops {rule.title[1]} is no matter of "
                "items",
                remedy=f"{rule.article.zh} ({rule.article.en})",
            )
        data["runs_on"] = True
    for each in record.running:
        known = {"name": each.name, "day": each.day.isoformat(), "document": each.document}
        if all(data[key] == value for key, value in known.items()) and data["note"] == each.note:
            raise ConflictError(
                f"{each.number}即为此期限 {each.number} is this very clock: {rule.title[1]} from "
                f"{each.day}, {each.document}",
                remedy="另一批物品请用 --note 区分 tell another lot of items apart by --note",
            )
    return CaseStep(CaseStepKind.STARTED, at, data)


def extend(
    clock: CaseClock, days: int, approved_by: str, when: str, document: str, at: str
) -> CaseStep:
    """Extend a clock: approved, by document, on or before its due date (TT-03's rule, D).

    Args:
        clock: the clock as it stands on the day of the approval.
        days: how many, in its unit; 0: as many as the rule gives.
        approved_by: who approved.
        when: the day of the approval.
        document: the paper.
        at: when this is recorded.

    Raises:
        StateError: over, extended as often as the rule allows, too long, or too late.
        InputError: approval or document is missing, or the day lies ahead.
    """
    rule, record = clock.rule, clock.record
    day = _past(when, rule.zone, at)
    approved_by = _required(approved_by, "批准人 who approved")
    document = _required(document, "批准文书编号 the number of the approval")
    granted = len(record.extensions)
    if not rule.extensions:
        raise _refused(rule, "该期限依法不可延长 the law has no extension of it")
    if granted >= len(rule.extensions):
        raise _refused(rule, f"已延长{granted}次，不能再延长 extended {granted} time(s) already")
    allowed = rule.extensions[granted]
    by = f"{allowed.approved_by[0]} ({allowed.approved_by[1]})"
    if not allowed.length and not days:
        raise InputError(
            "须写明延长多少日 the extension has no fixed length; say how many days were decided",
            remedy=f"--days N；{allowed.article.zh} ({allowed.article.en})：{by}",
        )
    if allowed.length and days > allowed.length:
        raise _refused(rule, f"至多延长{allowed.length}日 at most {allowed.length} days; {by}")
    if granted and day < record.extensions[-1].day:
        before = record.extensions[-1].day
        raise _refused(rule, f"{day}早于上次延长{before} it was extended on {before} already")
    if day > clock.clock.due.date:
        due = clock.clock.due.date
        raise _refused(rule, f"{day}已过期限{due} approved on {day}, after the due date {due}")
    data = {
        "number": record.number,
        "days": days or allowed.length,
        "approved_by": approved_by,
        "day": day.isoformat(),
        "document": document,
    }
    return CaseStep(CaseStepKind.EXTENDED, at, data)


def exclude(
    record: CaseRecord,
    book: CaseRuleBook,
    kind: str,
    when: str,
    document: str,
    notified: str,
    at: str,
) -> CaseStep:
    """Begin a period that clocks do not count.

    Raises:
        InputError: no clock of the case leaves out such a period, or the document is missing.
    """
    zone = _zone(book)
    day = _past(when, zone, at)
    document = _required(document, _DOCUMENT)
    known: dict[str, Words] = {}
    for each in record.running:
        for name, found in book.version(each.name, each.rule_id).excluded.items():
            known[name] = found.name
    chosen = next((name for name, words in known.items() if kind in _called(name, words)), "")
    if not chosen:
        listed = ", ".join(f"{name} {zh}" for name, (zh, _) in sorted(known.items()))
        raise InputError(
            f"没有期限扣除“{kind}”的期间 no running clock of this case leaves out {kind!r}",
            remedy=f"可选 choose one of: {listed}" if listed else "先起算期限 start a clock first",
        )
    data = {
        "period": chosen,
        "day": day.isoformat(),
        "document": document,
        "notified": _said(notified, _NOTIFIED),
    }
    return CaseStep(CaseStepKind.EXCLUDED, at, data)


def resume(
    record: CaseRecord,
    book: CaseRuleBook,
    name: str,
    when: str,
    document: str,
    at: str,
    notified: str = "",
) -> CaseStep:
    """End a period that clocks do not count; the day on which it ends is still left out.

    ``notified`` names the paper that told the party of it, where that came after its begin.

    Raises:
        NotFoundError: no such period is open.
        InputError: the document is missing, or the day lies ahead.
    """
    day = _past(when, _zone(book), at)
    document = _required(document, _DOCUMENT)
    kinds = {
        called: kind
        for rule in book.rules
        for kind, found in rule.excluded.items()
        for called in _called(kind, found.name)
    }
    open_ = record.period(kinds.get(name, name))
    data = {
        "label": open_.label,
        "day": day.isoformat(),
        "document": document,
        "notified": _said(notified, _NOTIFIED),
    }
    return CaseStep(CaseStepKind.RESUMED, at, data)


def end(
    record: CaseRecord,
    book: CaseRuleBook,
    name: str,
    when: str,
    document: str,
    outcome: str,
    at: str,
    *,
    void: bool = False,
) -> CaseStep:
    """End a clock: what it waited for was done, or (``void``) it was entered by mistake.

    Raises:
        NotFoundError: there is no such clock.
        InputError: outcome or document is missing, or a day is given where a moment is needed.
    """
    clock = record.clock(_plain(book, name))
    rule = book.version(clock.name, clock.rule_id)
    outcome = _required(outcome, "结果 the outcome")
    document = _said(document, _DOCUMENT) if void else _required(document, _DOCUMENT)
    data = {
        "number": clock.number,
        "day": _past(when, rule.zone, at).isoformat(),
        "moment": _moment(rule, when, at),
        "document": document,
        "outcome": outcome,
        "void": void,
    }
    return CaseStep(CaseStepKind.ENDED, at, data)


def find(record: CaseRecord, book: CaseRuleBook, name: str) -> str:
    """Return the number of a clock named by number, name or Chinese title."""
    return record.clock(_plain(book, name)).number


def _called(kind: str, words: Words) -> tuple[str, ...]:
    """Return what a kind of period may be called: 检验、检疫 is either of the two."""
    return (kind, *words, *words[0].split("、"))


def _plain(book: CaseRuleBook, name: str) -> str:
    return next((rule.name for rule in book.rules if rule.title[0] == name), name)


def _zone(book: CaseRuleBook) -> str:
    return book.rules[0].zone


def _past(when: str, zone: str, at: str) -> date:
    """Return the day of a step; what has not happened yet is not recorded."""
    day = local(when, zone)
    if day > local(at, zone):
        raise _ahead(day.isoformat())
    return day


def _ahead(when: str) -> InputError:
    return InputError(
        f"{when}尚未到来 {when} lies ahead; only what has happened is recorded",
        remedy="核对日期 check the day",
        day=when,
    )


def _moment(rule: CaseRule, when: str, at: str) -> str:
    """Return the moment that a limit in hours needs, and that has come; the others count days."""
    if not rule.in_hours:
        return ""
    if len(when) == len("2026-01-30"):
        raise InputError(
            f"“{rule.title[0]}”按小时计，需要时间和时区 {rule.title[1]} is counted in hours and "
            "needs a time with its zone",
            remedy="写成 write it as 2026-11-20T09:30:00+08:00",
        )
    if parse_moment(when) > parse_moment(at):
        raise _ahead(when)
    return when


def _said(text: str, what: str) -> str:
    """Return what a person wrote, cut of blanks; nobody reads more than a few lines of it."""
    said = text.strip()
    if any("\ud800" <= each <= "\udfff" for each in said):
        raise InputError(
            f"{what}不是有效的文字 is no valid text",
            remedy="终端编码请设为 UTF-8 set the terminal to UTF-8",
        )
    if len(said) > MOST_TEXT:
        raise InputError(
            f"{what}超过{MOST_TEXT}字 is longer than {MOST_TEXT} characters",
            remedy="请写编号或摘要，原文另存 name the paper, and keep its text as an exhibit",
        )
    return said


def _required(text: str, what: str) -> str:
    said = _said(text, what)
    if not said:
        raise InputError(
            f"缺少{what} is missing", remedy="每一步都要有依据 every step has its paper"
        )
    return said


def _refused(rule: CaseRule, problem: str) -> StateError:
    return StateError(
        f"不能延长{rule.title[0]} no extension: {problem}",
        remedy=f"{rule.article.zh} ({rule.article.en})",
    )
