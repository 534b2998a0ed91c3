"""The answer of an agency that has none of our software: one text file to fill in, read strictly.

::

    鉴定回执 zhenglian.answer/1
    # 说明 ...
    委托书编号 commission: 沪市监鉴委〔2026〕77号
    鉴定机构 agency: 申江知识产权司法鉴定中心
    材料包SHA-256 package: 9f86d081...
    答复 answer: 签收 / 受理 / 不予受理
    理由 reason:
    答复人 name: 周静
    日期 date: 2026-01-30

The digest is not filled in: whoever answers computes it, which is what the receipt proves. Every
mistake is named, with its line. Pure. (RULES: AP-07; JAG arts. 12, 13, 15.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from storage.errors import InputError
from storage.names import visible

T = TypeVar("T")
HEADER = "鉴定回执 zhenglian.answer/1"
MAX_BYTES = 64 << 10
MAX_NAME = 80
MAX_REASON = 2000
"""Characters, as at the other doors."""
_SUPPLEMENT = re.compile(r"(.+)/S([1-9][0-9]{0,2})", re.DOTALL)


class Answer(StrEnum):
    """What an agency answers."""

    RECEIVED = "received"
    ACCEPT = "accept"
    DECLINE = "decline"


ANSWER_NAMES: dict[Answer, str] = {
    Answer.RECEIVED: "签收",
    Answer.ACCEPT: "受理",
    Answer.DECLINE: "不予受理",
}
_LABELS = {
    "commission": "委托书编号",
    "agency": "鉴定机构",
    "package": "材料包SHA-256",
    "answer": "答复",
    "reason": "理由",
    "name": "答复人",
    "date": "日期",
}


@dataclass(frozen=True)
class AgencyAnswer:
    """An answer as read: nothing in it is empty but ``reason``, which a refusal alone has.

    ``commission_no`` is without the mark of a supplement, ``supplement`` 0 for the first package.
    """

    commission_no: str
    supplement: int
    agency: str
    package_digest: str
    answer: Answer
    reason: str
    name: str
    date: str


def answer_form(number: str, agency: str) -> bytes:
    """Return the form as it goes into the package, UTF-8 with the mark that Windows looks for."""
    lines = [
        HEADER,
        "# 请填写各行冒号之后的内容，另存后交回委托人。Fill in after the colons and send it back.",
        "# 材料包SHA-256：请自行计算压缩包的校验值并填写全部64位 compute it yourselves, 64 digits:",
        "#   sha256sum 文件.zip    或 or    certutil -hashfile 文件.zip SHA256",
        "# 答复：签收、受理、不予受理 三者之一 one of: received, accept, decline",
        "# 理由：不予受理时必填 the reason, if you decline.  日期 date: 2026-01-30",
        f"委托书编号 commission: {visible(number)}",
        f"鉴定机构 agency: {visible(agency)}",
        "材料包SHA-256 package: ",
        "答复 answer: ",
        "理由 reason: ",
        "答复人 name: ",
        "日期 date: ",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8-sig")


def read_answer(untrusted: bytes) -> AgencyAnswer:
    """Read an answer.

    Raises:
        InputError: every mistake is listed in ``problems``, each with its line.
    """
    form = _Form()
    values = form.values(_decoded(untrusted))
    number, supplement = _number(values.get("commission", ""))
    found = AgencyAnswer(
        form.text(values, "commission", number),
        supplement,
        form.text(values, "agency"),
        form.read(values, "package", _digest, ""),
        form.read(values, "answer", _answer, Answer.RECEIVED),
        values.get("reason", ""),
        form.text(values, "name"),
        form.read(values, "date", _day, ""),
    )
    form.plain(values, "reason", MAX_REASON)
    form.plain(values, "name", MAX_NAME)
    if values.get("answer") and not form.problems:
        if found.answer is Answer.DECLINE and not found.reason:
            form.wrong("reason", "不予受理须写明理由 a refusal needs its reason")
        if found.answer is not Answer.DECLINE and found.reason:
            form.wrong("reason", "只有不予受理才写理由 only a refusal has a reason")
    form.finish()
    return found


def _decoded(untrusted: bytes) -> str:
    if len(untrusted) > MAX_BYTES:
        raise InputError(
            f"回执超过 {MAX_BYTES} 字节 the answer is longer than {MAX_BYTES} bytes",
            remedy="send the form of the package, filled in, and nothing else",
        )
    for encoding in ("utf-8-sig", "utf-16", "gb18030"):
        if encoding == "utf-16" and not untrusted.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            return untrusted.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(
        "回执不是文本文件 the answer is no text file",
        remedy="save it as plain text (UTF-8), not as a document",
    )


class _Form:
    """Reads the lines and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._lines: dict[str, int] = {}

    def values(self, text: str) -> dict[str, str]:
        """Return the filled-in values by the English word of their label."""
        found: dict[str, str] = {}
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if lines[0].strip() != HEADER:
            self.problems.append(f"第1行应为“{HEADER}” line 1 is not {HEADER!r}")
        for number, line in enumerate(lines[1:], 2):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            key, value = _split(line)
            if key is None:
                self.problems.append(
                    f"第{number}行不认识：{visible(line[:40])} line {number} is no line of the form"
                )
            elif key in found:
                self.problems.append(
                    f"第{number}行重复“{_LABELS[key]}” line {number} gives {key} again"
                )
            else:
                found[key], self._lines[key] = value, number
        for key in _LABELS:
            if key not in found and key != "reason":
                self.problems.append(f"缺少“{_LABELS[key]}” {key} is missing")
        return found

    def text(self, values: dict[str, str], key: str, value: str | None = None) -> str:
        """Return a value that must not be empty."""
        found = values.get(key, "") if value is None else value
        if key in values and not found:
            self.wrong(key, "未填写 is empty")
        return found

    def read(self, values: dict[str, str], key: str, parse: Callable[[str], T], otherwise: T) -> T:
        """Return a value as its reader gives it."""
        if not self.text(values, key):
            return otherwise
        try:
            return parse(values[key])
        except ValueError as error:
            self.wrong(key, str(error))
            return otherwise

    def plain(self, values: dict[str, str], key: str, limit: int) -> None:
        """Note a value that is too long to be kept, or that does not show what it is."""
        found = values.get(key, "")
        if len(found) > limit:
            self.wrong(key, f"超过{limit}字 is longer than {limit} characters")
        if visible(found) != found:
            self.wrong(key, "含有不可见的字符 has characters that are not shown")

    def wrong(self, key: str, why: str) -> None:
        """Note a mistake in a line."""
        at = f"第{self._lines[key]}行" if key in self._lines else ""
        self.problems.append(f"{at}“{_LABELS[key]}”{why} ({key})")

    def finish(self) -> None:
        """Raise one error with every mistake, if there is any."""
        if self.problems:
            raise InputError(
                f"回执有{len(self.problems)}处不对 the answer has {len(self.problems)} mistakes: "
                + "; ".join(self.problems),
                remedy="correct the listed lines and hand it in again; nothing was recorded",
                problems=self.problems,
            )


