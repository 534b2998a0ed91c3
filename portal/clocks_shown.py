"""How time limits are shown: each date with its steps, the days left out, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from appraisal.calendar import DayKind, WorkCalendar, festival
from appraisal.case_clocks import CaseClock
from appraisal.case_rules import CaseRule, CaseRuleBook
from appraisal.clocks import CLOCK_NAMES, CLOCK_STATE_NAMES, Clock
from appraisal.counting import Run, Step, Words
from appraisal.rules import UNIT_NAMES, Article, RuleBook, Unit
from portal.show import cell, errors, line, table
from storage.errors import ConflictError, InputError
from storage.event import CustodyEvent
from storage.story import tell
from tasks.case_clocks import CaseClocks, RunningClock
from tasks.recomputing import Loaded

_PROVISIONAL = "[yellow]暂定 provisional[/]"
_READ = (
    "A 全文 full text",
    "B 摘录 excerpt",
    "C 标题 title only",
    "D 待核 to be confirmed",
)


def print_clocks(found: CaseClocks) -> None:
    """Print every time limit of a case, each date explained step by step."""
    line(f"[bold]{cell(found.case.case_no)}[/] · {found.on} · 日历 calendar {found.calendar}")
    for each in found.clocks:
        _print_case_clock(each, found.on)
    for commission, rules, clocks in found.commissions:
        line(
            f"\n[bold]委托 {cell(commission.commission_no)}[/] · {cell(commission.agency_id)} · "
            f"规则 rules {cell(rules.rule_id)}"
        )
        for clock in clocks:
            _print_clock("", CLOCK_NAMES[clock.name], clock)
            _print_steps(clock.due.steps)
        if not clocks:
            line("    尚未起算 no clock has started")
    if not found.clocks:
        line("\n本案没有登记期限 no clock of the case itself is on record")
        line("  → custody clock start CASE case_handling --from DAY --document NUMBER")


def print_running(running: Sequence[RunningClock]) -> None:
    """Print everything that runs, the most urgent first."""
    rows = []
    for each in running:
        unit = UNIT_NAMES[Unit(each.unit)][0]
        own = each.subject != each.case_id
        rows.append(
            (
                each.case_no,
                each.subject if own else each.number,
                each.title[0],
                f"{each.due_at or each.due}{'（暂定）' if each.provisional else ''}",
                f"{each.days_left:+d}{unit}",
                CLOCK_STATE_NAMES[each.state][0],
            )
        )
    if rows:
        heads = ("案件", "委托或编号", "期限", "到期 due", "剩余", "状态")
        table("计时中 running", heads, rows)
    else:
        line("没有计时中的期限 nothing runs")


def print_short(found: CaseClocks) -> None:
    """Print where each clock of a case stands after a step."""
    warned: dict[Words, list[str]] = {}
    for each in found.clocks:
        _print_clock(each.record.number, each.rule.title, each.clock, each.due_at)
        for warning in each.warnings:
            warned.setdefault(warning, []).append(each.record.number)
    for (zh, en), numbers in warned.items():
        line(f"  [yellow]![/] {'、'.join(numbers)}：{zh} {en}")
    line(f"  → custody clocks {cell(found.case.case_id)}：逐步说明 explains each date")


def _print_case_clock(each: CaseClock, on: date) -> None:
    record, rule = each.record, each.rule
    line("")
    _print_clock(record.number, rule.title, each.clock, each.due_at)
    note = f"（{cell(record.note)}）" if record.note else ""
    line(
        f"    起算 from {cell(record.moment or record.day)}：{rule.starts[0]}，"
        f"{cell(record.document)}{note} · 规则 rule {rule.rule_id}"
    )
    if record.runs_on:
        line("    物品未送鉴定、检测，期间不扣除 its items are not appraised: no period stops it")
    _print_steps(each.clock.due.steps)
    for grant in record.extensions:
        if grant.day <= on:
            line(
                f"    延长 extended {grant.days}，{grant.day}，{cell(grant.approved_by)}，"
                f"{cell(grant.document)}"
            )
    if record.outcome:
        line(
            f"    结束 ended {cell(record.ended_moment or record.ended)}：{cell(record.outcome)}"
            f" {cell(record.end_document)}"
        )
    elif rule.lifted:
        line(f"    期满未{rule.ends[0]}的，自动解除 unless {rule.ends[1]}, it lifts itself")
    if each.warn_on and record.ended is None:
        line(f"    提醒 warned on：{'、'.join(map(str, each.warn_on))}")
    for zh, en in each.warnings:
        line(f"    [yellow]![/] {zh} {en}")


def _print_clock(number: str, title: tuple[str, str], clock: Clock, due_at: str = "") -> None:
    state, state_en = CLOCK_STATE_NAMES[clock.state]
    due = due_at or clock.due.date.isoformat()
    provisional = f" {_PROVISIONAL}" if clock.provisional else ""
    left = ""
    if clock.days_left is not None:
        unit, unit_en = UNIT_NAMES[clock.unit]
        word, word_en = ("剩余", "left") if clock.days_left >= 0 else ("超过", "over")
        days = abs(clock.days_left)
        plain = unit_en if days != 1 else unit_en.removesuffix("s")
        left = f" · {word}{days}{unit} {days} {plain} {word_en}"
    name = f"{number} {title[0]}".strip()
    line(f"  [bold]{name} {title[1]}[/]：{due}{provisional} · {state} {state_en}{left}")


def _print_steps(steps: Iterable[Step]) -> None:
    for step in steps:
        line(f"    · {cell(step.text[0])}")
        for text in _runs(step.runs):
            line(f"        {cell(text)}")
        line(f"      {_source(step.article)}")


def _runs(runs: Sequence[Run]) -> Iterable[str]:
    """Say which days were left out and why, one run a piece; make-up workdays apart."""
    out = [f"{_days(each)} {each.reason[0]}" for each in runs if not each.counted]
    if out:
        yield f"不计入 not counted：{'；'.join(out)}"
    made_up = [_days(each) for each in runs if each.counted]
    if made_up:
        yield f"调休上班，计入 make-up workdays, counted：{'；'.join(made_up)}"


def _days(run: Run) -> str:
    if run.first == run.last:
        return f"{run.first}"
    same = run.first.year == run.last.year
    return f"{run.first} 至 {f'{run.last:%m-%d}' if same else run.last}"


def _source(article: Article) -> str:
    mark = f" [{article.read}]" if article.read else ""
    return f"《{cell(article.zh)}》 {cell(article.en)}{cell(mark)}"


def print_log(events: Sequence[CustodyEvent]) -> None:
    """Print what was recorded about a case's clocks, in the order of the log."""
    rows = [(each.occurred_at, each.actor.name, tell(each)) for each in events]
    table("期限记录 record of the clocks", ("时间", "记录人", "内容"), rows)


