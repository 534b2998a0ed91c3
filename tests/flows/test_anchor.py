"""The anchor flow: what is tried again, what never is, and what remains on record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.sample.authority import serving
from storage.custody import Custody, current
from storage.event import Action
from storage.settings import relocate
from tests.house import events, forget
from tests.services.rgw import free_port
from tests.services.tsa import Faulty, faulty
from tests.services.witness import answering, http

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    return faulty(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, prefect_server: str) -> None:
    """Try again without waiting."""
    from tasks import steps

    monkeypatch.setattr(steps.obtain_timestamp, "retry_delay_seconds", [0, 0, 0])


def anchored(house: Custody, tsa: Faulty, url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the flow in a house whose only authority is at an address."""
    from flows.anchor import anchor_log

    path = tsa.write_settings(url)
    monkeypatch.setenv("CUSTODY_TIMESTAMP_AUTHORITIES", str(path))
    forget()
    relocate(house.workspace.root)
    return anchor_log()


def test_a_failure_that_remains_is_on_record(
    house: Custody, tsa: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = anchored(house, tsa, f"http://127.0.0.1:{free_port()}/", monkeypatch)
    assert outcome["exit_code"] == 6
    assert [each["by"] for each in outcome["failed"]] == ["sample-tsa", "sample-tsa"]
    assert len(events(current(), Action.ANCHOR_FAILED)) == 2


def test_an_untrue_reply_is_asked_for_once(
    house: Custody, tsa: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def reply(request: bytes) -> bytes:
        asked.append(request)
        return tsa.of_a_stranger(request)

    with serving(reply) as url:
        outcome = anchored(house, tsa, url, monkeypatch)
    assert outcome["exit_code"] == 4
    assert len(asked) == 2
    assert len(events(current(), Action.ALERT)) == 2


def test_a_busy_authority_is_asked_again(
    house: Custody, tsa: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[bytes, int] = {}

    def answer(request: bytes) -> Iterator[bytes]:
        kind = b"sm3" if b"\x2a\x81\x1c\xcf\x55\x01\x83\x11" in request else b"sha256"
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] < 3:
            yield http(503, "later")
        else:
            yield http(200, tsa.reply(request), "application/timestamp-reply")

    with answering(answer) as url:
        outcome = anchored(house, tsa, url, monkeypatch)
    assert outcome["exit_code"] == 0
    assert seen == {b"sha256": 3, b"sm3": 3}
    assert [each.details["algorithm"] for each in events(current(), Action.TIMESTAMPED)] == [
        "sha256",
        "sm3",
    ]
    assert events(current(), Action.ANCHOR_FAILED) == []


def test_nothing_new_is_nothing_asked(
    house: Custody, tsa: Faulty, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(tsa.reply) as url:
        first = anchored(house, tsa, url, monkeypatch)
        second = anchored(house, tsa, url, monkeypatch)
    assert [each["kind"] for each in first["anchored"]] == ["timestamp", "timestamp"]
    assert (second["anchored"], second["failed"], second["exit_code"]) == ([], [], 0)
    assert second["size"] == first["size"]
