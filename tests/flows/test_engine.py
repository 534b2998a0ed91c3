"""Prefect's part: what is tried again and what never is, and what its server shows."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.engine import blaming_server, prepare_engine, require_server
from storage.custody import Custody
from storage.errors import CustodyError, HostError, IntegrityError, TransientError
from storage.settings import Settings
from tasks import claims, receiving
from tasks.bundle import Arrival
from tests.house import make_bundle
from tests.services.rgw import free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
Ingest = Callable[..., dict[str, Any]]


class Failing:
    """Looks at a bundle as the real step does, after failing a number of times."""

    def __init__(self, error: CustodyError, times: int) -> None:
        self.error, self.times, self.calls = error, times, 0
        self.real = receiving.look

    def __call__(self, custody: Custody, accession: str) -> Arrival:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return self.real(custody, accession)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[CustodyError, int], Failing]:
    """Let the first step of an ingest fail, with no wait before it is tried again."""
    from tasks import steps

    def arrange(error: CustodyError, times: int) -> Failing:
        made = Failing(error, times)
        monkeypatch.setattr(receiving, "look", made)
        monkeypatch.setattr(steps.look, "retry_delay_seconds", 0)
        return made

    return arrange


@pytest.mark.parametrize("error", [IntegrityError("bytes differ"), HostError("no disk")])
def test_nothing_but_a_transient_fault_is_tried_again(
    house: Custody, ingest: Ingest, tmp_path: Path, failing, error: CustodyError
) -> None:
    step = failing(error, 1)
    with pytest.raises(type(error), match=error.message):
        ingest(make_bundle(tmp_path / "bundle"))
    assert step.calls == 1
    assert [each.state for each in claims.unfinished(house)] == ["open"]


def test_a_transient_fault_is_tried_again_until_it_is_over(
    house: Custody, ingest: Ingest, tmp_path: Path, failing
) -> None:
    step = failing(TransientError("busy"), 2)
    assert ingest(make_bundle(tmp_path / "bundle"))["state"] == "accepted"
    assert step.calls == 3
    assert claims.unfinished(house) == []


def test_a_transient_fault_that_lasts_ends_as_what_it_is(
    house: Custody, ingest: Ingest, tmp_path: Path, failing
) -> None:
    step = failing(TransientError("busy"), 99)
    with pytest.raises(TransientError, match="busy"):
        ingest(make_bundle(tmp_path / "bundle"))
    assert step.calls == 4


def newest_artifact(server: str, key: str) -> dict[str, Any]:
    query = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC", "limit": 1}
    request = urllib.request.Request(
        f"{server}/artifacts/filter",
        json.dumps(query).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        (found,) = json.load(answer)
    return dict(found)


def test_the_server_shows_progress_and_what_could_not_be_read(
    house: Custody, ingest: Ingest, tmp_path: Path, prefect_server: str
) -> None:
    files = {"good.txt": "客户名单".encode(), "cut.pdf": b"%PDF-1.7\n1 0 obj\n<<"}
    key = ingest(make_bundle(tmp_path / "bundle", files=files))["accession"].lower()
    progress = newest_artifact(prefect_server, key)
    assert progress["type"] == "progress"
    assert progress["data"] == 100.0
    failures = newest_artifact(prefect_server, f"{key}-failures")
    (row,) = json.loads(failures["data"])
    assert row["name"] == "cut.pdf"
    assert row["state"] == "damaged"
    assert row["why"]


def test_a_server_that_does_not_answer_is_one_clear_error() -> None:
    url = f"http://127.0.0.1:{free_port()}/api"
    with pytest.raises(TransientError) as caught:
        prepare_engine(Settings(prefect_api_url=url))
    assert url in caught.value.message
    assert caught.value.remedy
    with pytest.raises(HostError):
        require_server("ftp://example.org/api")


def test_a_run_that_fails_without_its_server_is_told_as_that(
    prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(url: str, error: Exception) -> None:
        with blaming_server(Settings(prefect_api_url=url)):
            raise error

    gone = f"http://127.0.0.1:{free_port()}/api"
    with pytest.raises(TransientError, match="does not answer"):
        fail(gone, OSError("refused"))
    # What the house itself says stands; and a server that answers is not to blame.
    with pytest.raises(IntegrityError):
        fail(gone, IntegrityError("other bytes"))
    with pytest.raises(OSError, match="refused"):
        fail(prefect_server, OSError("refused"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(OSError, match="refused"):
        fail("", OSError("refused"))


def test_a_server_that_answers_is_used(prefect_server: str) -> None:
    prepare_engine(Settings(prefect_api_url=prefect_server))
