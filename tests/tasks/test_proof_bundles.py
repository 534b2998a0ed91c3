"""What holds of a true proof bundle, and what making one puts on record."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import bagit
import pytest
from sqlalchemy import delete

from storage.catalogue import queries, tables
from storage.errors import ConflictError, IntegrityError, NotFoundError, StateError
from storage.event import Action, decode
from storage.nouns import Person, case_id
from storage.verifier import VERIFIER
from tasks.proving import Wish, prove
from tests.tasks.life import open_house
from tests.tasks.proof_attacks import change, event_of, flip, proof_of
from tests.tasks.proof_made import (
    CASE_NO,
    FILES,
    OTHER_FILES,
    OTHER_NO,
    PYTHON,
    reseal,
    take_case,
    verify,
)
from tests.tasks.proof_world import World

CASE = case_id(CASE_NO)
P_L = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize("name", ["exhibit", "case", "case.zip"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_true_bundle_holds(world: World, name: str, lang: str) -> None:
    code, said = verify(world.root / name, "--policy", world.plain, "--lang", lang)
    assert code == 0, said
    assert said.splitlines()[-1] == f"- => {'核验通过' if lang == 'zh' else 'VERIFIED'}"
    assert said.count("| ok |") == (1 if name == "exhibit" else 4)


def test_a_kept_checkpoint_is_extended(world: World) -> None:
    options = ("--policy", world.plain, "--since", world.kept, "--lang", "en")
    code, said = verify(world.root / "exhibit", *options)
    assert code == 0, said
    assert "the log extends the kept checkpoint" in said


def test_digests_alone_hold_with_the_originals_beside_them(world: World, tmp_path: Path) -> None:
    options = ("--policy", world.full, "--lang", "en")
    code, said = verify(world.root / "bare", *options)
    assert code == 3
    assert said.count("| unverified |") == 4
    beside = tmp_path / "beside"
    shutil.copytree(world.root / "case/data", beside)
    code, said = verify(world.root / "bare", *options, "--originals", beside)
    assert code == 0, said
    flip(beside / "E0003")
    code, said = verify(world.root / "bare", *options, "--originals", beside)
    assert code == 1
    assert f"[FAILED] {CASE}/E0003: " in said
    assert said.count("| mismatch |") == 1


def test_the_earliest_timestamp_of_an_exhibit_is_stated(world: World) -> None:
    said = verify(world.root / "bare", "--policy", world.full)[1]
    rows = [line for line in said.splitlines() if line.startswith(f"| {CASE}/")]
    assert len(rows) == 4
    assert all(re.search(r"\| 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\+00:00 \|", row) for row in rows)
    # The first anchor covers the first bundle's exhibits, a later one the supplement.
    assert len({row.split("|")[4] for row in rows}) <= 2
    assert {path.name for path in (world.root / "bare/older").glob("*/*.tsr")} == {
        "sample-tsa.sha256.tsr",
        "sample-tsa.sm3.tsr",
    }


def test_later_events_cannot_be_excluded_and_it_says_so(world: World, tmp_path: Path) -> None:
    """The newest event of an exhibit's bundle can be left out unnoticed: a stated limit."""
    bag = world.bundle("exhibit", tmp_path)
    newest = event_of(bag, "accessed")
    proof_of(newest).unlink()
    newest.unlink()
    said = json.loads((bag / "statement.json").read_text())
    chains = {name: count - 1 for name, count in said["chains"].items()}
    change(bag / "statement.json", events=said["events"] - 1, chains=chains)
    reseal(bag)
    code, told = verify(bag, "--policy", world.plain, "--lang", "en")
    assert code == 0
    assert "[not checked] later events than those counted" in told


def test_the_certificate_states_who_when_what_and_the_answers(world: World, tmp_path: Path) -> None:
    """AU-05."""
    path = tmp_path / "certificate.md"
    options = ("--policy", world.plain, "--certificate", path, "--by", "王检察官")
    assert verify(world.root / "case", *options)[0] == 0
    text = path.read_text()
    assert "# 核验证书" in text
    assert "# Certificate of verification" in text
    for value in (
        "王检察官",
        hashlib.sha256(VERIFIER.read_bytes()).hexdigest(),
        hashlib.sha256(world.plain.read_bytes()).hexdigest(),
        hashlib.sha256(next(iter(FILES.values()))).hexdigest(),
        hashlib.new("sm3", next(iter(FILES.values()))).hexdigest(),
        "zhenglian.local/custody",
        "[未核]",
        "[not checked]",
    ):
        assert value in text, value


def test_other_people_s_tools_read_the_bag(world: World) -> None:
    for name in ("case", "exhibit", "bare"):
        bag = bagit.Bag(str(world.root / name))
        bag.validate()
        for command in (
            ["sha256sum", "--quiet", "-c", "checks/sha256sums.txt"],
            ["b3sum", "--quiet", "-c", "checks/b3sums.txt"],
            ["cksum", "-a", "sm3", "--quiet", "--check", "checks/sm3sums.txt"],
        ):
            subprocess.run(command, cwd=world.root / name, check=True, capture_output=True)


def test_nothing_of_another_case_is_in_a_bundle(world: World) -> None:
    secret = [OTHER_NO.encode(), case_id(OTHER_NO).encode(), b"A2026-000002", "机密".encode()]
    for name, data in OTHER_FILES.items():
        secret += [name.encode(), data]
        secret += [hashlib.new(each, data).hexdigest().encode() for each in ("sha256", "sm3")]
    entries = next((world.root / "home/objects/log/tile/entries").rglob("*.p/*")).parent
    known = max(entries.iterdir(), key=lambda path: int(path.name)).read_bytes()
    assert all(each in known for each in secret[:3])
    for bundle in ("case", "exhibit", "bare"):
        for path in (each for each in (world.root / bundle).rglob("*") if each.is_file()):
            data = path.read_bytes()
            assert not [each for each in secret if each in data], path


