"""Every hostile bundle gets its verdict, and the rules hold for each and for all of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.hostile.case import Case, accept
from tests.faults.hostile.catalogue import all_cases
from tests.faults.hostile.rules import EVIL, Watch, tree
from tests.faults.hostile.runner import Intake, intake

CHUNK = 25
"""So many cases lie between two good bundles."""


def chosen() -> list[Case]:
    """Return what the suite runs: every refusal, and of what is taken in, which costs three
    times as much, every eighth case. ``make hostile`` runs them all.
    """
    taken = [case for case in all_cases() if case.expected.verdict != "quarantine"]
    run = {case.name for case in taken[::8]}
    refused = {case.name for case in all_cases()} - {case.name for case in taken}
    return [case for case in all_cases() if case.name in run | refused]


def chunks() -> dict[str, list[Case]]:
    """Return these cases cut into chunks, each named for its first case."""
    cases = chosen()
    cut = [cases[at : at + CHUNK] for at in range(0, len(cases), CHUNK)]
    return {each[0].name: each for each in cut}


@pytest.fixture(autouse=True)
def _flushed() -> None:
    """Wait for no disk, other than the tests beside: nothing is cut off here."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Intake]:
    """One house and one pool of cells for all chunks that this process runs."""
    with intake(tmp_path_factory.mktemp("hostile").resolve()) as made:
        yield made


@pytest.mark.spread
@pytest.mark.parametrize("chunk", chunks())
def test_each_gets_its_verdict_and_the_next_good_bundle_goes_through(
    house: Intake, chunk: str
) -> None:
    outcomes = [house.run(case) for case in chunks()[chunk]]
    outcomes.append(house.run_good())
    wrong = [outcome.told() for outcome in outcomes if not outcome.holds]
    assert not wrong, "\n".join(wrong)
    assert not house.log_findings()


def test_there_are_cases_of_every_verdict_and_format() -> None:
    cases = chosen()
    assert len(cases) >= 250
    assert {case.expected.verdict for case in cases} == {"accept", "flags", "quarantine"}
    groups = {case.name.partition("-")[0] for case in cases}
    archives, mail = {"zip", "tar", "7z", "rar4", "rar5", "bag"}, {"eml", "msg", "mbox", "tnef"}
    documents = {"pdf", "image", "docx", "xlsx", "yaml"}
    others = {"name", "special", "folder", "nest"}
    assert archives | mail | documents | others <= groups


MADE_ANEW = ("pdf-locked", "pdf-owner-locked", "pdf-attachment-evil", "docx-cut", "xlsx-")
"""Made by libraries that put the time or a random key into what they write."""


def test_a_case_is_made_of_the_same_bytes_each_time(tmp_path: Path) -> None:
    for case in all_cases():
        if case.name.startswith(MADE_ANEW) or case.name.endswith(("-bomb", "-limit")):
            continue
        first, second = (_content(case, tmp_path / turn / case.name) for turn in "ab")
        assert first == second, case.name


def _content(case: Case, place: Path) -> dict[str, bytes]:
    place.mkdir(parents=True)
    made = case.make(place)
    found = [made] if made.is_file() else sorted(made.rglob("*"))
    return {str(p.relative_to(place)): p.read_bytes() for p in found if _plain(p)}


def _plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def test_the_rules_see_what_they_forbid(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    watch, before = Watch(home), tree(tmp_path)
    with watch.watching() as seen:
        (home / "fine.txt").write_text("fine")
        assert not seen
        (home / EVIL[0]).write_text("a name from outside")
        outside.mkdir()
        (outside / "a.txt").write_text("not in the workspace")
        with socket.socket() as tried:
            tried.connect_ex(("127.0.0.1", 9))
    assert len(seen) == 4
    assert tree(tmp_path) != before


def test_a_wrong_expectation_is_told(house: Intake) -> None:
    case = next(each for each in all_cases() if each.name == "yaml-empty")
    outcome = house.run(Case("yaml-empty", case.make, accept()))
    assert outcome.faults == ["verdict quarantine"]
