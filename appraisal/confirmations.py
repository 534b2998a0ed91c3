"""What a person says they saw on an opinion, and the list that goes back to the agency. Pure.

Only a check that waits for a person can be confirmed. One that failed is no matter of looking:
the opinion goes back, or is accepted with a reason. (RULES: AP-08; decision 0029.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appraisal import acts
from appraisal.commission import Commission
from appraisal.compared import squeezed
from appraisal.happened import Returned
from appraisal.opinion import OpinionFinding, Outcome
from appraisal.step import Kind, Transition
from appraisal.transitions import allowed, refusal
from storage.errors import InputError, NotFoundError, StateError
from storage.nouns import Person

_MOST = 500
_PERSONAL = frozenset({Outcome.CONFIRM, Outcome.CONFIRMED})


def returned(commission: Commission) -> Returned:
    """Return the opinion that counts.

    Raises:
        StateError: none came back, or the last was sent back.
    """
    if commission.opinion is None:
        raise StateError(
            f"委托书{commission.commission_no}没有待审查的意见书 there is no opinion to look at",
            remedy="见 see 'custody commission show'",
        )
    return commission.opinion


def confirm(
    commission: Commission,
    codes: Sequence[str],
    seen: str,
    actor: Person,
    at: str,
    *,
    second: str = "",
    there: bool = True,
) -> Transition:
    """Return the step by which a person says what they saw for some checks.

    Args:
        commission: the commission whose opinion is looked at.
        codes: names of the checks.
        seen: what was seen, in words.
        actor: who looked.
        at: when.
        second: who looked with them, if anybody.
        there: false if what should be there is not; the check then failed.

    Raises:
        StateError: there is no opinion, or a check does not wait for a person.
        NotFoundError: there is no check of that name.
        InputError: nothing is said to have been seen, or the second person is the first.
    """
    said = " ".join(seen.split())
    if not said or len(said) > _MOST:
        raise InputError(
            f"请写明所见（不超过{_MOST}字） say what you saw, in at most {_MOST} characters",
            remedy="--seen TEXT",
        )
    if second and squeezed(second) == squeezed(actor.name):
        raise InputError(
            "第二人须是另一人 the second person must be another one", remedy="--second NAME"
        )
    findings = {each.code: each for each in returned(commission).findings}
    made = [
        _confirmed(_waiting(findings, code), said, actor.name, second, at, there=there)
        for code in dict.fromkeys(codes)
    ]
    if not made:
        raise InputError("请指明检查项 name a check", remedy="--check NAME")
    note = f"{'、'.join(each.code for each in made)}：{'' if there else '✗ '}{said}"
    note += f"（{actor.name}、{second}）" if second else ""
    return acts.check(actor, at, made, note)


def _waiting(findings: dict[str, OpinionFinding], code: str) -> OpinionFinding:
    finding = findings.get(code)
    if finding is None:
        raise NotFoundError(
            f"没有名为{code}的检查项 there is no check named {code}",
            remedy=f"一项 one of: {', '.join(findings)}",
        )
    # Who said first that it is not there may be shown to be wrong by a closer look.
    if finding.state not in _PERSONAL and not finding.by:
        zh, en = ("已符合", "holds already") if finding.ok else ("不符合", "failed")
        raise StateError(
            f"检查项{code}{zh}，不由人核对 the check {code} {en}; it does not wait for a person",
            remedy="不符合的请退回，或写明理由后办结 "
            "send the opinion back for what failed, or close with a reason",
            check=code,
        )
    return finding


def _confirmed(
    finding: OpinionFinding, seen: str, by: str, second: str, at: str, *, there: bool
) -> OpinionFinding:
    return replace(
        finding,
        ok=there,
        state=Outcome.CONFIRMED if there else Outcome.FAILED,
        seen=seen,
        by=by,
        second=second,
        at=at,
    )


def send_back(
    commission: Commission, actor: Person, at: str, reason: str = "", document: str = ""
) -> Transition:
    """Return the step that sends an opinion back with the list of what is wrong.

    Raises:
        StateError: there is no opinion, or it cannot be sent back any more.
        InputError: no check failed and no reason is given.
    """
    failed = returned(commission).failures
    if not allowed(commission, Kind.SEND_BACK):
        raise refusal(commission, Kind.SEND_BACK)
    listed = [f"[{each.code}] {each.text_zh} {each.text_en}" for each in failed]
    text = "\n".join(filter(None, [reason.strip(), *listed]))
    if not text:
        raise InputError(
            "各项均符合，退回须写明理由 every check holds; say why it goes back",
            remedy="--reason TEXT",
        )
    return acts.send_back(text, actor, at, document)
