"""The page of turnaround figures: definitions, plots and tables in one HTML file.

It loads nothing and runs nothing, so it can be mailed, printed and filed as it is; the web
application shows the same text, in one language at a time. The same report gives the same bytes.
Chinese comes first, with English beside it; the English page is in English alone.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence

from appraisal import plots
from appraisal.figure_words import WORDS, percent, value_of
from appraisal.figures import Report, Row
from appraisal.matters import MATTER_NAMES, MATTER_NAMES_EN
from portal.pages import as_html

_STYLE = """
body{font:16px/1.6 "Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei",sans-serif;
margin:1.5rem auto;max-width:76rem;padding:0 1rem;color:#1b1b1b;background:#fff}
h1{font-size:1.5rem;line-height:1.3}
h2{font-size:1.2rem;border-top:2px solid #1f5f99;padding-top:.8rem;margin-top:2.2rem}
.en{color:#555;font-size:.9em}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}
.facts dt{font-weight:bold}
.facts dd{margin:0;overflow-wrap:anywhere}
.note{border-left:4px solid #b35c00;background:#fff6e0;padding:.5rem .8rem}
.pair{display:grid;gap:1.2rem 2rem;align-items:start}
.pair>*{min-width:0}
figure{margin:0;max-width:34rem}
svg{width:100%;height:auto;display:block}
.scroll{overflow-x:auto}
.scroll:focus{outline:3px solid #1f5f99}
table{border-collapse:collapse;font-size:.9rem;width:100%}
caption{text-align:left;font-weight:bold;padding:.3rem 0}
th,td{border:1px solid #c9c9c9;padding:.3rem .5rem;text-align:right;vertical-align:top}
thead th{background:#e8eef5;vertical-align:bottom}
tbody th,thead th:first-child,thead th:nth-child(2){text-align:left;overflow-wrap:anywhere}
tbody th{font-weight:normal;min-width:7rem}
tbody th[scope=rowgroup]{font-weight:bold}
tr.all>*{background:#f3f3f3;font-weight:bold}
.words dt{font-weight:bold;margin-top:.6rem}
.words dd{margin:0 0 0 1rem}
@media(min-width:64rem){.pair:not(.below){grid-template-columns:minmax(20rem,30rem) 1fr}}
@media(max-width:40rem){.facts{display:block}.facts dd{margin-bottom:.4rem}}
@media print{.pair{display:block}}
"""
STYLE_HASH = f"sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode('ascii')}"
POLICY = f"default-src 'none'; style-src '{STYLE_HASH}'"
"""The Content-Security-Policy under which the page shows as it should."""
LIMIT = 30
"""Working days of the dashed line: the limit of JAG art. 28 without extension."""

_TIME = ("due", "delivered", "on_time", "late", "overdue", "on_time_rate")
_DAYS = ("delivered", "median_days", "p90_days", "accepted", "accept_median")
_NUMBERS = (
    *("commissions", "accepted", "refused", "withdrawn", "terminated", "open", "overdue"),
    *("undecided_late", "supplements", "re_appraised"),
)
Say = Callable[[str, str], str]


def figures_page(found: Report, language: str = "zh") -> str:
    """Return the page as HTML.

    Args:
        found: the figures.
        language: ``zh`` for Chinese with English beside it, ``en`` for English alone.
    """
    english = language == "en"
    title = (_plain_english if english else _plain_both)("鉴定时效统计", "Turnaround of appraisals")
    return (
        f'<!doctype html>\n<html lang="{"en" if english else "zh-CN"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{as_html(POLICY)}">'
        f"<title>{title} · {found.day}</title><style>{_STYLE}</style></head><body>\n"
        f"<main>{figures_content(found, language)}</main>\n</body></html>\n"
    )


def figures_content(found: Report, language: str = "zh") -> str:
    """Return what stands in the page, for a frame that has a style of its own.

    Args:
        found: the figures.
        language: ``zh``, ``en``, or ``zh-only`` where the frame offers English itself.
    """
    say, plain = _SAYS[language]
    return (
        f"\n<h1>{say('鉴定时效统计', 'Turnaround of appraisals')}</h1>\n{_facts(found, say)}"
        f"{_on_time(found, say, plain)}{_days(found, say, plain)}{_numbers(found, say, plain)}"
        f"{_words(say)}"
    )


def _facts(found: Report, say: Say) -> str:
    since = found.since.isoformat() if found.since else "…"
    until = found.until.isoformat() if found.until else "…"
    period = as_html(f"{since} — {until}") if found.since or found.until else say("全部", "all")
    rows = (
        (say("统计日", "As of"), as_html(found.day.isoformat())),
        (say("统计期（发出日）", "Sent in the period"), period),
        (say("规则集", "Rule sets"), as_html(", ".join(found.rules)) or "—"),
        (say("工作日历", "Calendar"), as_html(found.calendar)),
    )
    told = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    note = say(
        "统计日之后发生的事不计入；同一统计日的结果相同，可由保管链事件重算。",
        "What happened after the day is not counted; the same day gives the same figures, which "
        "can be computed again from the events.",
    )
    notes = f"<p>{note}</p>\n"
    if found.provisional:
        words = say(
            f"有{found.provisional}件的到期日晚于最近一年的官方放假通知，为暂定。",
            f"The due dates of {found.provisional} lie past the last official calendar year and "
            "are provisional.",
        )
        notes += f'<p class="note">{words}</p>\n'
    return f'<dl class="facts">{told}</dl>\n{notes}'


def _on_time(found: Report, say: Say, plain: Say) -> str:
    drawn = [
        plots.Share(
            _who(found, row, plain),
            row.figures.on_time_permille,
            f"{percent(row.figures.on_time_permille)} ({row.figures.on_time}/{row.figures.due})",
        )
        for row in _of_agencies(found)
    ]
    name = plain("各机构按期率", "On-time rate by agency")
    plot = plots.shares("on-time", name, drawn)
    heading = say("是否按期", "On time")
    return _section(heading, "on_time_rate", say, plot, _table(found, _TIME, name, say))


def _days(found: Report, say: Say, plain: Say) -> str:
    drawn = [
        plots.Range(
            f"{_who(found, row, plain)} · {_label_of(row, plain)}",
            row.figures.median_days,
            row.figures.p90_days,
            row.figures.delivered,
        )
        for row in found.rows
        if row.matter is not None and row.agency_id and row.figures.delivered
    ]
    name = plain("各机构各事项用时（工作日）", "Working days by agency and matter")
    words = (
        plain("中位数", "median"),
        plain("第90百分位", "90th"),
        plain(f"{LIMIT}个工作日", f"{LIMIT} days"),
    )
    plot = plots.ranges("days", name, words, LIMIT, drawn)
    heading = say("用时多少", "How long")
    return _section(heading, "median_days", say, plot, _table(found, _DAYS, name, say))


def _numbers(found: Report, say: Say, plain: Say) -> str:
    kinds = [plain(WORDS[key].zh, WORDS[key].en) for key in ("on_time", "late", "overdue")]
    drawn = [
        plots.Stack(
            _who(found, row, plain),
            (f.on_time, f.late, f.overdue, f.open - f.overdue),
        )
        for row in _of_agencies(found, total=False)
        for f in (row.figures,)
    ]
    name = plain("各机构委托的去向", "What became of the commissions")
    kinds.append(plain("在办未逾期", "Open in time"))
    plot = plots.stacks("numbers", name, kinds, drawn)
    heading = say("委托数量", "Numbers")
    return _section(heading, "commissions", say, plot, _table(found, _NUMBERS, name, say), " below")


def _section(heading: str, key: str, say: Say, plot: str, table: str, below: str = "") -> str:
    """Return a heading with its definition, plot and table; a wide table stands below."""
    word = WORDS[key]
    return (
        f"<section><h2>{heading}</h2>\n<p>{say(word.means_zh, word.means_en)}</p>\n"
        f'<div class="pair{below}"><figure>{plot}</figure>\n{table}</div></section>\n'
    )


def _table(found: Report, keys: Sequence[str], name: str, say: Say) -> str:
    heads = "".join(f'<th scope="col">{say(WORDS[k].zh, WORDS[k].en)}</th>' for k in keys)
    body = "".join(
        _rows(found, [row for row in found.rows if row.agency_id == agency], keys, say)
        for agency in dict.fromkeys(row.agency_id for row in found.rows)
    )
    return (
        f'<div class="scroll" role="region" aria-label="{as_html(name)}" tabindex="0"><table>'
        f"<caption>{as_html(name)}</caption><thead><tr>"
        f'<th scope="col">{say("机构", "Agency")}</th><th scope="col">{say("事项", "Matter")}</th>'
        f"{heads}</tr></thead>\n{body}</table></div>"
    )


def _rows(found: Report, rows: Sequence[Row], keys: Sequence[str], say: Say) -> str:
    """Return the rows of one agency as a group."""
    name = found.names[rows[0].agency_id] if rows[0].agency_id else ""
    shown = as_html(name) if name else say("全部机构", "All agencies")
    lines: list[str] = []
    for row in rows:
        head = f'<th scope="rowgroup" rowspan="{len(rows)}">{shown}</th>' if not lines else ""
        mark = ' class="all"' if row.matter is None else ""
        cells = "".join(f"<td>{as_html(value_of(row.figures, key))}</td>" for key in keys)
        lines.append(f'<tr{mark}>{head}<th scope="row">{_matter(row, say)}</th>{cells}</tr>\n')
    return f"<tbody>{''.join(lines)}</tbody>\n"


def _words(say: Say) -> str:
    told = "".join(
        f"<dt>{say(word.zh, word.en)}</dt><dd>{say(word.means_zh, word.means_en)}</dd>\n"
        for word in WORDS.values()
    )
    heading = say("各指标的定义", "What each figure means")
    return f'<section><h2>{heading}</h2>\n<dl class="words">{told}</dl></section>\n'


def _of_agencies(found: Report, *, total: bool = True) -> list[Row]:
    """Return the rows of all matters: each agency's, then that of all where there are several."""
    rows = [row for row in found.rows if row.matter is None]
    return rows if total and len(rows) > 2 else rows[:-1]


def _who(found: Report, row: Row, plain: Say) -> str:
    return found.names[row.agency_id] if row.agency_id else plain("全部机构", "All agencies")


def _matter(row: Row, say: Say) -> str:
    if row.matter is None:
        return say("合计", "All")
    return say(MATTER_NAMES[row.matter], MATTER_NAMES_EN[row.matter])


def _label_of(row: Row, plain: Say) -> str:
    """Return the matter as a plot names it: in one language, for want of room."""
    if row.matter is None or plain is _plain_english:
        return MATTER_NAMES_EN[row.matter] if row.matter else ""
    return MATTER_NAMES[row.matter]


def _both(zh: str, en: str) -> str:
    return f'{as_html(zh)} <span class="en" lang="en">{as_html(en)}</span>'


def _english(zh: str, en: str) -> str:
    return as_html(en)


def _chinese(zh: str, en: str) -> str:
    return as_html(zh)


def _plain_chinese(zh: str, en: str) -> str:
    return zh


def _plain_both(zh: str, en: str) -> str:
    return f"{zh} {en}"


def _plain_english(zh: str, en: str) -> str:
    return en


_SAYS: dict[str, tuple[Say, Say]] = {
    "zh": (_both, _plain_both),
    "zh-only": (_chinese, _plain_chinese),
    "en": (_english, _plain_english),
}
"""How each language is said, as HTML and as plain text."""
