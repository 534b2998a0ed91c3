"""Upkeep through the command line: rebuild, coverage, alerts, holds, disposal."""

import json
from pathlib import Path

import pytest

from storage.custody import Custody
from storage.event import Action
from tasks.alerting import alert_event
from tasks.reader.cell import CellPool
from tests.house import CASE_NO, events, make_bundle
from tests.portal.conftest import Run
from tests.tasks.life import take


@pytest.fixture
def kept_house(house: Custody, pool: CellPool, tmp_path: Path) -> Custody:
    """A house with one bundle in custody."""
    take(house, pool, make_bundle(tmp_path / "one"))
    return house


def test_rebuild_refuses_to_touch_a_database_and_replaces_it_when_told(
    kept_house: Custody, run: Run
) -> None:
    refused = run("rebuild")
    assert refused.code == 3
    assert "--replace" in refused.problem[1]
    made = run("rebuild", "--replace")
    assert made.code == 0
    assert "events/s" in made.out
    assert "GB/h" in made.out
    assert len(list(kept_house.workspace.root.glob("custody.sqlite.replaced-*"))) == 1
    assert CASE_NO in run("case", "list").out


def test_a_lost_database_is_said_to_be_lost_and_can_be_rebuilt(
    kept_house: Custody, run: Run
) -> None:
    home = kept_house.workspace.root
    kept_house.database.close()
    for path in home.glob("custody.sqlite*"):
        path.unlink()
    lost = run("case", "list")
    assert lost.code == 5
    assert "custody rebuild" in lost.problem[1]
    assert run("rebuild").code == 0
    assert run("verify", CASE_NO).code == 0


def test_coverage_names_what_was_never_read(kept_house: Custody, run: Run) -> None:
    report = json.loads(run("audit", "--coverage", "--json").out)
    assert report["never_read"] == report["objects"] == len(report["never"])
    assert "从未核验" in run("audit", "--coverage").out


def test_an_open_alert_is_an_exit_code_until_it_is_closed(kept_house: Custody, run: Run) -> None:
    assert run("alerts").code == 0
    event = alert_event(kept_house, "fixity", "some/key", "mismatch")
    assert event is not None
    kept_house.record([event])
    assert run("alerts").code == 4
    (alert,) = json.loads(run("alerts", "--json").out)
    assert run("alerts", "close", "zz", "--by", "王", "--reason", "x").code == 2
    closed = run("alerts", "close", alert["alert_id"][:8], "--by", "王", "--reason", "误报")
    assert closed.code == 0
    assert run("alerts").code == 0
    assert "误报" in run("alerts", "--all").out


def test_holds_and_retention_stop_a_disposal(kept_house: Custody, run: Run) -> None:
    retained = run("dispose", CASE_NO, "--dry-run")
    assert retained.code == 3
    assert "保存期" in retained.problem[0]
    assert run("hold", "set", CASE_NO, "--by", "王", "--reason", "诉讼").code == 0
    assert "诉讼" in run("hold", "list").out
    assert "保全" in run("dispose", CASE_NO, "--dry-run").problem[0]
    alone = run("hold", "release", CASE_NO, "--by", "王", "--with", "王", "--reason", "x")
    assert alone.code == 2
    both = run("hold", "release", CASE_NO, "--by", "王", "--with", "李", "--reason", "结案")
    assert both.code == 0
    assert json.loads(run("hold", "list", "--json").out) == []
    assert run("dispose", CASE_NO, "--by", "王", "--with", "李", "--reason", "x").code == 3
    assert events(kept_house, Action.DISPOSED) == []
