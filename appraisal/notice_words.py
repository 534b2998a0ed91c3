"""The words of notices: templates in Chinese and English that a bureau can replace. Pure.

A template is a plain text file, its first line the subject, then an empty line, then the body;
``$name`` stands for a field, ``$$`` for a dollar sign. It has no other fields than these, so that
whatever a bureau writes, no party, fact or secret can get into a mail from the record:

``$number`` of the commission or the case, ``$clock``, ``$due`` (of a limit in hours with the time),
``$days`` left or late, ``$today``, ``$link``, ``$provisional`` (a sentence, or none), ``$sender``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template
from typing import Any, Literal

from appraisal.counting import Words
from storage.names import visible

FOLDER = Path(__file__).parent / "notice_templates"
Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
NAMES = (
    "before",
    "due",
    "overdue",
    "escalated",
    "lift",
    "lifted",
    "access",
    "party_period",
    "party_result",
)
FIELDS = ("number", "clock", "due", "days", "today", "link", "provisional", "sender")
MOST_BYTES = 20_000
"""The longest template, bytes."""
_PROVISIONAL = {
    "zh": "该日期晚于最近一年的官方放假通知，为暂定日期。",
    "en": "This date is provisional: it lies past the last official calendar year.",
}
_NO_LINK = {"zh": "请登录鉴定委托系统查看。", "en": "Please sign in to the queue to see it."}
PARTY: dict[str, Words] = {
    "party_period": ("鉴定期间告知书", "notice of the appraisal's period to the party"),
    "party_result": ("鉴定结果告知书", "notice of the appraisal's result to the party"),
}
ACCESS: Words = ("材料包下载期限", "access to the package")
REASONS: dict[str, Words] = {
    "missed": ("当日未运行，已由较新的提醒代替", "not run that day; a newer notice took its place"),
    "moved": ("期限已变动", "the date moved"),
    "ended": ("期限已结束", "the clock ended"),
    "newer": ("已由较新的提醒代替", "a newer notice took its place"),
}
SAID: dict[str, Words] = {
    "before": ("将于$due届满", "is due on $due"),
    "due": ("于$due届满", "ends on $due"),
    "overdue": ("已于$due逾期", "has been overdue since $due"),
    "escalated": ("已于$due逾期，请督促", "has been overdue since $due; please see to it"),
    "lift": (
        "于$due届满，未作决定的自动解除",
        "ends on $due; undecided, the measure lifts by itself",
    ),
    "lifted": ("已于$due自动解除，请登记", "lifted by itself on $due; please record its end"),
    "access": ("最后一日为$due", "ends with $due"),
    "party_period": ("尚未登记", "is not on record yet"),
    "party_result": ("尚未登记", "is not on record yet"),
}
"""One line about each, as the queue page and listings say it."""


@dataclass(frozen=True)
class Text:
    """What one notice says."""

    subject: str
    body: str


def file_name(name: str, language: Language) -> str:
    """Return the name of a template's file."""
    return f"{name}.{language}.txt"


def mistakes(untrusted: bytes) -> list[Words]:
    """Return what is wrong with a template; nothing if it can be used."""
    if len(untrusted) > MOST_BYTES:
        return [(f"超过{MOST_BYTES}字节", f"it is longer than {MOST_BYTES} bytes")]
    try:
        text = untrusted.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [("不是UTF-8编码", "it is not UTF-8")]
    subject, _, body = _split(text)
    found: list[Words] = []
    if not subject.strip() or not body.strip():
        found.append(
            ("首行须为标题，空一行后为正文", "a subject, an empty line and a body are needed")
        )
    template = Template(text)
    if not template.is_valid():
        found.append(
            ("$ 后须为字段名；货币符号写作 $$", "after $ comes a field; write $$ for a dollar")
        )
        return found
    unknown = sorted(set(template.get_identifiers()) - set(FIELDS))
    found += [(f"没有字段 ${each}", f"there is no field ${each}") for each in unknown]
    return found


def _split(text: str) -> tuple[str, str, str]:
    subject, mark, body = text.replace("\r\n", "\n").partition("\n\n")
    return (subject, mark, body) if "\n" not in subject else ("", "", "")


def fields_of(
    notice: Mapping[str, Any], language: Language, link: str, sender: str
) -> dict[str, str]:
    """Return the fields of a notice, as its event keeps it; nothing of a party is among them."""
    due, today = (date.fromisoformat(notice[key]) for key in ("due", "stated_on"))
    number = notice["commission_no"] or notice["case_no"]
    return {
        "number": visible(number),
        "clock": _clock(notice)[0 if language == "zh" else 1],
        "due": _due(notice),
        "days": str(abs((due - today).days)),
        "today": today.isoformat(),
        "link": link or _NO_LINK[language],
        "provisional": _PROVISIONAL[language] if notice["provisional"] else "",
        "sender": visible(sender),
    }


def _clock(notice: Mapping[str, Any]) -> Words:
    """Return the clock's title; of a case's clocks with its number, for one name may run twice."""
    (zh, en), number = notice["title"], notice["number"]
    return (f"{zh}（{number}）", f"{en} ({number})") if number else (zh, en)


def _due(notice: Mapping[str, Any]) -> str:
    """Return the due date; of a limit in hours with the time at which it ends."""
    moment = str(notice.get("due_at", ""))
    return moment[: len("2026-11-27T09:30")].replace("T", " ") or str(notice["due"])


def fill(template: bytes, fields: Mapping[str, str]) -> Text:
    """Fill a template that has no mistakes; the subject is one line whatever the fields hold."""
    subject, _, body = _split(template.decode("utf-8-sig"))
    filled = Template(body).substitute(fields)
    lines = "\n".join(each.rstrip() for each in filled.splitlines())
    subject = " ".join(Template(subject).substitute(fields).split())
    # A field that is empty leaves no gap.
    return Text(subject, re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n")


def said(notice: Mapping[str, Any]) -> Words:
    """Return one line in both languages, for listings."""
    zh, en = SAID[notice["template"]]
    fields, clock = {"due": _due(notice)}, _clock(notice)
    number = visible(notice["commission_no"] or notice["case_no"])
    told = (
        f"{number} {clock[0]}{Template(zh).substitute(fields)}",
        f"{number}: {clock[1]} {Template(en).substitute(fields)}",
    )
    return (f"{told[0]}（暂定）", f"{told[1]} (provisional)") if notice["provisional"] else told
