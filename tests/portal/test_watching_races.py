"""Watchers beside each other, units that change their minds, and being told to stop."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from portal import watching
from portal.watching import Watch, watch_drop
from storage.catalogue import intents
from storage.catalogue.exclusive import exclusive
from storage.catalogue.kept import list_alerts
from storage.custody import Custody
from storage.errors import TransientError
from storage.settings import settings
from tasks import claims
from tasks.bundle import DONE_MARKER
from tests.house import make_bundle
from tests.portal.watched import Taken, rejected


def test_a_claim_that_somebody_works_on_is_left_alone(
    watch: Watch, taken: Taken, unit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = claims.claim_bundle(taken.house, make_bundle(unit / "b1"), unit.name, in_place=False)
    with exclusive(taken.house.database, f"claim {claim.accession}"):
        watch.begin()
        watch.look()
        assert taken.names == []
        assert "✗" not in capsys.readouterr().out
    watch.look()
    assert taken.names == ["b1"], "whoever worked on it has died: it is taken up, without a restart"


def test_a_bundle_that_another_watcher_is_taking_is_left_to_it(
    watch: Watch, taken: Taken, unit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(unit / "b1")
    (bundle / DONE_MARKER).touch()
    with exclusive(taken.house.database, f"source {claims.source_of(bundle)}"):
        watch.begin()
        watch.look()
    assert taken.names == []
    assert claims.unfinished(taken.house) == []
    assert "✗" not in capsys.readouterr().out
    watch.look()
    assert taken.names == ["b1"]


def test_what_was_done_by_another_in_the_same_moment_is_not_done_again(
    watch: Watch, taken: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = claims.claim_bundle(taken.house, make_bundle(unit / "b1"), unit.name, in_place=False)
    left = claims.unfinished(taken.house)
    claims.finish(taken.house, claim.accession)
    answers = [left, left]
    monkeypatch.setattr(claims, "unfinished", lambda house: answers.pop() if answers else [])
    watch.begin()
    assert taken.names == []
    with taken.house.read() as session:
        assert intents.find_claim(session, claim.accession).state == "done"


def test_a_bundle_that_grew_while_another_was_taken_in_waits_for_its_turn(
    watch: Watch, taken: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan is old by the time that the last bundle it found comes to be taken."""
    make_bundle(unit / "b1")
    second = make_bundle(unit / "b2")

    def meanwhile(accession: str) -> dict[str, Any]:
        if second.exists():
            (second / "late.txt").write_text(accession)
        return taken(accession)

    monkeypatch.setattr(watching, "run_ingest", meanwhile)
    watch.begin()
    watch.look()
    watch.look()
    assert taken.names == ["b1"]
    watch.look()
    assert taken.names == ["b1", "b2"]


