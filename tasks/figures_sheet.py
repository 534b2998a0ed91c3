"""Turnaround figures as a spreadsheet: the figures, what was counted, what each one means."""

from __future__ import annotations

from collections.abc import Callable

from appraisal.figure_words import WORDS, percent
from appraisal.figures import Figures, Report, permille
from appraisal.matters import MATTER_NAMES
from tasks.sheet_bytes import Value, sheet_bytes

_RATES: dict[str, Callable[[Figures], int | None]] = {
    "on_time_rate": lambda f: f.on_time_permille,
    "supplement_rate": lambda f: permille(f.supplemented, f.accepted),
    "re_appraisal_rate": lambda f: permille(f.re_appraised, f.delivered),
}
_RATE_NAMES = {"supplement_rate": "补充率", "re_appraisal_rate": "重新鉴定率"}


def figures_bytes(found: Report) -> bytes:
    """Return an xlsx file; the same report gives the same bytes.

    Numbers are numbers and rates are text, so that a sum over rates is not made by mistake.
    """
    keys = [key for key in WORDS if key != "on_time_rate"]
    heads = [
        *("机构编号 agency_id", "机构 agency", "事项 matter"),
        *(f"{WORDS[key].zh} {key}" for key in keys),
        *(f"{_RATE_NAMES.get(key, '按期率')} {key}" for key in _RATES),
    ]
    rows = [
        [
            row.agency_id,
            found.names.get(row.agency_id, "全部机构"),
            MATTER_NAMES[row.matter] if row.matter else "合计",
            *(_value(row.figures, key) for key in keys),
            *(percent(rate(row.figures)) for rate in _RATES.values()),
        ]
        for row in found.rows
    ]
    facts: list[list[Value]] = [
        ["项目 item", "内容 value"],
        ["统计日 as of", found.day.isoformat()],
        ["发出日自 sent from", found.since.isoformat() if found.since else ""],
        ["发出日至 sent to", found.until.isoformat() if found.until else ""],
        ["规则集 rule sets", ", ".join(found.rules)],
        ["工作日历 calendar", found.calendar],
        ["到期日暂定的委托 provisional", found.provisional],
    ]
    words = [[w.zh, w.en, w.means_zh, w.means_en] for w in WORDS.values()]
    return sheet_bytes(
        [
            ("统计 figures", [heads, *rows]),
            ("统计范围 scope", facts),
            ("定义 definitions", [["指标", "figure", "定义", "meaning"], *words]),
        ]
    )


def _value(figures: Figures, key: str) -> Value:
    value: Value | None = getattr(figures, key)
    return "" if value is None else value
