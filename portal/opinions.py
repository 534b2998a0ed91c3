"""How the checks of an opinion are shown on a terminal."""

from __future__ import annotations

from appraisal.happened import Returned
from appraisal.opinion import OUTCOME_NAMES, OpinionFinding, Outcome
from portal.show import cell, line

_MARKS = {
    Outcome.OK: "[green]✓[/]",
    Outcome.CONFIRMED: "[green]✓[/]",
    Outcome.CONFIRM: "[yellow]?[/]",
    Outcome.FAILED: "[red]✗[/]",
}


def print_checks(number: str, back: Returned) -> None:
    """Print every check of an opinion: its name, how it stands, and who confirmed it."""
    line(f"{cell(number)} · {cell(back.opinion.opinion_no)} · {cell(back.exhibit_id)}")
    for each in back.findings:
        _print(each)
    open_ = sum(each.state == Outcome.CONFIRM for each in back.failures)
    failed = len(back.failures) - open_
    if open_:
        line(f"[yellow]?[/] {open_} 项须由人核对 wait for a person: custody opinion confirm")
    if failed:
        line(f"[red]✗[/] {failed} 项不符合 do not hold: custody opinion send-back，或 or close")


def _print(finding: OpinionFinding) -> None:
    state = Outcome(finding.state)
    zh, en = OUTCOME_NAMES[state]
    head = f"  {_MARKS[state]} {cell(finding.code)}（{zh} {en}）"
    line(f"{head} {cell(finding.text_zh)} {cell(finding.text_en)}")
    if finding.by:
        people = "、".join(filter(None, (finding.by, finding.second)))
        line(f"      {cell(people)} {cell(finding.at[:19])}：{cell(finding.seen)}")
