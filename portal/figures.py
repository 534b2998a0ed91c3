"""How turnaround figures are shown on a terminal."""

from __future__ import annotations

from appraisal.figure_words import WORDS, value_of
from appraisal.figures import Report
from appraisal.matters import MATTER_NAMES
from portal.show import cell, line, table

_SHOWN = (
    *("commissions", "delivered", "on_time", "late", "open", "overdue", "on_time_rate"),
    *("median_days", "p90_days", "accept_median", "supplements", "re_appraised"),
)


def print_figures(found: Report) -> None:
    """Print one line an agency and matter, and what the rate means."""
    rows = [
        (
            found.names.get(row.agency_id, "全部机构"),
            MATTER_NAMES[row.matter] if row.matter else "合计",
            *(value_of(row.figures, key) for key in _SHOWN),
        )
        for row in found.rows
    ]
    heads = ("机构", "事项", *(WORDS[key].zh for key in _SHOWN))
    table(f"鉴定时效 turnaround · {found.day}", heads, rows)
    rate = WORDS["on_time_rate"]
    line(f"{rate.means_zh} {rate.means_en}")
    line(f"规则集 rule sets: {cell(', '.join(found.rules)) or '—'} · {cell(found.calendar)}")
    if found.provisional:
        line(f"[yellow]![/] 暂定到期日 provisional due dates: {found.provisional}")
