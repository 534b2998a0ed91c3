"""``custody verify``: 0 if every byte and every entry is as it was, else 4 and what is wrong."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.tiles import decode_bundle, encode_bundle
from tasks.reader.cell import CellPool
from tests.house import CASE_NO, make_bundle
from tests.portal.conftest import Run
from tests.tasks.life import open_house, take

pytestmark = pytest.mark.xdist_group("verify")
OTHER_NO = "沪市监案〔2026〕0778号"
NAMES = {"E0001": b"first", "E0002": b"other", "E0003": b"third one"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    """The home of a house with two cases in custody, closed."""
    folder = tmp_path_factory.mktemp("verified")
    files = {f"{name}.txt": data for name, data in NAMES.items()}
    with open_house(folder / "home") as custody:
        take(custody, pool, make_bundle(folder / "one", files=files))
        take(custody, pool, make_bundle(folder / "two", case_no=OTHER_NO))
    return folder / "home"


@pytest.fixture
def home(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to spoil."""
    shutil.copytree(whole, tmp_path / "home")
    monkeypatch.setenv("CUSTODY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def original(home: Path, exhibit: str) -> Path:
    (found,) = (
        path
        for path in (home / "objects/cases").glob("*/originals/*")
        if path.read_bytes() == NAMES[exhibit]
    )
    found.chmod(0o644)
    return found


def bundle(home: Path) -> Path:
    """The newest entry bundle."""
    folder = home / "objects/log/tile/entries/000.p"
    newest = max(folder.iterdir(), key=lambda path: int(path.name))
    newest.chmod(0o644)
    return newest


def change(home: Path) -> None:
    original(home, "E0001").write_bytes(b"First")


def remove(home: Path) -> None:
    original(home, "E0002").unlink()


def swap(home: Path) -> None:
    original(home, "E0001").write_bytes(b"aside")
    original(home, "E0002").write_bytes(NAMES["E0001"])
    (aside,) = (
        path
        for path in (home / "objects/cases").glob("*/originals/*")
        if path.read_bytes() == b"aside"
    )
    aside.write_bytes(NAMES["E0002"])


def edit_event(home: Path) -> None:
    path = bundle(home)
    path.write_bytes(path.read_bytes().replace(b'"name":"E0003.txt"', b'"name":"E0004.txt"'))


def remove_event(home: Path) -> None:
    path = bundle(home)
    leaves = decode_bundle(path.read_bytes(), int(path.name))
    path.write_bytes(encode_bundle([each for each in leaves if b'"name":"E0003.txt"' not in each]))


def reorder_events(home: Path) -> None:
    path = bundle(home)
    leaves = decode_bundle(path.read_bytes(), int(path.name))
    at = [n for n, each in enumerate(leaves) if b'"action":"stored"' in each][:2]
    leaves[at[0]], leaves[at[1]] = leaves[at[1]], leaves[at[0]]
    path.write_bytes(encode_bundle(leaves))


WRONGS: list[tuple[Callable[[Path], None], dict[str, str], int, int]] = [
    (change, {"E0001": "mismatch"}, 0, 0),
    (remove, {"E0002": "missing"}, 0, 0),
    (swap, {"E0001": "mismatch", "E0002": "mismatch"}, 0, 0),
    (edit_event, {"E0003": "unverified"}, 1, 4),
    (remove_event, {"E0003": "unverified"}, 1, 4),
    (reorder_events, {"E0001": "unverified", "E0002": "unverified"}, 2, 4),
]
"""What is done, what is said of the items, how many findings of the log, and the exit code for
another case: an original harms its own case alone, the log is everybody's."""


@pytest.mark.parametrize(("spoil", "wrong", "findings", "other"), WRONGS)
def test_what_was_done_is_named_and_ends_with_4(
    home: Path, run: Run, spoil: Callable[[Path], None], wrong: dict[str, str], findings: int,
    other: int,
) -> None:  # fmt: skip
    """AU-02."""
    spoil(home)
    answer = run("verify", CASE_NO, "--json")
    report = json.loads(answer.out)
    assert answer.code == 4
    assert report["ok"] is False
    assert {
        item["label"].rpartition("/")[2]: item["result"]
        for item in report["items"]
        if item["result"] != "ok"
    } == wrong
    assert len(report["findings"]) == findings
    assert run("verify", OTHER_NO).code == other
    assert run("verify", CASE_NO).code == 4


def test_a_whole_case_ends_with_0(home: Path, run: Run) -> None:
    """AU-02."""
    answer = run("verify", CASE_NO)
    assert answer.code == 0
    assert "4 ok; log ok" in answer.out
    report = json.loads(run("verify", CASE_NO, "--json").out)
    assert report["ok"] is True
    assert run("verify", report["case"]).code == 0


def test_a_rolled_back_log_is_shown_by_the_head_kept_apart(
    home: Path, pool: CellPool, run: Run
) -> None:
    older = home.parent / "older"
    shutil.copytree(home, older)
    folder = home.parent / "bundle"
    with open_house(home) as custody:
        take(custody, pool, make_bundle(folder, "B2"))
    assert run("verify", CASE_NO).code == 0
    shutil.rmtree(home / "objects/log")
    shutil.copytree(older / "objects/log", home / "objects/log")
    report = json.loads(run("verify", CASE_NO, "--json").out)
    assert [each["kind"] for each in report["findings"]] == ["rolled_back"]
    late = {item["label"][-5:] for item in report["items"] if item["result"] == "unverified"}
    assert late == {"E0004", "E0005", "E0006"}


def test_a_case_without_checkpoint_ends_with_4_and_without_database_too(
    home: Path, run: Run
) -> None:
    (home / "objects/log/checkpoint").unlink()
    assert run("verify", CASE_NO).code == 4
    for part in home.glob("custody.sqlite*"):
        part.unlink()
    report = json.loads(run("verify", CASE_NO, "--json").out)
    assert [each["kind"] for each in report["findings"]] == ["checkpoint_missing"]
    assert report["ok"] is False


def test_one_digest_is_compared_where_it_is_asked_for_and_that_is_said(
    home: Path, run: Run
) -> None:
    assert "only" not in run("verify", CASE_NO).out
    quick = run("verify", CASE_NO, "--digest", "blake3")
    assert quick.code == 0
    assert "only blake3" in quick.out
    report = json.loads(run("verify", CASE_NO, "--digest", "sm3", "--json").out)
    assert (report["ok"], report["algorithms"]) == (True, ["sm3"])
    change(home)
    assert run("verify", CASE_NO, "--digest", "blake3").code == 4


def test_verifying_loads_neither_tables_nor_engine(home: Path) -> None:
    """Loading them would take longer than verifying a small case."""
    asked = "import sys; from portal.cli import main; main(['verify', sys.argv[1]])"
    heavy = "('sqlalchemy', 'prefect', 'boto3', 'asyncpg', 'psycopg', 'cryptography.x509')"
    code = f"""
import atexit
atexit.register(lambda: print('loaded', [n for n in {heavy} if n in sys.modules]))
{asked}
"""
    done = subprocess.run(
        [sys.executable, "-c", code, CASE_NO], capture_output=True, text=True, check=True
    )
    assert "4 ok; log ok" in done.stdout
    assert "loaded []" in done.stdout


def test_a_whole_case_needs_no_database(home: Path, run: Run) -> None:
    """AU-02."""
    for part in home.glob("custody.sqlite*"):
        part.unlink()
    assert run("verify", CASE_NO).code == 0


def test_an_unknown_case_ends_with_2(home: Path, run: Run) -> None:
    answer = run("verify", "沪市监案〔2026〕9999号")
    assert answer.code == 2
    assert answer.problem[0]
