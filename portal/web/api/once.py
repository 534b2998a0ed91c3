"""Once: a request that carries a key is carried out once, and answered the same each time.

Before the step its key is noted, with the number that the commission's next step has; after it,
the answer. A request that comes again finds the answer; where the answer was lost with its
connection or its process, it finds the step on record. Of two at once one is recorded, and both
are told of it. A refusal is not kept: the same key may be tried again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any

from appraisal.agency_desk import AgencyDesk
from appraisal.commission import Commission
from appraisal.step import Kind
from storage.catalogue import commissions, uploads
from storage.catalogue.uploads import Answer
from storage.custody import Custody
from storage.errors import ConflictError, CustodyError, StateError

DAYS = 7
"""So long an answer is kept."""


def once(
    custody: Custody,
    desk: AgencyDesk,
    key: str,
    number: str,
    kind: Kind,
    said: Mapping[str, Any],
    act: Callable[[], Commission],
    tell: Callable[[Commission], dict[str, Any]],
) -> dict[str, Any]:
    """Return the answer to a step: by taking it, or the one that was given before.

    Args:
        custody: the installation.
        desk: whose step it is.
        key: what the caller calls the request; empty: it is just carried out.
        number: the commission.
        kind: the step.
        said: what the request says, to tell another request under the same key.
        act: takes the step.
        tell: what is answered, from the commission after it.

    Raises:
        ConflictError: the key was used for another request.
        CustodyError: whatever the step raises.
    """
    if not key:
        return tell(act())
    commission = desk.commission(number)
    name = _digest(desk.agency_id, desk.actor.id, key)
    request = _digest(number, kind.value, json.dumps(said, sort_keys=True))
    known, fresh = _noted(custody, name, request, commission.steps)
    if known.request != request:
        raise ConflictError(
            "该幂等键已用于另一请求 the idempotency key was used for another request",
            remedy="use a new key for every new request",
            code="key_reused",
        )
    if known.answer:
        return dict(known.answer)
    try:
        after = _acted(act)
    except StateError:
        if fresh or not _taken(custody, desk, number, kind, known.step):
            _forget(custody, name)
            raise
        after = desk.commission(number)
    except CustodyError:
        _forget(custody, name)
        raise
    answer = tell(after)
    with custody.write() as session:
        uploads.put_answer(session, name, Answer(request, known.step, answer), _utc(custody))
    return answer


def _acted(act: Callable[[], Commission]) -> Commission:
    """Take the step; overtaken by another, look again whether it is still to be taken."""
    try:
        return act()
    except ConflictError:
        return act()


def _noted(custody: Custody, name: str, request: str, step: int) -> tuple[Answer, bool]:
    """Return what is known under a key, and whether that is nothing: then note the request."""
    with custody.write() as session:
        uploads.drop_answers(session, _utc(custody, -DAYS))
        known = uploads.find_answer(session, name)
        if known is not None:
            return known, False
        uploads.put_answer(session, name, Answer(request, step, {}), _utc(custody))
    return Answer(request, step, {}), True


def _forget(custody: Custody, name: str) -> None:
    with custody.write() as session:
        uploads.drop_answers(session, "", name)


def _taken(custody: Custody, desk: AgencyDesk, number: str, kind: Kind, step: int) -> bool:
    """Whether the step that the request would have taken is on record, taken by its sender."""
    with custody.read() as session:
        steps = commissions.steps(session, number)
    if step >= len(steps):
        return False
    taken = steps[step]
    return bool(taken["kind"] == kind.value and taken["actor"]["id"] == desk.actor.id)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _utc(custody: Custody, days: int = 0) -> str:
    moment = custody.clock().astimezone(UTC) + timedelta(days=days)
    return moment.isoformat(timespec="seconds")