def test_a_bundle_removed_while_it_is_taken_in_is_told_once_and_not_tried_for_ever(
    watch: Watch, taken: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def lose(accession: str) -> dict[str, Any]:
        claims.place(taken.house, accession).root.rename(unit / "put back")
        return taken(accession)

    (make_bundle(unit / "b1") / DONE_MARKER).touch()
    monkeypatch.setattr(watching, "run_ingest", lose)
    watch.begin()
    assert "is gone: b1" in capsys.readouterr().out
    assert claims.unfinished(taken.house) == []
    monkeypatch.setattr(watching, "run_ingest", taken)
    watch.look()
    watch.look()
    assert taken.names == ["put back"]
    assert "✗" not in capsys.readouterr().out


def test_a_bundle_renamed_as_it_is_claimed_is_taken_under_its_new_name(
    watch: Watch, taken: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    real = Path.rename

    def too_late(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", real)
        real(self, unit / "b2")
        return real(self, target)

    (make_bundle(unit / "b1") / DONE_MARKER).touch()
    monkeypatch.setattr(Path, "rename", too_late)
    watch.begin()
    assert capsys.readouterr().out.count("renamed or removed") == 1
    watch.look()
    assert taken.names == ["b2"]
    assert rejected(unit) == []


def test_volumes_of_a_split_archive_are_told_once_each(
    watch: Watch, taken: Taken, unit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.7z.001", "a.7z.002", "b.zip", "b.z01"):
        (unit / name).write_bytes(b"x")
    watch.begin()
    for _ in range(3):
        watch.look()
    assert len(rejected(unit)) == 4
    assert capsys.readouterr().out.count("one part of an archive") == 4
    assert taken.names == []


def test_what_is_never_complete_raises_one_alert_and_is_looked_at_for_ever(
    taken: Taken, unit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soon = taken.house.settings.model_copy(update={"patience_seconds": 1e-9})
    watch = Watch(replace(taken.house, settings=soon))
    bundle = make_bundle(unit / os.fsdecode(b"\xba\xcf"))
    (bundle / "a.pdf.part").touch()
    watch.begin()
    for _ in range(4):
        (left,) = watch.look()
        assert left.path == bundle
    with taken.house.read() as session:
        (alert,) = list_alerts(session)
    assert alert["subject"] == r"pudong-01/\xba\xcf"
    assert "a.pdf.part" in alert["message"]
    assert capsys.readouterr().out.count("still growing") == 1
    (bundle / DONE_MARKER).touch()
    assert watch.look() == []
    assert taken.names == [bundle.name]


def test_a_database_that_does_not_answer_is_told_once_and_ends_nothing(
    watch: Watch, taken: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def refuse(custody: Custody) -> list[Any]:
        raise TransientError("the database is busy")

    (make_bundle(unit / "b1") / DONE_MARKER).touch()
    with monkeypatch.context() as patch:
        patch.setattr(claims, "unfinished", refuse)
        patch.setattr(watching, "_FIRST_WAIT", 0.0)
        watch.begin()
        for _ in range(3):
            watch.look()
        told = capsys.readouterr().out
        assert told.count("claims the database is busy") == 1
    watch.look()
    assert taken.names == ["b1"]


def test_sigterm_ends_the_watch_after_the_bundle_at_hand(
    quick: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped_in_it(accession: str) -> dict[str, Any]:
        signal.raise_signal(signal.SIGTERM)
        return quick(accession)

    for name in ("b1", "b2"):
        (make_bundle(unit / name) / DONE_MARKER).touch()
    monkeypatch.setattr(watching, "run_ingest", stopped_in_it)
    before = signal.getsignal(signal.SIGTERM)
    watch_drop(once=False, seconds=0)
    assert quick.names == ["b1"]
    assert "stopped" in capsys.readouterr().out
    assert (unit / "b2").is_dir()
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigterm_in_a_flow_run_leaves_the_claim_for_the_next_start(
    quick: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a flow runs Prefect has a handler of its own, which raises in the middle of it."""
    from prefect.exceptions import TerminationSignal

    def ended(accession: str) -> dict[str, Any]:
        raise TerminationSignal(signal.SIGTERM)

    (make_bundle(unit / "b1") / DONE_MARKER).touch()
    monkeypatch.setattr(watching, "run_ingest", ended)
    watch_drop(once=False, seconds=0)
    shown = capsys.readouterr().out
    assert "the next start goes on" in shown
    assert "Traceback" not in shown
    (left,) = claims.unfinished(quick.house)
    assert not claims.is_worked_on(quick.house, left.accession)
    monkeypatch.setattr(watching, "run_ingest", quick)
    watch_drop(once=True, seconds=0)
    assert quick.names == ["b1"]


def test_once_lasts_as_long_as_the_settling_time(
    quick: Taken, unit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUSTODY_SETTLE_SECONDS", "0.3")
    settings.cache_clear()
    monkeypatch.setattr(watching, "current", lambda: replace(quick.house, settings=settings()))
    make_bundle(unit / "b1")
    started = time.monotonic()
    watch_drop(once=True, seconds=0)
    assert time.monotonic() - started >= 0.3
    assert quick.names == ["b1"]
