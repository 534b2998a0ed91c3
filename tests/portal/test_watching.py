"""The watcher: what is complete is taken, nothing else, and no fault of one harms another."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from portal import watching
from portal.watching import Pace, Watch, watch_drop
from storage.catalogue import intents
from storage.custody import Custody
from storage.errors import HostError, IntegrityError, TransientError
from storage.event import Action
from storage.settings import settings
from tasks import claims
from tasks.bundle import DONE_MARKER
from tests.house import events, make_bundle
from tests.portal.watched import Taken, rejected


def test_what_still_grows_is_not_taken(watch: Watch, taken: Taken, unit: Path) -> None:
    bundle = make_bundle(unit / "growing")
    watch.begin()
    for count in range(3):
        (bundle / f"{count}.txt").write_text("more")
        assert [each.path.name for each in watch.look()] == ["growing"]
    assert taken.names == []
    assert watch.look() == []
    assert taken.names == ["growing"]
    assert not bundle.exists()


def test_a_marker_or_the_end_of_a_part_name_is_enough(
    watch: Watch, taken: Taken, unit: Path
) -> None:
    (make_bundle(unit / "marked") / DONE_MARKER).touch()
    part = make_bundle(unit / "renamed.part")
    watch.begin()
    assert taken.names == ["marked"]
    watch.look()
    assert taken.names == ["marked"]
    part.rename(unit / "renamed")
    watch.look()
    assert taken.names == ["marked", "renamed"]


def test_our_answers_are_never_taken(watch: Watch, taken: Taken, unit: Path) -> None:
    for name in ("receipts", "rejected"):
        make_bundle(unit / name / "A2026-000001-b")
    watch.begin()
    assert watch.look() == watch.look() == []
    assert taken.names == []
    assert (unit / "receipts" / "A2026-000001-b").is_dir()


def test_a_loose_file_gets_one_note_and_stays(watch: Watch, taken: Taken, unit: Path) -> None:
    loose = unit / ("合同" * 38 + ".pdf")
    loose.write_bytes(b"%PDF")
    watch.begin()
    for _ in range(4):
        watch.look()
    (note,) = rejected(unit)
    assert "未被接收" in (unit / "rejected" / note).read_text()
    assert loose.read_bytes() == b"%PDF"
    assert taken.names == []


def test_a_bundle_that_an_open_claim_took_along_is_not_refused(
    watch: Watch, taken: Taken, house: Custody, unit: Path
) -> None:
    """Killed between claim and move; the next start sees the bundle first, and moves it then."""
    bundle = make_bundle(unit / "marked")
    (bundle / DONE_MARKER).touch()
    with house.write() as session:
        intents.claim(
            session, unit=unit.name, name=bundle.name, source=str(bundle), in_place=False,
            now=house.now(),
        )  # fmt: skip
    watch.begin()
    assert taken.names == ["marked"]
    assert rejected(unit) == []
    assert list(unit.iterdir()) == []


def test_several_units_and_those_that_come_later(
    watch: Watch, taken: Taken, house: Custody, unit: Path
) -> None:
    (make_bundle(unit / "b1") / DONE_MARKER).touch()
    watch.begin()
    late = house.workspace.drop / "闵行-02"
    (make_bundle(late / "b1") / DONE_MARKER).touch()
    (make_bundle(late / "b2") / DONE_MARKER).touch()
    watch.look()
    assert taken.names == ["b1", "b1", "b2"]
    assert list(late.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [IntegrityError("bytes differ"), TransientError("busy"), ZeroDivisionError("[/nope]"),
     OSError(28, "No space left on device")],
)  # fmt: skip
def test_one_failing_bundle_harms_no_other_and_ends_nothing(
    watch: Watch, taken: Taken, unit: Path, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    taken.failing["b1"] = error
    for name in ("b1", "b2"):
        (make_bundle(unit / name) / DONE_MARKER).touch()
    watch.begin()
    watch.look()
    assert taken.names == ["b1", "b2"]
    shown = capsys.readouterr().out
    assert str(error) in shown
    assert "Traceback" not in shown
    (left,) = claims.unfinished(taken.house)
    assert left.name == "b1", "the claim stays open, to be tried again"


def test_what_failed_is_tried_again_after_a_while(
    watch: Watch, taken: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_FIRST_WAIT", 0.05)
    taken.failing["b1"] = TransientError("busy")
    (make_bundle(unit / "b1") / DONE_MARKER).touch()
    watch.begin()
    watch.look()
    assert taken.names == ["b1"]
    taken.failing.clear()
    time.sleep(0.06)
    watch.look()
    assert taken.names == ["b1", "b1"]
    assert claims.unfinished(taken.house) == []
    time.sleep(0.06)
    watch.look()
    assert taken.names == ["b1", "b1"]


def test_each_wait_is_twice_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("portal.watching.time.monotonic", lambda: now)
    pace, waits = Pace(), []
    for _ in range(10):
        pace.failed("b")
        start = now
        while not pace.due("b"):
            now += 10
        waits.append(now - start)
    assert waits[:4] == [30, 60, 120, 240]
    assert waits[-1] == 3600
    pace.keep({"another"})
    pace.failed("b")
    assert pace._next["b"] == (now + 30, 30), "what is forgotten begins anew"


def test_what_failed_for_a_service_that_was_away_is_tried_soon_after_it_is_back() -> None:
    def away() -> None:
        raise TransientError("the Prefect server does not answer")

    def broken() -> None:
        raise HostError("no room")

    pace = Pace()
    for _ in range(10):
        watching._guard(pace, "A1", away)
        watching._guard(pace, "A2", broken)
    assert pace._next["A1"][1] == 120
    assert pace._next["A2"][1] == 3600


def test_a_bundle_that_cannot_be_moved_waits_and_is_told_once(
    watch: Watch, taken: Taken, unit: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(18, "Invalid cross-device link")

    for name in ("b1", "b2"):
        (make_bundle(unit / name) / DONE_MARKER).touch()
    monkeypatch.setattr(Path, "rename", refuse)
    watch.begin()
    watch.look()
    watch.look()
    assert taken.names == []
    assert capsys.readouterr().out.count("one file system") == 2
    monkeypatch.undo()
    monkeypatch.setattr(watching, "run_ingest", taken)
    again = Watch(taken.house)
    again.begin()
    assert taken.names == ["b1", "b2"]


def test_a_folder_that_cannot_be_read_hides_no_other(
    watch: Watch, taken: Taken, unit: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    real = os.listdir

    def listdir(path: Any) -> list[str]:
        if Path(path).name == "huangpu-02":
            raise PermissionError(13, "Permission denied")
        return real(path)

    (taken.house.workspace.drop / "huangpu-02").mkdir()
    (make_bundle(unit / "b1") / DONE_MARKER).touch()
    monkeypatch.setattr(os, "listdir", listdir)
    watch.begin()
    watch.look()
    watch.look()
    assert taken.names == ["b1"]
    assert capsys.readouterr().out.count("huangpu-02 cannot be read") == 1


def test_a_share_that_goes_away_is_told_once_and_comes_back(
    watch: Watch, taken: Taken, house: Custody, capsys: pytest.CaptureFixture[str]
) -> None:
    watch.begin()
    drop = house.workspace.drop
    drop.rename(drop.with_name("away"))
    capsys.readouterr()
    assert watch.look() == watch.look() == []
    assert capsys.readouterr().out.count("cannot be read") == 1
    drop.with_name("away").rename(drop)
    (make_bundle(drop / "pudong-01" / "b1") / DONE_MARKER).touch()
    watch.look()
    assert taken.names == ["b1"]


def test_a_missing_drop_folder_at_the_start_is_an_error(taken: Taken, house: Custody) -> None:
    house.workspace.drop.rmdir()
    with pytest.raises(HostError):
        watch_drop(once=True, seconds=0)


def test_what_an_earlier_process_left_comes_first(
    watch: Watch, taken: Taken, house: Custody, unit: Path
) -> None:
    moved = claims.claim_bundle(house, make_bundle(unit / "moved"), "pudong-01", in_place=False)
    gone = claims.claim_bundle(house, make_bundle(unit / "gone"), "pudong-01", in_place=False)
    stray = house.workspace.claimed / "A2026-999999"
    stray.mkdir()
    for name in ("bundle/gone/manifest.yaml", *(f"bundle/gone/{each}.txt" for each in "abc")):
        (house.workspace.claimed / gone.accession / name).unlink()
    (house.workspace.claimed / gone.accession / "bundle/gone").rmdir()
    (make_bundle(unit / "new") / DONE_MARKER).touch()
    watch.begin()
    assert taken.names == ["moved", "new"]
    assert not stray.exists()
    assert claims.unfinished(house) == []
    assert not (house.workspace.claimed / moved.accession).exists()


def test_once_takes_what_is_complete_and_names_what_is_not(
    quick: Taken, unit: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    growing = make_bundle(unit / "growing")
    make_bundle(unit / "still")
    sleep = time.sleep

    def grow(seconds: float) -> None:
        sleep(seconds)
        (growing / "late.txt").write_text("late")

    monkeypatch.setattr("portal.watching.time.sleep", grow)
    watch_drop(once=True, seconds=0)
    assert quick.names == ["still"]
    assert "growing" in capsys.readouterr().out
    assert growing.is_dir()


def test_seconds_end_it_whatever_the_interval(
    taken: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUSTODY_SCAN_SECONDS", "3600")
    settings.cache_clear()
    make_bundle(unit / "still")
    started = time.monotonic()
    watch_drop(once=False, seconds=0.3)
    assert time.monotonic() - started < 5
    assert taken.names == ["still"]


@pytest.mark.slow
@pytest.mark.xdist_group("prefect")
def test_the_real_flow_takes_bundles_of_two_units(
    house: Custody, unit: Path, prefect_server: str, monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., Any],
) -> None:  # fmt: skip
    make_bundle(unit / "right")
    other = house.workspace.drop / "闵行-02"
    make_bundle(other / "wrong unit", "B2", {"d.txt": b"d"})
    answer = run("watch", "--once", CUSTODY_SCAN_SECONDS="0.1")
    assert answer.code == 0
    (receipt,) = (unit / "receipts").glob("*/receipt.json")
    assert json.loads(receipt.read_text())["counts"]["items"] == 3
    (reasons,) = (other / "rejected").glob("*/REJECTED.md")
    assert "pudong-01" in reasons.read_text()
    assert "✓" in answer.out
    assert "✗" in answer.out
    assert list(house.workspace.claimed.iterdir()) == []


@pytest.mark.slow
@pytest.mark.xdist_group("prefect")
def test_sigterm_in_the_real_flow_is_a_clean_end_and_the_next_start_goes_on(
    house: Custody, unit: Path, prefect_server: str, tmp_path: Path, run: Callable[..., Any]
) -> None:
    make_bundle(unit / "b1", files={f"{number}.txt": bytes([number]) for number in range(60)})
    home, told = house.workspace.root, tmp_path / "told"
    with told.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", "watch"],
            env={**os.environ, "PREFECT_API_URL": prefect_server, "CUSTODY_SCAN_SECONDS": "0.1"},
            stdout=out,
            stderr=out,
        )
    try:
        ends = time.monotonic() + 120
        while not any(home.glob("objects/quarantine/*/originals/*")):
            assert process.poll() is None, told.read_text()
            assert time.monotonic() < ends
            time.sleep(0.01)
        process.terminate()
        assert process.wait(120) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert "stopped" in told.read_text()
    assert "Traceback" not in told.read_text()
    assert run("watch", "--once", CUSTODY_SCAN_SECONDS="0.1").code == 0
    (receipt,) = (unit / "receipts").glob("*/receipt.json")
    assert json.loads(receipt.read_text())["counts"]["items"] == 60


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A watcher that hands over to workers, and what it asked for; no run waits for long."""
    asked: list[str] = []

    def ask(accession: str) -> bool:
        asked.append(accession)
        return True

    monkeypatch.setattr(watching, "hand_over", ask)
    monkeypatch.setattr(watching, "why_failed", lambda accession: "disk full")
    monkeypatch.setattr(watching, "_FIRST_WAIT", 0.0)
    return asked


def handing(house: Custody) -> Watch:
    chosen = settings().model_copy(update={"runs": "workers"})
    return Watch(replace(house, settings=chosen))


def test_what_is_complete_is_handed_to_the_workers_and_again_if_nobody_works_on_it(
    house: Custody, unit: Path, handed: list[str]
) -> None:
    watch = handing(house)
    bundle = make_bundle(unit / "whole")
    (bundle / DONE_MARKER).touch()
    watch.begin()
    (accession,) = handed
    assert not bundle.exists()
    with claims.working(house, accession):
        watch.look()
    assert handed == [accession]
    # The worker died: its lock is free, its claim is open.
    watch.look()
    assert handed == [accession] * 2
    claims.finish(house, accession)
    watch.look()
    assert handed == [accession] * 2


def test_somebody_is_called_when_no_worker_ends_it(
    house: Custody, unit: Path, handed: list[str]
) -> None:
    watch = handing(house)
    (make_bundle(unit / "whole") / DONE_MARKER).touch()
    watch.begin()
    for _ in range(4):
        watch.look()
    (alert,) = events(house, Action.ALERT)
    assert "disk full" in str(alert.details)
