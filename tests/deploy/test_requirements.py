"""The table of requirements names tests that are there, and notices what has none."""

from pathlib import Path

import pytest

from deploy.checks import requirements

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("test_ap_05_one_matter\n", {"AP-05"}),
        ("test_anything\nTT-03, TT-04: both.", {"TT-03", "TT-04"}),
        ("test_ap_0x\nHTTP-01 is none, nor AP-1.", set()),
        ("test_map_01\n", set()),
    ],
)
def test_identifiers(words: str, found: set[str]) -> None:
    assert requirements.identifiers(words) == found


def test_tests_are_found_in_classes_too(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_x.py").write_text(
        'def test_a():\n    """AP-01: so."""\nclass TestB:\n    def test_cu_02_c(self): ...\n'
        'def helper():\n    """AP-03"""\n'
    )
    assert requirements.carried(folder) == {
        "AP-01": ["tests/test_x.py::test_a"],
        "CU-02": ["tests/test_x.py::TestB::test_cu_02_c"],
    }


def test_what_is_wrong_is_told() -> None:
    found = {each: ["tests/x.py::test_y"] for each in requirements.REQUIREMENTS}
    text = requirements.table(found)
    assert requirements.faults(found, text, text) == []
    assert requirements.faults(found, "", text)[0].startswith("docs/requirements.md")
    del found["AP-07"]
    found["AP-99"] = ["tests/x.py::test_z"]
    told = requirements.faults(found, text, text)
    assert [each.partition(":")[0] for each in told] == ["AP-07", "AP-99"]


def test_what_is_an_extension_may_have_none() -> None:
    found = {
        each: ["tests/x.py::test_y"]
        for each in requirements.REQUIREMENTS.keys() - requirements.EXTENSIONS
    }
    assert requirements.faults(found, "same", "same") == []


def test_what_is_missing_is_said_beside_the_tests_that_there_are() -> None:
    told = requirements.table({"IN-09": ["tests/x.py::test_y"]})
    (whole,) = [line for line in told.splitlines() if line.startswith("| IN-09 |")]
    assert "`tests/x.py::test_y`<br>缺 missing: " in whole
    assert requirements.MISSING.keys() <= requirements.REQUIREMENTS.keys()
    assert not requirements.MISSING.keys() & requirements.EXTENSIONS
