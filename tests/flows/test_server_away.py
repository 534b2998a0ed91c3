"""Prefect's server may go away in the middle of an ingest: what it only shows is let go."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.custody import Custody
from storage.event import Action
from tasks import steps
from tests.house import events, make_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]


@pytest.mark.parametrize(
    "what", ["create_progress_artifact", "update_progress_artifact", "create_table_artifact"]
)
def test_an_ingest_does_not_fail_for_what_cannot_be_shown(
    house: Custody,
    ingest: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    what: str,
) -> None:
    asked = []

    def away(*_: object, **__: object) -> None:
        asked.append(what)
        raise httpx.ConnectError("connection refused")

    monkeypatch.setattr(steps, what, away)
    assert ingest(make_bundle(tmp_path / "b"))["state"] == "accepted"
    assert asked
    assert len(events(house, Action.READ)) == 3
