"""What comes between acceptance and opinion: supplements, recusal, corrections, fate of material.

Each function returns what a step changes in a commission; whether it is allowed is judged in
``transitions``. Pure. (RULES: AP-11, AP-13, AP-14, TT-04; JAG arts. 14, 20-22, 28, 41.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from appraisal.commission import Commission, State
from appraisal.compared import squeezed
from appraisal.happened import (
    Consent,
    Correction,
    Fate,
    MaterialFate,
    Recusal,
    Supplement,
)
from appraisal.material import Material, incomplete
from appraisal.step import Kind, Transition
from storage.digest import Fingerprint, equal, parse_supplied
from storage.errors import InputError, IntegrityError, NotFoundError, StateError


def require_same(package: Fingerprint | None, transition: Transition) -> None:
    """Compare the digest that the agency repeats with that of a package that was sent (AP-07).

    Raises:
        InputError: there is none, or it is not of its form.
        IntegrityError: it is another one.
    """
    supplied = parse_supplied(transition.text("package_digest", "the package digest repeated"))
    known = package.digests if package else {}
    if supplied.algorithm not in known:
        raise InputError(
            f"{supplied.algorithm}不能用于确认 {supplied.algorithm} cannot confirm a package",
            remedy="请复述SHA-256 repeat its SHA-256",
        )
    if not equal(supplied.value, known[supplied.algorithm]):
        raise IntegrityError(
            f"所复述的材料包校验值与发出的不一致 the digest repeated by the agency is not that of "
            f"the package sent: {supplied.value} instead of {known[supplied.algorithm]}",
            remedy="请重新下载并比对，勿打开不一致的材料 "
            "download the package again and compare; do not open what differs",
            sent=known[supplied.algorithm],
            stated=supplied.value,
        )


def among(names: Iterable[str], people: Iterable[str]) -> list[str]:
    """Return those of the names that are some of these people, however they are spaced."""
    known = set(map(squeezed, people))
    return sorted(each for each in set(names) if squeezed(each) in known)


def _request(commission: Commission, transition: Transition) -> dict[str, Any]:
    what = transition.text("what", "what material is asked for")
    document = str(transition.data.get("document", ""))
    return {
        "state": State.PAUSED,
        "supplements": (
            *commission.supplements,
            Supplement(transition.at, what, document=document),
        ),
    }


def _supply(commission: Commission, transition: Transition) -> dict[str, Any]:
    """The client hands over more material; a long list comes in several steps."""
    last = commission.supplements[-1]
    lines = tuple(map(Material.from_json, transition.data["materials"]))
    sent = {*commission.exhibits}
    if not lines:
        raise InputError(
            "未列明补充材料 the supplement names no exhibits",
            remedy="请列明证据编号 name the exhibits that go out",
        )
    for line in lines:
        if line.exhibit_id in sent:
            raise InputError(
                f"{line.number}已经送检 {line.number} went out already",
                remedy="请只列新材料 name what is new alone",
                exhibit=line.exhibit_id,
            )
        if lacking := incomplete(line):
            columns = ", ".join(lacking)
            raise InputError(
                f"{line.number}缺少：{columns} {line.number} lacks {columns}",
                remedy="请补全鉴定材料清单 complete the material list (AP-02)",
            )
        sent.add(line.exhibit_id)
    package = transition.data.get("package")
    if package and last.package not in (None, Fingerprint.from_json(package)):
        raise StateError(
            "这次补充材料的材料包刚已发出，本次未记录 the package of this supplement went out just "
            "now; this one was not recorded",
            remedy="由机构签收后再次要求 the agency acknowledges it and asks again",
        )
    last = replace(
        last,
        supplied_at=transition.at,
        supplied=last.supplied + lines,
        package=Fingerprint.from_json(package) if package else last.package,
        rest=int(transition.data.get("rest", 0)),
    )
    return {"supplements": (*commission.supplements[:-1], last)}


def _received(commission: Commission, transition: Transition) -> dict[str, Any]:
    """The agency has the material, or goes on without it; the clock runs again."""
    last, data = commission.supplements[-1], transition.data
    exhibits = tuple(data.get("exhibits", ()))
    note = str(data.get("note", "")).strip()
    if last.supplied and data.get("without"):
        raise StateError(
            "委托人已提供补充材料，请签收 the client has supplied the material: acknowledge it",
            remedy="请签收，仍缺的写入备注 acknowledge it; say in the note what is still missing",
        )
    if last.rest:
        raise StateError(
            f"委托人提供的材料还有{last.rest}件未登记 {last.rest} exhibit(s) of what the client "
            "hands over are not on record yet",
            remedy="请委托人重做“提供补充材料” the client repeats its supply, which goes on",
            rest=last.rest,
        )
    if last.supplied and last.package is not None:
        require_same(last.package, transition)
    exhibits = exhibits or tuple(each.exhibit_id for each in last.supplied)
    if not exhibits and not note:
        raise InputError(
            "未列明补充材料 the receipt names no exhibits",
            remedy="请列明，或说明为何不待补充即继续 "
            "name them, or say in a note why the agency goes on without",
        )
    last = replace(last, received_at=transition.at, exhibits=exhibits, note=note)
    return {"state": _resumed(commission), "supplements": (*commission.supplements[:-1], last)}


def _resumed(commission: Commission) -> State:
    if commission.started_at:
        return State.IN_PROGRESS
    if commission.decided_at:
        return State.ACCEPTED
    return State.RECEIVED if commission.received_at else State.DISPATCHED


def _correct(commission: Commission, transition: Transition) -> dict[str, Any]:
    made = Correction(
        transition.at,
        transition.text("document", "the number of the correction (补正书)"),
        transition.text("what", "what was corrected"),
        str(transition.data.get("exhibit_id", "")),
    )
    return {"corrections": (*commission.corrections, made)}


def _ask_recusal(commission: Commission, transition: Transition) -> dict[str, Any]:
    made = Recusal(
        transition.at,
        transition.text("appraiser", "who should withdraw"),
        transition.text("reason", "why (JAG art. 20)"),
        " ".join(filter(None, (transition.actor.unit, transition.actor.name))),
        str(transition.data.get("document", "")),
    )
    return {"recusals": (*commission.recusals, made)}


def _decide_recusal(commission: Commission, transition: Transition) -> dict[str, Any]:
    """The agency decides a request, or one that stands in the brief (JAG art. 21)."""
    name = transition.text("appraiser", "whose recusal is decided")
    granted = bool(transition.data.get("granted"))
    waiting = [e for e in commission.undecided_recusals if among([e.appraiser], [name])]
    if not waiting and not among([name], commission.barred_by_brief):
        raise NotFoundError(
            f"没有待决定的对{name}的回避申请 there is no open request that {name} withdraw",
            remedy="请先登记回避申请 record the request first",
            appraiser=name,
        )
    if waiting:
        asked = waiting[0]
    else:
        (name,) = among(commission.barred_by_brief, [name])[:1]
        asked = Recusal(commission.sent_at, name, "委托书 the brief")
    replacement = str(transition.data.get("replacement", "")).strip()
    if replacement and among([replacement], {name, *commission.recused}):
        raise StateError(
            f"{replacement}亦应回避，不能接替 {replacement} must withdraw too and cannot take over",
            remedy="请指派其他鉴定人 name another appraiser (JAG art. 20)",
            appraiser=replacement,
        )
    decided = replace(
        asked,
        decided_at=transition.at,
        granted=granted,
        decision_reason=transition.text("reason", "the reason of the decision"),
        document=str(transition.data.get("document", "")) or asked.document,
        replacement=replacement,
    )
    kept = tuple(decided if each is asked else each for each in commission.recusals)
    recusals = kept if waiting else (*kept, decided)
    appraisers = commission.appraisers
    if granted:
        gone = among(appraisers, [name, replacement])
        others = [each for each in appraisers if each not in gone]
        appraisers = (*others, *filter(None, [replacement]))
    return {"recusals": recusals, "appraisers": appraisers}


def _consent(commission: Commission, transition: Transition) -> dict[str, Any]:
    made = Consent(
        transition.at,
        _sent(commission, transition),
        transition.text("document", "the document in which the client consents"),
        str(transition.data.get("note", "")),
    )
    return {"consents": (*commission.consents, made)}


def _material(commission: Commission, transition: Transition) -> dict[str, Any]:
    fate = Fate(transition.text("fate", f"one of {', '.join(Fate)}"))
    exhibits = _sent(commission, transition)
    note, document = (str(transition.data.get(key) or "").strip() for key in ("note", "document"))
    if gone := _labels(set(exhibits) - set(commission.unsettled)):
        raise StateError(
            f"{gone}已退还、销毁或耗尽 {gone} was returned, destroyed or consumed already",
            remedy="请核对证据编号 check the numbers of the exhibits",
        )
    if fate is Fate.CONSUMED:
        agreed = {name for each in commission.consents for name in each.exhibits}
        if lacking := _labels(set(exhibits) - agreed):
            raise StateError(
                f"耗尽检材须事先经委托人同意：{lacking} material is consumed only with the "
                f"client's prior consent: {lacking}",
                remedy="请先由委托人登记同意 the client records its consent first (AP-13)",
            )
    if fate is Fate.DAMAGED and not note:
        raise InputError(
            "损坏须说明情况 damage needs a note of what happened",
            remedy="请填写 note give note",
            field="note",
        )
    made = MaterialFate(transition.at, fate, exhibits, note, document)
    return {"fates": (*commission.fates, made)}


def _sent(commission: Commission, transition: Transition) -> tuple[str, ...]:
    """Return the exhibits that a step names; each must be one whose material went out."""
    case = commission.brief.case_id
    named = [
        each if "/" in each else f"{case}/{each}"
        for each in transition.texts("exhibits", "which exhibits")
    ]
    if foreign := _labels(set(named) - set(commission.exhibits)):
        raise NotFoundError(
            f"{foreign}不是本次送检材料 {foreign} was not sent with this commission",
            remedy="请核对鉴定材料清单 see the list of its material",
        )
    return tuple(dict.fromkeys(named))


def _labels(exhibits: Iterable[str]) -> str:
    return "、".join(sorted(each.rpartition("/")[2] for each in exhibits))


INCIDENTS: dict[Kind, Callable[[Commission, Transition], dict[str, Any]]] = {
    Kind.REQUEST_SUPPLEMENT: _request,
    Kind.SUPPLY_SUPPLEMENT: _supply,
    Kind.RECEIVE_SUPPLEMENT: _received,
    Kind.CORRECT: _correct,
    Kind.REQUEST_RECUSAL: _ask_recusal,
    Kind.DECIDE_RECUSAL: _decide_recusal,
    Kind.CONSENT: _consent,
    Kind.MATERIAL: _material,
}
"""What these steps change, by field of ``Commission``."""