def test_an_exhibit_s_bundle_shows_its_events_and_how_it_came_in(world: World) -> None:
    bag = world.root / "exhibit"
    actions = [
        json.loads(path.read_text())["action"] for path in sorted((bag / "events").glob("*.json"))
    ]
    assert actions == ["received", "accessioned", "stored", "accessed"]
    assert sorted(path.name for path in (bag / "data").iterdir()) == ["E0001.txt"]
    said = json.loads((bag / "statement.json").read_text())
    assert said["not_shown"] == 3
    assert "其余 3 件未出示" in (bag / "README.txt").read_text("utf-8-sig")


# ---- Making bundles ----


def test_the_access_is_on_record_first_and_its_end_after(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        exhibits = take_case(custody, tmp_path / "in", CASE_NO, FILES)
        size = custody.log.reader().checkpoint().size
        prove(custody, CASE_NO, tmp_path / "bare", Wish(originals=False))
        assert custody.log.reader().checkpoint().size == size
        who = Person("王检察官", unit="检察院")
        prove(custody, CASE_NO, tmp_path / "out", Wish(by=who, why="审查起诉"))
        begun, ended = (decode(leaf) for _, leaf in custody.log.reader().entries(size))
        assert (begun.action, begun.actor, begun.purpose) == (Action.ACCESSED, who, "审查起诉")
        assert begun.exhibits == tuple(exhibits)
        assert (begun.details["phase"], ended.details["outcome"]) == ("begun", "given")


def test_changed_bytes_make_no_bundle_and_the_record_says_so(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "in", CASE_NO, FILES)
        victim = next((tmp_path / "home/objects/cases").rglob("originals/*"))
        victim.chmod(0o644)
        flip(victim)
        with pytest.raises(IntegrityError, match="no bundle was made"):
            prove(custody, CASE_NO, tmp_path / "out/bundle", Wish())
        assert list((tmp_path / "out").iterdir()) == []
        last = custody.log.reader().checkpoint().size - 1
        assert decode(custody.log.leaf(last)).details["outcome"] == "mismatch"


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "in", CASE_NO, FILES)
        (tmp_path / "out").mkdir()
        with pytest.raises(ConflictError):
            prove(custody, CASE_NO, tmp_path / "out", Wish())
        with pytest.raises(NotFoundError):
            prove(custody, f"{CASE_NO}/E0099", tmp_path / "new", Wish())
        with pytest.raises(NotFoundError):
            prove(custody, "no case", tmp_path / "new", Wish())
        assert not (tmp_path / "new").exists()


def test_a_checkpoint_of_another_log_is_refused(world: World, tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "in", CASE_NO, FILES)
        size = custody.log.reader().checkpoint().size
        with pytest.raises(IntegrityError):
            prove(custody, CASE_NO, tmp_path / "new", Wish(since=world.kept))
        assert custody.log.reader().checkpoint().size == size
        assert not (tmp_path / "new").exists()


def test_an_event_that_names_two_cases_is_never_shown(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        one = take_case(custody, tmp_path / "in1", CASE_NO, FILES)
        two = take_case(custody, tmp_path / "in2", OTHER_NO, OTHER_FILES)
        custody.record([custody.event(Action.VERIFIED, ["both"], exhibits=[one[0], two[0]],
                                      details={"summary": ""})])  # fmt: skip
        for name in (CASE_NO, one[0]):
            with pytest.raises(StateError, match="names another case"):
                prove(custody, name, tmp_path / "out", Wish(originals=False))
        prove(custody, one[1], tmp_path / "out", Wish(originals=False))


@pytest.mark.parametrize("which", [1, -1])
def test_a_catalogue_that_lost_an_event_makes_no_bundle(tmp_path: Path, which: int) -> None:
    with open_house(tmp_path / "home") as custody:
        exhibits = take_case(custody, tmp_path / "in", CASE_NO, FILES)
        prove(custody, exhibits[0], tmp_path / "first", Wish())
        with custody.read() as session:
            index = queries.event_indexes(session, exhibits[0])[which]
        with custody.write() as session:
            session.execute(delete(tables.EventExhibit).where(tables.EventExhibit.index == index))
        with pytest.raises(IntegrityError, match="has a gap: 2 of 3"):
            prove(custody, exhibits[0], tmp_path / "out", Wish(originals=False))


def test_many_exhibits_stay_within_the_limit_of_a_leaf(tmp_path: Path) -> None:
    files = {f"f{number}.txt": str(number).encode() for number in range(150)}
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "in", CASE_NO, files)
        made = prove(custody, CASE_NO, tmp_path / "out", Wish())
        assert len(made["exhibits"]) == 150
        (tmp_path / "policy.json").write_bytes((tmp_path / "out/policy.json").read_bytes())
    code, said = verify(tmp_path / "out", "--policy", tmp_path / "policy.json")
    assert code == 0, said


def test_the_verifier_runs_on_every_python_that_is_here(world: World) -> None:
    """Wherever an older or a newer Python is installed, it gives the same answer."""
    found = {Path(sys.executable), Path(PYTHON)}
    for minor in range(9, 15):
        path = shutil.which(f"python3.{minor}")
        works = path and subprocess.run([path, "-V"], capture_output=True, check=False)
        if path and works and works.returncode == 0:
            found.add(Path(path))
    for python in found:
        done = subprocess.run(
            [python, "-I", VERIFIER, world.root / "case", "--policy", world.plain],
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (python, done.stdout.decode(), done.stderr.decode())