def _split(line: str) -> tuple[str | None, str]:
    label, mark, value = line.replace("：", ":", 1).partition(":")
    words = label.split()
    for key, zh in _LABELS.items():
        if mark and words and set(words) <= {key, zh}:
            return key, value.strip()
    return None, ""


def _number(text: str) -> tuple[str, int]:
    match = _SUPPLEMENT.fullmatch(text)
    return (match[1], int(match[2])) if match else (text, 0)


def _digest(text: str) -> str:
    plain = "".join(text.split()).lower().removeprefix("sha256:")
    if not re.fullmatch("[0-9a-f]{64}", plain):
        raise ValueError(f"应为64位十六进制数，现为{len(plain)}位 is not 64 hexadecimal digits")
    return plain


def _answer(text: str) -> Answer:
    words = {word.strip("。.") for word in text.casefold().split()}
    for each, zh in ANSWER_NAMES.items():
        if words <= {each.value, zh}:
            return each
    raise ValueError("应为签收、受理、不予受理之一 is none of received, accept, decline")


def _day(text: str) -> str:
    plain = re.sub("[年月/.]", "-", text).removesuffix("日").replace(" ", "")
    try:
        year, month, day = (int(part) for part in plain.split("-"))
        return date(year, month, day).isoformat()
    except ValueError:
        raise ValueError("不是日期 is no date such as 2026-01-30") from None
