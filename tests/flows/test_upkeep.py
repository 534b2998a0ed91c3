"""The daily sweep and the monthly drill run as flows, and a mismatch stops neither."""

from pathlib import Path

import pytest

from storage.catalogue import kept
from storage.custody import Custody
from storage.event import Action
from tests.house import events, make_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]


def test_a_mismatch_is_an_alert_of_the_sweep_and_of_the_drill(
    house: Custody, ingest, tmp_path: Path
) -> None:
    from flows.audit import sweep_custody
    from flows.drill import drill_restore

    case = ingest(make_bundle(tmp_path / "one"))["case"]
    victim = min(house.workspace.objects.glob(f"cases/{case}/originals/*"))
    victim.chmod(0o644)
    victim.write_bytes(b"changed")
    swept, drilled = sweep_custody(), drill_restore(100)
    assert [each["result"] for each in swept["wrong"]] == ["mismatch"]
    assert swept["objects"] > 3
    assert list(drilled["problems"]) == [swept["wrong"][0]["label"]]
    with house.read() as session:
        assert [each["kind"] for each in kept.list_alerts(session)] == ["fixity", "drill"]
    assert len(events(house, Action.DRILLED)) == 1
    assert sweep_custody()["objects"] == 0
