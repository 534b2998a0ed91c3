"""An ingest that no further try will end calls a person, once; one that only waits does not."""

from pathlib import Path
from typing import Any

import pytest

from portal import watching
from portal.watching import Watch
from storage.errors import HostError, IntegrityError, TransientError
from storage.event import Action
from tasks.bundle import DONE_MARKER
from tests.house import events, make_bundle
from tests.portal.watched import Taken


@pytest.fixture(autouse=True)
def dropped(unit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a bundle lie there, whose failures are tried again at every scan."""
    monkeypatch.setattr(watching, "_FIRST_WAIT", 0.0)
    (make_bundle(unit / "b1") / DONE_MARKER).touch()


def alerts_after_tries(watch: Watch, taken: Taken, error: Exception) -> list[int]:
    """Fail four times; return how many alerts there were after each."""
    taken.failing["b1"] = error
    counts = []
    for turn in range(4):
        watch.look() if turn else watch.begin()
        counts.append(len(events(taken.house, Action.ALERT)))
    assert taken.names == ["b1"] * 4
    return counts


@pytest.mark.parametrize("error", [IntegrityError("bytes differ"), ZeroDivisionError("a defect")])
def test_what_is_for_good_calls_somebody_at_once_and_once(
    watch: Watch, taken: Taken, error: Exception
) -> None:
    assert alerts_after_tries(watch, taken, error) == [1, 1, 1, 1]
    (alert,) = events(taken.house, Action.ALERT)
    assert (alert.details["kind"], alert.details["subject"]) == ("intake", "A2026-000001")
    assert str(error) in alert.details["message"]


@pytest.mark.parametrize("error", [HostError("the disk is full"), TransientError("busy")])
def test_what_may_pass_calls_somebody_when_it_does_not(
    watch: Watch, taken: Taken, error: Exception
) -> None:
    assert alerts_after_tries(watch, taken, error) == [0, 0, 1, 1]


def test_an_alert_that_cannot_be_recorded_hides_no_failure(
    watch: Watch, taken: Taken, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any) -> None:
        raise HostError("the disk is full")

    monkeypatch.setattr(type(taken.house.log), "record", refuse)
    assert alerts_after_tries(watch, taken, IntegrityError("bytes differ")) == [0] * 4
    assert capsys.readouterr().out.count("bytes differ") == 4
