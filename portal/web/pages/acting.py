"""The steps that an agency takes on the page of a commission, each with its form's fields.

The page has no rules: what may be done is asked of the desk, and what may not is refused there.
A form that is sent twice is one step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import FormData

from appraisal.agency_desk import AgencyDesk
from appraisal.commission import Commission
from appraisal.happened import Fate
from appraisal.step import Kind
from portal.web.words import Pair
from storage.errors import InputError

Form = Mapping[str, str]
_YES = "yes"


def _digits(form: Form) -> str:
    """Return a digest as typed or pasted, without the blanks between its groups."""
    return "".join(form.get("package_digest", "").split())


def _days(form: Form) -> int:
    text = form.get("days", "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text)):
        raise InputError(
            "延长天数应为正整数 the days are a whole number", remedy="如 for example 10"
        )
    return int(text)


def _receive(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.receive(number, _digits(form))


def _accept(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.accept(number)


def _decline(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.decline(number, form.get("reason", ""))


def _start(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.start(number, _names(form.get("appraisers", "")))


def _request_supplement(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.request_supplement(number, form.get("what", ""))


def _receive_supplement(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.receive_supplement(number, form.get("note", ""), _digits(form))


def _go_on_without(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.go_on_without(number, form.get("note", ""))


def _extend(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.extend(number, _days(form), form.get("approved_by", ""), form.get("reason", ""))


def _terminate(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.terminate(number, form.get("reason", ""))


def _request_recusal(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.request_recusal(number, form.get("appraiser", ""), form.get("reason", ""))


def _decide_recusal(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.decide_recusal(
        number,
        form.get("appraiser", ""),
        form.get("granted") == _YES,
        form.get("reason", ""),
        form.get("replacement", ""),
    )


def _correct(desk: AgencyDesk, number: str, form: Form) -> Any:
    return desk.correct(number, form.get("what", ""), form.get("document", ""))


def _material(desk: AgencyDesk, number: str, form: Form) -> Any:
    word = form.get("fate", "")
    if word not in {each.value for each in Fate}:
        raise InputError(
            "请选择处置结果 choose what became of it", remedy="请选一项 choose one of them"
        )
    case = desk.commission(number).brief.case_id
    exhibits = [f"{case}/{each}" for each in form.get("exhibits", "").split()]
    return desk.record_material(
        number, Fate(word), exhibits, form.get("note", ""), form.get("document", "")
    )


ACTS: dict[str, Callable[[AgencyDesk, str, Form], Any]] = {
    "receive": _receive,
    "accept": _accept,
    "decline": _decline,
    "start": _start,
    "request_supplement": _request_supplement,
    "receive_supplement": _receive_supplement,
    "go_on_without": _go_on_without,
    "extend": _extend,
    "terminate": _terminate,
    "request_recusal": _request_recusal,
    "decide_recusal": _decide_recusal,
    "correct": _correct,
    "material": _material,
}
"""What each form of the page does."""
DONE: dict[str, Pair] = {
    "receive": ("已签收，校验值一致。", "Receipt is acknowledged; the digest is equal."),
    "accept": ("已受理。期限见“期限”一栏。", "Accepted. See the time limits for the due date."),
    "decline": ("已记录不予受理。", "The refusal is recorded."),
    "start": ("已登记开始鉴定。", "The start is recorded."),
    "request_supplement": (
        "已要求补充材料，期限暂停计算。",
        "The supplement is asked for; the clock has stopped.",
    ),
    "receive_supplement": ("已签收补充材料，期限继续计算。", "Received; the clock runs again."),
    "go_on_without": ("已记录，期限继续计算。", "Recorded; the clock runs again."),
    "extend": ("已延长鉴定期限并告知委托人。", "The limit is extended and the client told."),
    "terminate": ("已终止鉴定。", "The appraisal is terminated."),
    "request_recusal": ("已提出回避。", "The recusal is on record."),
    "decide_recusal": ("已记录回避决定。", "The decision is recorded."),
    "correct": ("已记录补正。", "The correction is recorded."),
    "material": ("已记录材料处置。", "What became of the material is recorded."),
    "opinion": ("意见书已提交，检查结果见下。", "The opinion is returned; its checks are below."),
}
"""What the page says after each."""


def acts_of(desk: AgencyDesk, found: Commission) -> list[str]:
    """Return which forms the page shows.

    Acceptance waits for the receipt here, although one step could do both; and a supplement is
    acknowledged once there is one.
    """
    kinds = {kind.value for kind in desk.allowed(found.commission_no)}
    shown = [act for act in ACTS if act in kinds]
    if Kind.RECEIVE in kinds and Kind.ACCEPT in kinds:
        shown.remove(Kind.ACCEPT)
    if Kind.RECEIVE_SUPPLEMENT in kinds and not found.supplements[-1].supplied:
        shown.remove(Kind.RECEIVE_SUPPLEMENT)
        shown.append("go_on_without")
    return shown


def form_texts(form: FormData) -> dict[str, str]:
    """Return the texts of a form; what a name has several times stands in one line."""
    texts: dict[str, list[str]] = {}
    for key, value in form.multi_items():
        if isinstance(value, str):
            texts.setdefault(key, []).append(value)
    return {
        key: " ".join(values) if len(values) > 1 else values[0] for key, values in texts.items()
    }


def _names(text: str) -> list[str]:
    parts = text.replace("、", "\n").replace("，", "\n").replace(",", "\n").splitlines()
    return [each.strip() for each in parts if each.strip()]
