"""The sweep covers everything within its period, names what is wrong, and never stops for it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from storage.catalogue import kept
from storage.custody import Custody
from storage.errors import InputError, NotFoundError, StateError
from storage.event import Action
from storage.nouns import case_id
from tasks import drilling, fixity, sweeping
from tasks.alerting import close_alert
from tasks.drilling import drill, verify_restored
from tasks.reader.cell import CellPool
from tests.house import CASE_NO, events, make_bundle
from tests.tasks.life import CASE, copy_of, open_house, take

OTHER = "沪市监案〔2026〕0778号"
START = datetime(2026, 11, 25, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    """Two cases with four originals of 1,000 bytes, and a refused bundle."""
    folder = tmp_path_factory.mktemp("kept")
    with open_house(folder / "home") as custody:
        for number, (name, case_no) in enumerate((("one", OTHER), ("two", CASE_NO))):
            files = {"a.txt": bytes([65 + number]) * 1000, "b.txt": bytes([75 + number]) * 1000}
            take(custody, pool, make_bundle(folder / name, "B1", files, case_no))
        bad = make_bundle(folder / "bad", "B2", {"d.txt": b"d"})
        (bad / "manifest.yaml").write_text("nothing: right\n")
        take(custody, pool, bad)
    return folder / "home"


@pytest.fixture
def kept_house(made: Path, tmp_path: Path) -> Iterator[Custody]:
    """A copy of that house, with a sweep of its own pace."""
    pace = {"audit_period_days": 10, "audit_bytes_per_day": 10**6}
    with copy_of(made, tmp_path / "home", **pace) as custody:
        yield custody


def on_day(custody: Custody, day: int, **settings: Any) -> Custody:
    """The same house so many days later, perhaps with other settings."""
    changed = custody.settings.model_copy(update=settings)
    return replace(custody, clock=lambda: START + timedelta(days=day), settings=changed)


def sweep(custody: Custody) -> dict[str, Any]:
    plan = fixity.plan_sweep(custody)
    return fixity.outcome(plan, [fixity.sweep_part(custody, part) for part in plan.parts])


def spoil(custody: Custody, label: str) -> Path:
    with custody.read() as session:
        (row,) = [
            each
            for each in kept.of_case(session, label.partition("/")[0])
            if each.label == label and each.role == "original"
        ]
    path = custody.workspace.objects / row.object_key
    path.chmod(0o644)
    path.write_bytes(b"x" * 1000)
    return path


def test_one_mismatch_is_named_once_and_the_rest_is_swept(kept_house: Custody) -> None:
    """AU-03."""
    spoil(kept_house, f"{CASE}/E0001")
    outcome = sweep(on_day(kept_house, 0))
    assert [(each["label"], each["result"]) for each in outcome["wrong"]] == [
        (f"{CASE}/E0001", "mismatch")
    ]
    assert not outcome["ok"]
    assert outcome["objects"] == 4 + 2 + 4 + 1
    sweep(on_day(kept_house, 9))
    assert len(events(kept_house, Action.ALERT)) == 1
    (alert,) = _open_alerts(kept_house)
    assert "E0001" in alert["message"]


def _open_alerts(custody: Custody) -> list[dict[str, Any]]:
    with custody.read() as session:
        return kept.list_alerts(session)


@pytest.mark.parametrize("role", ["quarantine", "manifest_file", "transcript"])
def test_what_is_gone_is_missing_whatever_its_role(kept_house: Custody, role: str) -> None:
    with kept_house.read() as session:
        row = next(each for each in kept.never_read(session, 99) if each.role == role)
    path = kept_house.workspace.objects / row.object_key
    if role == "quarantine":
        path = next(path.iterdir())
    path.unlink()
    (wrong,) = sweep(on_day(kept_house, 0))["wrong"]
    assert (wrong["role"], wrong["result"]) == (role, "missing")
    assert fixity.report_coverage(on_day(kept_house, 0))["never_read"] == 1


def test_a_changed_log_is_an_alert(kept_house: Custody) -> None:
    tile = max(
        (kept_house.workspace.objects / "log/tile/0/000.p").iterdir(), key=lambda p: int(p.name)
    )
    tile.chmod(0o644)
    tile.write_bytes(bytes(len(tile.read_bytes())))
    outcome = sweep(on_day(kept_house, 0))
    assert outcome["findings"]
    assert {each["kind"] for each in _open_alerts(kept_house)} >= {"log"}


def test_the_budget_is_kept_and_everything_is_read_within_the_period(kept_house: Custody) -> None:
    """AU-03."""
    read: dict[str, list[int]] = {}
    total = fixity.report_coverage(kept_house)["bytes"]
    budget = total // 5 + 1000
    for day in range(30):
        house = on_day(kept_house, day, audit_bytes_per_day=budget)
        plan = fixity.plan_sweep(house)
        assert plan.bytes <= budget
        for part in plan.parts:
            assert fixity.sweep_part(house, part) == []
            for target in part:
                read.setdefault(target.kept.object_key, []).append(day)
        again = fixity.plan_sweep(house)
        assert plan.bytes + again.bytes <= budget
        if day >= 10:
            report = fixity.report_coverage(house)
            assert report["within_period"] == report["objects"]
    assert all(days[0] < 10 for days in read.values())
    assert all(b - a <= 10 for days in read.values() for a, b in pairwise(days))


def test_never_read_originals_come_before_the_longest_unread(
    kept_house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    sweep(on_day(kept_house, 0))
    take(kept_house, pool, make_bundle(tmp_path / "new", "B9", {"z.txt": b"z" * 1000}))
    with kept_house.read() as session:
        order = [each.last_at for each in kept.due(session, "9999", "another day", 10**9)]
    assert order[:3] == [""] * 3
    assert order == sorted(order)
    assert len(order) == 11 + 3


def test_a_budget_that_cannot_cover_the_period_says_so(kept_house: Custody) -> None:
    outcome = sweep(on_day(kept_house, 0, audit_bytes_per_day=100))
    assert not outcome["enough"]
    assert "CUSTODY_AUDIT_BYTES_PER_DAY" in outcome["message"]
    assert outcome["objects"] == 1  # Larger than a day's budget, and read all the same.


def test_an_audit_of_a_case_counts_as_reading_its_originals(kept_house: Custody) -> None:
    sweeping.audit(on_day(kept_house, 0), CASE)
    with kept_house.read() as session:
        rows = {
            each.label: each for each in kept.of_case(session, CASE) if each.role != "transcript"
        }
        others = kept.of_case(session, case_id(OTHER))
    assert {each.result for each in rows.values()} == {"ok"}
    assert {each.result for each in others} == {""}


def test_each_event_of_a_sweep_is_about_one_case(kept_house: Custody) -> None:
    sweep(on_day(kept_house, 0))
    swept = [each for each in events(kept_house, Action.VERIFIED) if each.purpose == "fixity sweep"]
    assert {each.case for each in swept} == {CASE, case_id(OTHER), ""}
    for event in swept:
        assert all(each.startswith(f"{event.case}/") for each in event.exhibits)


def test_an_alert_is_closed_once_by_somebody_for_a_reason(kept_house: Custody) -> None:
    spoil(kept_house, f"{CASE}/E0001")
    sweep(on_day(kept_house, 0))
    (alert,) = _open_alerts(kept_house)
    with pytest.raises(InputError):
        close_alert(kept_house, alert["alert_id"], by="", reason="x")
    with pytest.raises(NotFoundError):
        close_alert(kept_house, "ffffffffffff", by="王", reason="x")
    closed = close_alert(kept_house, alert["alert_id"][:8], by="王", reason="从备份恢复")
    assert (closed["closed_by"], closed["reason"]) == ("王", "从备份恢复")
    assert _open_alerts(kept_house) == []
    with pytest.raises(StateError):
        close_alert(kept_house, alert["alert_id"], by="王", reason="x")


def test_a_drill_notices_a_changed_and_a_lost_original(kept_house: Custody) -> None:
    spoil(kept_house, f"{CASE}/E0001")
    spoil(kept_house, f"{CASE}/E0002").unlink()
    outcome = drill(kept_house)
    assert set(outcome["problems"]) == {f"{CASE}/E0001", f"{CASE}/E0002"}
    assert outcome["problems"][f"{CASE}/E0001"].startswith("mismatch")
    assert outcome["problems"][f"{CASE}/E0002"].startswith("missing")
    assert {each["kind"] for each in _open_alerts(kept_house)} == {"drill"}
    assert not list(kept_house.workspace.work.iterdir())


def test_a_drill_is_recorded_and_can_be_drawn_again(kept_house: Custody) -> None:
    first = drill(kept_house, sample=2)
    again = drill(kept_house, sample=2, seed=first["seed"])
    assert first["items"] == again["items"]
    assert first["ok"]
    event = events(kept_house, Action.DRILLED)[0]
    assert (event.details["seed"], event.details["population"]) == (first["seed"], 4)
    assert event.exhibits == ()


@pytest.mark.parametrize("ending", ["original", "event.json", "tlog-proof"])
def test_a_restored_original_proves_itself_from_its_files_alone(
    kept_house: Custody, tmp_path: Path, ending: str
) -> None:
    ring = kept_house.log.reader().ring
    with kept_house.read() as session:
        row = kept.of_keys(session, kept.originals(session)[:1])[0]
    assert drilling._restore(kept_house, tmp_path, 0, row, {}) == ""
    assert verify_restored(tmp_path, 0, ring) == ""
    path = tmp_path / f"0.{ending}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert verify_restored(tmp_path, 0, ring) != ""


@pytest.mark.parametrize("sample", [0, 101])
def test_a_drill_takes_from_one_to_a_hundred(kept_house: Custody, sample: int) -> None:
    with pytest.raises(InputError):
        drill(kept_house, sample=sample)
