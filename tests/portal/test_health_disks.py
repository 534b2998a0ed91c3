"""The doctor says how full the disks are, before anything is refused and while it is."""

from collections import namedtuple
from typing import Any

import pytest

from portal import health
from storage.custody import Custody

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("free", "state"), [(50 << 30, "ok"), (5 << 30, "weak"), (1 << 20, "missing")]
)
def test_a_disk_that_fills_up_is_named(
    house: Custody, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    def usage(path: Any) -> Usage:
        return Usage(100 << 30, (100 << 30) - free, free)

    monkeypatch.setattr("shutil.disk_usage", usage)
    found = list(health._disks(house.settings))
    assert found[0].name == "home"
    assert str(house.settings.home) in found[0].seen
    assert {each.state for each in found} == {state}
    assert "GB free" in found[0].seen
    assert ("docs/runbook.md" in found[0].seen) == (state == "missing")