def print_mistakes(file: Path, error: InputError) -> bool:
    """Print the mistakes of a notice, one a line; False if the error names none."""
    mistakes = error.facts.get("mistakes", ())
    if mistakes:
        errors.print(
            f"[bold red]✗[/] {cell(file)}：{len(mistakes)}处错误，未采用 mistake(s), not taken",
            soft_wrap=True,
        )
        for each in mistakes:
            errors.print(f"  · {cell(each)}", soft_wrap=True)
        errors.print(f"  → {cell(error.remedy)}", soft_wrap=True)
    return bool(mistakes)


def rules_as_json(cases: CaseRuleBook, agencies: RuleBook, on: date) -> dict[str, Any]:
    """Return the rules in force on a day, for programs."""
    return {
        "on": on.isoformat(),
        "case": [
            {
                "name": each.name,
                "title": each.title[0],
                "title_en": each.title[1],
                "length": each.length,
                "units": [unit.value for unit in each.units] or ["hour"],
                "extensions": [ext.length for ext in each.extensions],
                "excluded": sorted(each.excluded),
                "lifted_at_end": each.lifted,
                "article": each.article.zh,
                "article_en": each.article.en,
                "read": each.article.read,
                "rule_id": each.rule_id,
            }
            for each in cases.in_force(on)
        ],
        "appraisal": [
            {
                "name": each.id,
                "rule_id": each.rule_id,
                "acceptance": each.acceptance.limit.as_json(),
                "completion": each.completion.limit.as_json(),
                "extension": each.extension.as_json(),
                "article": each.completion.article.zh,
                "read": each.completion.article.read,
            }
            for each in agencies.sets
            if each.in_force(on)
        ],
    }


