"""Which command comes next for a commission, as whoever looks at it can type it.

What may be done is said by ``appraisal.transitions``; this only names the usual way on from where
a commission stands: for the client, and for an agency that answered on paper.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import NamedTuple

from appraisal.commission import Commission, NoticeKind
from appraisal.material import Disposal
from appraisal.opinion import Outcome
from appraisal.states import State

_PAPER = "机构书面答复时 if the agency answered on paper"


class NextCommand(NamedTuple):
    """A command without the program's name, and when or why to give it, in both languages."""

    command: str
    why: str


def next_commands(found: Commission) -> list[NextCommand]:
    """Return the commands that lead on from where a commission stands, the likeliest first."""
    ways = _WAYS.get(found.state)
    return list(ways(found, shlex.quote(found.commission_no))) if ways else []


def _drafted(found: Commission, number: str) -> Iterator[NextCommand]:
    yield NextCommand(f"dispatch {number}", "打包并发出 build the package and send it")


def _waiting(found: Commission, number: str) -> Iterator[NextCommand]:
    yield NextCommand(f"accept {number} --package-digest SHA-256", _PAPER)
    yield NextCommand(f"decline {number} --reason 理由", _PAPER)


def _working(found: Commission, number: str) -> Iterator[NextCommand]:
    if found.state is State.ACCEPTED:
        yield NextCommand(f"commission start {number} --appraiser 姓名 --appraiser 姓名", _PAPER)
    yield from _notice(found, number, NoticeKind.PERIOD)
    yield NextCommand(f"opinion return {number} 意见书.pdf 要素.yaml", _PAPER)


def _paused(found: Commission, number: str) -> Iterator[NextCommand]:
    last = found.supplements[-1]
    if not last.supplied:
        yield NextCommand(
            f"supplement supply {number} --exhibit E0001",
            f"提供所要求的：{last.what} hand over what is asked for",
        )
        return
    digest = " --package-digest SHA-256" if last.package else ""
    yield NextCommand(f"supplement receive {number}{digest}", _PAPER)


def _checked(found: Commission, number: str) -> Iterator[NextCommand]:
    failures = found.returned[-1].failures
    waiting = [each.code for each in failures if each.state == Outcome.CONFIRM]
    yield NextCommand(f"opinion show {number}", "查看各项检查 see every check")
    if waiting:
        checks = " ".join(f"--check {each}" for each in waiting)
        yield NextCommand(
            f"opinion confirm {number} {checks} --seen 所见", "由人核对 a person looks"
        )
    if failures:
        yield NextCommand(f"opinion send-back {number}", "退回机构 back to the agency")
    reason = " --reason 采用的理由" if failures else ""
    yield NextCommand(f"commission close {number}{reason}", "办结 close")


def _closed(found: Commission, number: str) -> Iterator[NextCommand]:
    yield from _notice(found, number, NoticeKind.RESULT)
    yield from _material(found, number)


def _material(found: Commission, number: str) -> Iterator[NextCommand]:
    waiting = set(found.unsettled) if found.sent_at else set()
    for disposal, fate in ((Disposal.DESTROY, "destroyed"), (Disposal.RETURN, "returned")):
        named = [
            f"--exhibit {each.number}"
            for each in found.listed
            if each.keep_or_return is disposal and each.exhibit_id in waiting
        ]
        if named:
            command = f"commission material {number} {fate} {' '.join(named)}"
            yield NextCommand(command, "登记检材去向 record what became of it")


def _notice(found: Commission, number: str, kind: NoticeKind) -> Iterator[NextCommand]:
    if not any(each.kind is kind for each in found.notices):
        command = f"commission notify {number} {kind.value} --to 当事人 --document 文号"
        yield NextCommand(command, "告知当事人 tell the party (AP-12)")


_WAYS: dict[State, Callable[[Commission, str], Iterator[NextCommand]]] = {
    State.DRAFTED: _drafted,
    State.DISPATCHED: _waiting,
    State.RECEIVED: _waiting,
    State.ACCEPTED: _working,
    State.IN_PROGRESS: _working,
    State.PAUSED: _paused,
    State.OPINION_RETURNED: _checked,
    State.UNDER_CHECK: _checked,
    State.CLOSED: _closed,
    State.DECLINED: _material,
    State.TERMINATED: _material,
    State.WITHDRAWN: _material,
}
