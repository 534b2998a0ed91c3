"""What each turnaround figure is called and how it is defined, in the words people read. Pure.

The page, the spreadsheet and the documentation all show these; a test holds the documentation
to them. (RULES: TT-10.)
"""

from __future__ import annotations

from dataclasses import dataclass

from appraisal.figures import Figures, permille


@dataclass(frozen=True)
class Word:
    """One figure: its name and its definition, in Chinese and English."""

    zh: str
    en: str
    means_zh: str
    means_en: str


WORDS: dict[str, Word] = {
    "commissions": Word(
        "委托",
        "Commissions",
        "统计期内发出的委托书，截至统计日。一份委托书有几个鉴定事项的，在每个事项下各计一次，在合计中计一次。",
        "Commissions sent in the period, as of the day. One with several matters counts once under "
        "each of them and once in the total.",
    ),
    "on_time_rate": Word(
        "按期率",
        "On-time rate",
        "按期率 = 按期交付 ÷（已交付 + 逾期未交）。不予受理和撤回的不计入；未到期的在办委托不计入；"
        "分母为零时不计算。",
        "Delivered on time ÷ (delivered + overdue open). Refused and withdrawn ones are left out, "
        "and so is what is open and not yet due; of nothing there is no rate.",
    ),
    "due": Word("应交", "Due", "按期率的分母：已交付与逾期未交之和。", "Delivered + overdue open."),
    "delivered": Word(
        "已交付",
        "Delivered",
        "鉴定意见书已交回且未被退回的委托；退回后重新提交的，以最后一次交回之日为准。",
        "An opinion is back and was not sent back; after a return, the last one counts.",
    ),
    "on_time": Word(
        "按期交付",
        "On time",
        "在有效到期日当日或之前交付。有效到期日按规则集计算，含约定时限和延长，补充材料期间不计入。",
        "Delivered on or before the effective due date, which follows from the rule set with the "
        "agreed limit, extensions and pauses.",
    ),
    "late": Word("逾期交付", "Late", "在有效到期日之后交付。", "Delivered after that date."),
    "overdue": Word(
        "逾期未交",
        "Overdue",
        "已受理、尚未交付，统计日已过有效到期日；补充材料期间停止计时的不算逾期。",
        "Accepted, not delivered, and the effective due date has passed; a clock that is stopped "
        "for a supplement is not overdue.",
    ),
    "open": Word(
        "在办",
        "Open",
        "已发出、尚未交付也未终结的委托，含逾期未交。",
        "Sent, neither delivered nor ended; overdue ones included.",
    ),
    "undecided_late": Word(
        "逾期未决定受理",
        "Undecided, overdue",
        "已过受理期限，机构仍未决定是否受理；不计入按期率。",
        "The time to accept or decline has passed; not part of the on-time rate.",
    ),
    "median_days": Word(
        "用时中位数",
        "Median days",
        "自生效日次日至交付日的工作日数，扣除补充材料期间，取已交付委托的中位数；"
        "个数为偶数时取中间两个的平均。按日历日计期限的地区也以工作日衡量。",
        "Working days from the day after the commission took effect to delivery, without the "
        "pauses for supplements; the middle value of those delivered, of an even number the mean "
        "of the two in the middle. Measured in working days also where the limit is in calendar "
        "days.",
    ),
    "p90_days": Word(
        "用时第90百分位",
        "90th percentile",
        "同一组用时中，至少90%的委托不超过的最小值（最近秩法，必为实际测得的值）。",
        "The smallest of the same values that at least 90% do not exceed (nearest rank: always a "
        "value that was measured).",
    ),
    "accept_median": Word(
        "受理用时中位数",
        "Median to accept",
        "自签收（未签收的自发出）次日至决定受理之日的工作日数，扣除补充材料期间，取中位数；只计已受理的。",
        "Working days from the day after receipt (or dispatch, where none was acknowledged) to "
        "acceptance, without pauses; of those accepted.",
    ),
    "accepted": Word(
        "已受理", "Accepted", "机构决定受理的委托。", "Commissions that the agency accepted."
    ),
    "supplements": Word(
        "补充材料",
        "Supplements",
        "已受理的委托中，要求补充材料的次数；补充率 = 至少要求过一次的委托 ÷ 已受理。",
        "Requests for more material in those accepted; rate = commissions with at least one ÷ "
        "accepted.",
    ),
    "re_appraised": Word(
        "重新鉴定",
        "Re-appraised",
        "已交付的委托中，后来又委托重新鉴定的（计入原机构，事项相同）；"
        "重新鉴定率 = 其数 ÷ 已交付。",
        "Delivered ones whose matter was commissioned again (counted for the first agency); rate = "
        "their number ÷ delivered.",
    ),
    "refused": Word("不予受理", "Refused", "机构不予受理，不计入其他指标。", "In no other figure."),
    "withdrawn": Word("撤回", "Withdrawn", "委托人撤回，不计入其他指标。", "In no other figure."),
    "terminated": Word(
        "终止",
        "Terminated",
        "受理后终止鉴定，没有意见书；不计入按期率和用时。",
        "Ended after acceptance without an opinion; in neither the rate nor the days.",
    ),
}
"""Every figure by its key, in the order in which it is explained."""


def value_of(figures: Figures, key: str) -> str:
    """Return a figure as people read it; a dash where there is nothing to measure."""
    if key == "on_time_rate":
        return percent(figures.on_time_permille)
    if key == "supplements":
        rate = percent(permille(figures.supplemented, figures.accepted))
        return f"{figures.supplements} ({rate})"
    if key == "re_appraised":
        return (
            f"{figures.re_appraised} ({percent(permille(figures.re_appraised, figures.delivered))})"
        )
    value = getattr(figures, key)
    return "—" if value is None else f"{value:g}"


def percent(thousandths: int | None) -> str:
    """Return a share such as ``83.3%``, or a dash."""
    if thousandths is None:
        return "—"
    return f"{thousandths // 10}.{thousandths % 10}%"