def print_rules(cases: CaseRuleBook, agencies: RuleBook, on: date) -> None:
    """Print the rules in force on a day."""
    rows = [
        (
            each.name,
            each.title[0],
            each.text[0] + _extensions(each),
            "、".join(kind.name[0] for kind in each.excluded.values()),
            f"{each.article.zh} [{each.article.read}]",
        )
        for each in cases.in_force(on)
    ]
    heads = ("名称 name", "期限", "长度", "不计入", "条文 article")
    table(f"案件期限 clocks of a case · {on}", heads, rows)
    local = [
        (
            each.id,
            each.name[0],
            each.acceptance.limit.text()[0],
            each.completion.limit.text()[0],
            f"{each.extension.text()[0]}×{each.extension_times}",
            f"{each.completion.article.zh} [{each.completion.article.read}]",
            each.rule_id,
        )
        for each in agencies.sets
        if each.in_force(on)
    ]
    heads_local = ("名称 name", "地区", "受理", "鉴定", "延长", "条文 article", "规则")
    table("鉴定时限 time limits of appraisals", heads_local, local)
    line(f"核对程度 how well it was read：{cell('；'.join(_READ))}")


def _extensions(rule: CaseRule) -> str:
    told = [f"+{each.length}" if each.length else "+确定的期限" for each in rule.extensions]
    return f"（{''.join(told)}）" if told else ""


def calendar_as_json(found: WorkCalendar, year: int) -> dict[str, Any]:
    """Return a year's days that are not as the week has them."""
    return {
        "calendar": found.version,
        "year": year,
        "official": not found.provisional(date(year, 1, 1)),
        "holidays": {f"{day}": name for day, kind, name in _special(found, year) if not kind},
        "make_up": {f"{day}": name for day, kind, name in _special(found, year) if kind},
    }


def print_calendar(found: WorkCalendar, year: int) -> None:
    """Print a year's holidays and make-up workdays."""
    official = not found.provisional(date(year, 1, 1))
    rows = [
        (
            f"{day}",
            "一二三四五六日"[day.weekday()],
            "调休上班 worked" if made_up else "放假 off",
            " ".join(dict.fromkeys(festival(name))),
        )
        for day, made_up, name in _special(found, year)
    ]
    table(f"{year}年 · {found.version}", ("日期", "星期", "", "节日"), rows)
    if not official:
        line(
            f"{_PROVISIONAL}：{year}年安排尚未载入，仅按法定节日推算，无调休 the notice is not "
            "loaded; statutory days only, no make-up days"
        )
        line("  → custody calendar load FILE")


def _special(found: WorkCalendar, year: int) -> Iterable[tuple[date, bool, str]]:
    day = date(year, 1, 1)
    while day.year == year:
        kind = found.day_kind(day)
        if kind is DayKind.HOLIDAY:
            yield day, False, found.holiday_name(day)
        elif kind is DayKind.MAKE_UP:
            yield day, True, found.make_up[day]
        day += timedelta(days=1)


def write_new(file: Path, text: str) -> None:
    """Write a file that does not exist yet.

    Raises:
        ConflictError: it exists.
        InputError: it cannot be written there.
    """
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise ConflictError(
            f"文件已存在 {file} exists already", remedy="换一个文件名 name a new file"
        ) from error
    except OSError as error:
        raise InputError(
            f"无法写入 {file} cannot be written: {error.strerror}",
            remedy="核对文件夹 check the folder",
        ) from error


def print_loaded(loaded: Loaded) -> None:
    """Say what loading a notice did: which dates moved, from when to when."""
    notice = loaded.notice
    word = "已载入 loaded" if loaded.fresh else "此前已载入 in use already"
    line(
        f"[green]✓[/] {word}: {notice.year}年，{cell(notice.document)}，"
        f"放假 off {len(notice.holidays)}，调休 make-up {len(notice.make_up)}；"
        f"SHA-256 {notice.digest[:16]}…"
    )
    for each in loaded.doubts:
        line(f"  [yellow]![/] {cell(each)}")
    if loaded.changed:
        rows = [
            (
                each.new.subject
                if not each.new.number
                else f"{each.new.case_no} {each.new.number}",
                each.new.title[0],
                f"{each.old.due}{'（暂定）' if each.old.provisional else ''}",
                f"{each.new.due}{'（暂定）' if each.new.provisional else ''}",
            )
            for each in loaded.changed
        ]
        table("重新计算 due dates computed again", ("对象", "期限", "原 old", "新 new"), rows)
    line(f"  计时中 running {loaded.clocks}，有变化 changed {len(loaded.changed)}；已结束的不变")
    line(f"  副本 copy: {cell(loaded.file)}")
