"""What runs on a schedule: clocks chased and cases audited, each result on record once."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from storage.custody import Custody
from storage.errors import NotFoundError
from storage.event import Action
from tests.flows.sending import NUMBER, Sending
from tests.house import CASE_NO, events, make_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
OTHER = "沪市监案〔2026〕0778号"


def test_overdue_is_recorded_once_however_often_it_is_looked_at(sending: Sending) -> None:
    from flows.turnaround import track_turnaround

    today = sending.desk.today()
    past = f"{(today - timedelta(days=90)).isoformat()}T09:00:00+08:00"
    sending.draft(past)
    sending.dispatch(past)
    rows = [track_turnaround(), track_turnaround(), track_turnaround(today.isoformat())]
    assert [[row["commission_no"] for row in each] for each in rows] == [[NUMBER]] * 3
    (overdue,) = events(sending.house, Action.OVERDUE)
    assert overdue.details["clock"] == "acceptance"
    assert date.fromisoformat(overdue.details["due"]) < today


def test_a_look_ahead_records_nothing(sending: Sending) -> None:
    from flows.turnaround import track_turnaround

    sending.draft()
    sending.dispatch()
    assert track_turnaround() == []
    later = sending.desk.today() + timedelta(days=90)
    assert [row["commission_no"] for row in track_turnaround(later.isoformat())] == [NUMBER]
    assert events(sending.house, Action.OVERDUE) == []


def test_notices_of_the_day_are_given_once_by_the_schedule(sending: Sending) -> None:
    from flows.turnaround import retry_notices, track_turnaround

    past = f"{(sending.desk.today() - timedelta(days=90)).isoformat()}T09:00:00+08:00"
    sending.draft(past)
    sending.dispatch(past)
    for _ in range(2):
        track_turnaround()
    told = [each.details for each in events(sending.house, Action.NOTICE)]
    due = [each["notice"]["recipient"] for each in told if each["state"] == "due"]
    assert sorted(due) == sorted({"bureau", sending.desk.commission(NUMBER).agency_id})
    assert [each["state"] for each in told].count("chased") == 1
    assert retry_notices()["counts"] == {}


def test_audit_records_a_mismatch_and_goes_on(house: Custody, ingest, tmp_path: Path) -> None:
    from flows.audit import audit_custody

    first = ingest(make_bundle(tmp_path / "one"))["case"]
    second = ingest(make_bundle(tmp_path / "two", case_no=OTHER))["case"]
    victim = min(house.workspace.objects.glob(f"cases/{min(first, second)}/originals/*"))
    victim.chmod(0o644)
    victim.write_bytes(b"")
    results = {each["case"]: each["ok"] for each in audit_custody()}
    assert results == {min(first, second): False, max(first, second): True}
    recorded = {each.case: each.details for each in events(house, Action.VERIFIED)}
    assert recorded[max(first, second)]["wrong"] == []
    (wrong,) = recorded[min(first, second)]["wrong"]
    assert wrong["result"] == "mismatch"


def test_audit_of_an_unknown_case_says_so(house: Custody) -> None:
    from flows.audit import audit_custody

    with pytest.raises(NotFoundError, match=CASE_NO):
        audit_custody(CASE_NO)
