"""The dashboard and the alerts ask for metrics that there are, by labels that they have."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from portal.metrics import HouseCollector, Meters
from storage.custody import Custody
from tasks.gauge_names import GAUGES

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy/grafana/custody.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
PAGE = ROOT / "docs/observability.md"
RUNBOOK = ROOT / "docs/runbook.md"
_USE = re.compile(r"\b((?:custody|process)_[a-z0-9_]+)(?:\{([^}]*)\})?")
_BY = re.compile(r"\bby \(([^)]*)\)")
_LABEL = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"')
SCRAPED = {"instance", "job"}
"""Labels that Prometheus gives to whatever it asks."""


def given(house: Custody) -> dict[str, set[str]]:
    """Return every name that a scrape can have, with its labels."""
    meters = Meters(house)
    meters.began()
    meters.ended("GET", "/", 200, 0.01)
    found: dict[str, set[str]] = {each.name: set(each.labels) for each in GAUGES}
    for family in text_string_to_metric_families(generate_latest(meters.registry).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    shown = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    return shown + [rule["expr"] for rule in rules()]


def wrong(expression: str, known: dict[str, set[str]]) -> list[str]:
    """Return what an expression asks for that there is not."""
    used = _USE.findall(expression)
    found = [name for name, _ in used if name not in known]
    labels = set().union(*(known.get(name, set()) for name, _ in used), SCRAPED)
    for name, chosen in used:
        found += [f"{name}.{each}" for each in _LABEL.findall(chosen) if each not in known[name]]
    for by in _BY.findall(expression):
        found += [f"by {each}" for each in re.split(r"[\s,]+", by) if each and each not in labels]
    return found


def test_every_expression_asks_for_what_there_is(house: Custody) -> None:
    known = given(house)
    asked = expressions()
    assert len(asked) > 50
    assert {each: wrong(each, known) for each in asked if wrong(each, known)} == {}
    # The test itself can fail: a misspelt name, a label that the metric has not.
    assert wrong("max(custody_exhibit)", known) == ["custody_exhibit"]
    assert wrong('custody_exhibits{state="x"}', known) == ["custody_exhibits.state"]
    assert wrong("sum by (kind) (custody_exhibits)", known) == ["by kind"]


def test_every_gauge_is_on_the_dashboard_or_in_an_alert(house: Custody) -> None:
    asked = " ".join(expressions())
    assert [each.name for each in GAUGES if each.name not in asked] == []


def test_every_label_in_a_text_is_one_that_its_expression_keeps() -> None:
    for rule in rules():
        words = " ".join(rule["annotations"].values())
        named = set(re.findall(r"\$labels\.(\w+)", words))
        kept = {each for by in _BY.findall(rule["expr"]) for each in re.split(r"[\s,]+", by)}
        plain = "by (" not in rule["expr"] and "max(" not in rule["expr"]
        assert named <= kept | (SCRAPED if plain else set()), rule["alert"]


def test_every_alert_is_in_chinese_first_and_explained() -> None:
    page = PAGE.read_text()
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names) > 15
    for rule in rules():
        summary = rule["annotations"]["summary"]
        assert "\u4e00" <= summary[0] <= "\u9fff", summary
        assert re.search("[a-z]{3}", summary), summary
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert f"`{rule['alert']}`" in page, rule["alert"]


def test_every_alert_points_to_the_section_of_the_runbook_that_speaks_of_it() -> None:
    text = RUNBOOK.read_text()
    parts = re.split(r"(?m)^## (.+)$", text)[1:]
    sections = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-"): body
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }
    for rule in rules():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/runbook.md"
        assert f"`{rule['alert']}`" in sections[anchor], rule["alert"]


def test_every_section_of_the_runbook_says_what_a_person_needs_at_night() -> None:
    for section in re.split(r"(?m)^## ", RUNBOOK.read_text())[1:]:
        title, _, body = section.partition("\n")
        if title != "Other alerts":
            for word in ("Seen.", "Why.", "Do.", "Over when", "On record:", "Tell"):
                assert f"**{word}" in body, (title, word)


def test_links_within_the_runbook_lead_somewhere() -> None:
    text = RUNBOOK.read_text()
    titles = {
        re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-")
        for each in re.findall(r"(?m)^## (.+)$", text)
    }
    named = set(re.findall(r"\]\(#([a-z-]+)\)", text))
    assert len(named) > 3
    assert named <= titles


def test_every_command_that_a_text_names_is_there() -> None:
    from portal.cli import COMMANDS

    texts = ALERTS.read_text() + DASHBOARD.read_text() + PAGE.read_text()
    named = set(re.findall(r"custody ([a-z][a-z-]+)", texts))
    assert {"alerts", "overdue", "quarantine", "keep-log"} <= named
    assert named - {"log"} <= set(COMMANDS)


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """As far as its schema is known here: places, kinds, one source, letters of the queries."""
    board = json.loads(DASHBOARD.read_text())
    assert board["id"] is None
    assert 0 < len(board["uid"]) <= 40
    assert isinstance(board["schemaVersion"], int)
    (source,) = board["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    assert len({panel["id"] for panel in panels()}) == len(panels())
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] in ("row", "timeseries", "stat", "bargauge")
        letters = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(letters)) == len(letters)
        for each in (panel, *panel.get("targets", ())):
            if each.get("type") != "row":
                assert each["datasource"]["uid"] == "${source}"


@pytest.mark.parametrize("gauge", GAUGES, ids=lambda each: each.name)
def test_gauges_are_named_as_prometheus_wants(gauge: Any) -> None:
    assert re.fullmatch(r"custody_[a-z]+(_[a-z]+)*", gauge.name)
    assert not gauge.name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert re.match("[\u4e00-\u9fff]", gauge.words)
    assert all(re.fullmatch("[a-z]+", label) for label in gauge.labels)


def test_a_group_that_fails_hides_no_other(house: Custody) -> None:
    from tasks.gauges import GROUPS

    def broken(custody: Custody) -> Any:
        raise RuntimeError("no such table")

    collector = HouseCollector(house, {**GROUPS, "log": broken})
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in collector.collect()
        for sample in family.samples
    }
    assert found["custody_group_up", "log"] == 0
    assert found["custody_group_up", "fixity"] == 1
    assert ("custody_log_entries",) not in found
    assert found[("custody_exhibits",)] == 0
