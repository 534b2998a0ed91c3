"""The words of the pages, Chinese first and English beside it. Pure.

Templates hold their own sentences in both languages; here stand the words that several pages
share, and how dates, days left, sizes and digests are said.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from appraisal.accounts import Role, Scope
from appraisal.brief import CommissionType
from appraisal.material import Disposal, Side
from appraisal.matters import MATTER_NAMES, MATTER_NAMES_EN, MatterType
from appraisal.rules import UNIT_NAMES, Unit
from appraisal.step import parse_moment
from storage.nouns import KIND_NAMES, EvidenceKind

Pair = tuple[str, str]
"""One text in Chinese and in English."""


class Language(StrEnum):
    """The languages of the pages, as the ``lang`` attribute names them."""

    ZH = "zh-CN"
    EN = "en"

    @property
    def other(self) -> Language:
        """Return the language that the switch offers."""
        return Language.EN if self is Language.ZH else Language.ZH

    def say(self, zh: str, en: str) -> str:
        """Return the one of two texts that is in this language."""
        return zh if self is Language.ZH else en


LINKS: dict[Role, tuple[tuple[str, str, str], ...]] = {
    Role.AGENCY_ADMIN: (
        ("/queue", "委托", "Commissions"),
        ("/notices", "通知", "Notices"),
        ("/members", "成员", "Members"),
        ("/tokens", "接口令牌", "API tokens"),
    ),
    Role.AGENCY_MEMBER: (
        ("/queue", "委托", "Commissions"),
        ("/notices", "通知", "Notices"),
        ("/tokens", "接口令牌", "API tokens"),
    ),
    Role.OFFICER: (
        ("/officer/commissions", "全部委托", "All commissions"),
        ("/officer/figures", "办理情况", "Turnaround"),
        ("/notices", "通知", "Notices"),
    ),
    Role.AUDITOR: (
        ("/officer/commissions", "全部委托", "All commissions"),
        ("/officer/figures", "办理情况", "Turnaround"),
        ("/notices", "通知", "Notices"),
    ),
}
"""Where each role can go, as the main navigation lists it; the first is its home."""

SCOPE_NAMES: dict[Scope, Pair] = {
    Scope.READ: ("查看委托", "See commissions"),
    Scope.DOWNLOAD: ("下载材料包", "Download packages"),
    Scope.ACT: ("办理（签收、受理、提交等）", "Act (acknowledge, accept, return)"),
}
TYPE_PAIRS: dict[CommissionType, Pair] = {
    CommissionType.FIRST: ("初次鉴定", "First appraisal"),
    CommissionType.SUPPLEMENTARY: ("补充鉴定", "Supplementary appraisal"),
    CommissionType.RE_APPRAISAL: ("重新鉴定", "Repeated appraisal"),
}
DISPOSAL_PAIRS: dict[Disposal, Pair] = {
    Disposal.KEEP: ("留存", "keep"),
    Disposal.RETURN: ("退还", "return"),
    Disposal.DESTROY: ("销毁", "destroy"),
}
SIDE_PAIRS: dict[Side, Pair] = {
    Side.RIGHTS_HOLDER: ("权利人", "rights holder"),
    Side.ACCUSED: ("被控方", "accused"),
    Side.NEUTRAL: ("其他", "other"),
}
EVIDENCE_PAIRS: dict[EvidenceKind, Pair] = {
    each: (zh, each.value.replace("_", " ")) for each, zh in KIND_NAMES.items()
}
MATTER_PAIRS: dict[MatterType, Pair] = {
    each: (MATTER_NAMES[each], MATTER_NAMES_EN[each]) for each in MatterType
}

_PLURAL = re.compile(r"(1) (exhibit|check|appraiser)s\b")
_WEEKDAYS = (
    ("周一", "Mon"),
    ("周二", "Tue"),
    ("周三", "Wed"),
    ("周四", "Thu"),
    ("周五", "Fri"),
    ("周六", "Sat"),
    ("周日", "Sun"),
)


def said_day(day: date) -> Pair:
    """Return a day with its weekday: ``2026-11-29 周日`` and ``Sun 2026-11-29``."""
    zh, en = _WEEKDAYS[day.weekday()]
    return f"{day.isoformat()} {zh}", f"{en} {day.isoformat()}"


def said_moment(moment: str, zone: str) -> Pair:
    """Return a time (RFC 3339) with its weekday and minute, in a named zone."""
    local = parse_moment(moment).astimezone(ZoneInfo(zone))
    zh, en = said_day(local.date())
    clock = f"{local:%H:%M}"
    return f"{zh} {clock}", f"{en} {clock}"


def said_zone(zone: str) -> Pair:
    """Return how a time zone is called on pages: ``北京时间（UTC+8）``, or by its own name."""
    return (
        ("北京时间（UTC+8）", "Beijing time (UTC+8)") if zone == "Asia/Shanghai" else (zone, zone)
    )


def counted(text: str, many: int) -> str:
    """Return a sentence with its number: ``%d exhibits`` of one is ``1 exhibit``."""
    said = text % many
    return _PLURAL.sub(r"\1 \2", said, count=1) if many == 1 else said


def said_left(days: int, unit: Unit) -> Pair:
    """Return how many days are left, or by how many it is late, in the clock's unit."""
    zh, en = UNIT_NAMES[unit]
    many = abs(days)
    en = en.removesuffix("s") if many == 1 else en
    if days < 0:
        return f"已逾期{many}{zh}", f"{many} {en} overdue"
    if days == 0:
        return "今天到期", "due today"
    return f"剩{many}{zh}", f"{many} {en} left"


def said_size(size: int) -> str:
    """Return a size in bytes for people: ``12.3 MB`` (powers of 1000, as browsers count)."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.95:
            return f"{value:.1f} {unit}" if unit != "B" else f"{size} B"
        value /= 1000
    return f"{value:.1f} TB"


def grouped(digest: str, width: int = 8) -> list[str]:
    """Return a digest in groups that the eye can compare; joined they are the digest."""
    return [digest[at : at + width] for at in range(0, len(digest), width)]
