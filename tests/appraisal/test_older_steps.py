"""Steps as they were recorded before: they fold, tell, and give the events that they gave."""

from typing import Any

from appraisal.commission import State
from appraisal.following import custody_events
from appraisal.step import Transition
from appraisal.told import history_lines
from appraisal.transitions import fold
from storage.event import Action, CustodyEvent
from storage.story import tell
from tests.appraisal import made

OFFICER = {"name": "李明", "unit": "执法一队"}
CLERK = {"name": "周静", "unit": "申江鉴定中心"}
TWO = f"{made.CASE}/E0002"


def older() -> list[dict[str, Any]]:
    """Return a history from drafting to closing, with no field that came later."""
    limit = {"length": 10, "unit": "working_day"}
    opinion = made.opinion().as_json()
    steps = [
        ("draft", OFFICER, {"brief": made.brief().as_json(), "materials": [_line()]}),
        ("dispatch", OFFICER, {"package": made.PACKAGE.as_json(), "waived": []}),
        ("accept", CLERK, {"package_digest": made.PACKAGE.sha256, "effective_date": ""}),
        ("request_supplement", CLERK, {"what": "邮件"}),
        ("receive_supplement", CLERK, {"exhibits": [TWO], "note": ""}),
        ("extend", CLERK, {"limit": limit, "approved_by": "所长", "notified": "2026-02-02",
                           "old_due": "2026-03-19", "reason": ""}),
        ("return_opinion", CLERK, {"opinion": opinion, "exhibit_id": f"{made.CASE}/E0009",
                                   "findings": [made.GOOD.as_json()]}),
        ("close", OFFICER, {"reason": ""}),
    ]  # fmt: skip
    return [
        {"kind": kind, "at": f"2026-02-{day:02d}T09:00:00+08:00", "actor": actor, "data": data}
        for day, (kind, actor, data) in enumerate(steps, 1)
    ]


def _line() -> dict[str, Any]:
    return made.material().as_json()


def test_a_history_of_an_earlier_version_folds() -> None:
    found = fold(map(Transition.from_json, older()))
    assert found.state is State.CLOSED
    assert found.supplements[0].exhibits == (TWO,)
    assert (found.started_at, found.late_since, found.end_document) == ("", "", "")
    assert found.recused == frozenset()
    assert [each.kind for each in history_lines(map(Transition.from_json, older()))] == [
        each["kind"] for each in older()
    ]


def test_its_custody_events_are_those_that_are_on_record() -> None:
    """A supplement that was received before had no event of its own, and gets none years later."""
    found = fold(map(Transition.from_json, older()))
    events = list(custody_events(found, older()))
    assert [each.action.value for each in events] == [
        "packaged",
        "released",
        "acknowledged",
        "returned",
    ]
    assert [each.subject for each in events] == [
        (found.commission_no, str(step), "0") for step in (1, 1, 2, 6)
    ]
    assert all(each.details["package_digest"] == made.PACKAGE.sha256 for each in events)


def test_an_event_without_words_is_told_by_its_kind() -> None:
    details = {"commission_no": "7号", "state": "closed", "transition": older()[-1]}
    event = CustodyEvent("x", Action.COMMISSION, "", "", made.OFFICER, details=details)
    assert tell(event) == "委托 7号：close → closed"
