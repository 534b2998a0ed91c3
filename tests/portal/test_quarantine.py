"""``custody quarantine``: what a person sees of refused bundles, and how one is decided on."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.custody import current
from tasks.reader.cell import CellPool
from tests.house import make_bundle, opened_house
from tests.portal.conftest import Run
from tests.tasks.life import go_on, take

EVIL = "[red]坏\x1b]0;x\x07 \u202egpj.txt"


@dataclass(frozen=True)
class Refused:
    """A house in which two bundles were refused, and a manifest that is right for the first."""

    folder: Path
    first: str
    second: str


@pytest.fixture
def refused(tmp_path: Path, pool: CellPool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Refused]:
    with opened_house(tmp_path / "home") as house:
        numbers = []
        for name in ("one", "two"):
            bundle = make_bundle(tmp_path / name, name, {"a.txt": name.encode()})
            (bundle / "manifest.yaml").rename(tmp_path / f"{name}.yaml")
            (bundle / "manifest.yaml").write_text("nothing: right\n")
            if name == "two":
                (bundle / EVIL).write_bytes(b"x")
            numbers.append(take(house, pool, bundle).accession)

        def run_ingest(accession: str) -> dict[str, str]:
            return go_on(current(), pool, accession).as_json()

        monkeypatch.setattr("portal.running.run_ingest", run_ingest)
        yield Refused(tmp_path, *numbers)


def test_what_was_refused_is_listed_and_shown(run: Run, refused: Refused) -> None:
    listed = run("quarantine", "list", "--json")
    rows = json.loads(listed.out)
    assert [(row["accession"], row["state"]) for row in rows] == [
        (refused.first, "quarantined"),
        (refused.second, "quarantined"),
    ]
    assert refused.first in run("quarantine", "list").out
    shown = run("quarantine", "show", refused.second)
    assert shown.code == 0
    assert "\x1b]" not in shown.out
    assert "\u202e" not in shown.out
    found = json.loads(run("quarantine", "show", refused.second, "--json").out)
    assert EVIL in [each["path"] for each in found["listing"]]
    assert found["reasons"][0]["remedy_zh"]
    for name in ("show", "release", "return"):
        said = () if name == "show" else ("--by", "王", "--reason", "x")
        answer = run("quarantine", name, "A2026-009999", *said)
        assert answer.code == 2
        assert "quarantine list" in answer.problem[1]


def test_release_and_return_end_in_what_a_person_can_see(run: Run, refused: Refused) -> None:
    said = ("--by", "王", "--reason", "核实")
    manifest = refused.folder / "one.yaml"
    done = run("quarantine", "release", refused.first, *said, "--manifest", manifest)
    assert (done.code, "已入库" in done.out) == (0, True)
    back = run("quarantine", "return", refused.second, *said, "--to", refused.folder / "back")
    assert back.code == 0
    assert (refused.folder / "back" / EVIL).read_bytes() == b"x"
    states = [row["state"] for row in json.loads(run("quarantine", "list", "--json").out)]
    assert states == ["released", "returned"]
    for name, number in (("release", refused.first), ("return", refused.second)):
        again = run("quarantine", name, number, *said)
        assert again.code == 3
        assert "王" in again.problem[0]
    assert "王" in run("quarantine", "show", refused.first).out


def test_a_release_that_is_refused_again_says_so(run: Run, refused: Refused) -> None:
    done = run("quarantine", "release", refused.first, "--by", "王", "--reason", "x", "--json")
    assert done.code == 2
    outcome = json.loads(done.out)
    assert outcome["state"] == "quarantined"
    assert outcome["released_from"] == refused.first
