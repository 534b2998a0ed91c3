"""Nothing goes before its time, under a hold, or by one person alone; and what went is told."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.catalogue import kept, search
from storage.custody import Custody
from storage.directory import DirectoryStore
from storage.errors import ConflictError, InputError, StateError, TransientError
from storage.event import Action
from storage.verifier import verify as verifier_file
from storage.verify import Result
from tasks import disposing
from tasks.fixity import report_coverage
from tasks.policies import present_policy
from tasks.proving import Wish, prove
from tasks.reader.cell import CellPool
from tasks.verifying import verify_case
from tests.house import events, make_bundle
from tests.tasks.life import CASE, copy_of, open_house, take, zipped

OTHER = "沪市监案〔2026〕0778号"
WHO = {"by": "王主任", "second": "赵科长"}


def later(custody: Custody, years: int) -> Custody:
    """The same house so many years later; its store keeps the same time."""

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(days=366 * years)

    return replace(custody, clock=clock, objects=DirectoryStore(custody.workspace.objects, clock))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    """Two cases whose retention is one year."""
    folder = tmp_path_factory.mktemp("made")
    with open_house(folder / "home", retention_years=1) as custody:
        files = {"a.txt": "客户名单".encode(), "b.txt": "乙方报价单".encode()}
        take(custody, pool, make_bundle(folder / "one", "B1", files))
        mail = {"c.txt": "双方往来邮件".encode()}
        take(custody, pool, zipped(make_bundle(folder / "two", "B2", mail)))
        take(custody, pool, make_bundle(folder / "three", "B1", files, OTHER))
    return folder / "home"


@pytest.fixture
def old(made: Path, tmp_path: Path) -> Iterator[Custody]:
    """A copy of that house, a day after its retention is over."""
    with copy_of(made, tmp_path / "home", retention_years=1) as custody:
        yield later(custody, 1)


def run(custody: Custody, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {**WHO, "reason": "保存期满"} | changes
    if "digest" not in fields:
        fields["digest"] = disposing.list_disposal(custody, CASE).digest
    return disposing.dispose(custody, CASE, **fields)


def present(custody: Custody) -> int:
    folder = custody.workspace.objects / "cases" / CASE
    return sum(path.is_file() for path in folder.rglob("*"))


REFUSED: dict[str, tuple[Callable[[Custody], Any], type[Exception]]] = {
    "one person": (lambda house: run(house, second=""), InputError),
    "the same person twice": (lambda house: run(house, second=" 王主任 "), InputError),
    "no reason": (lambda house: run(house, reason=" "), InputError),
    "another list": (lambda house: run(house, digest="0" * 64), ConflictError),
    "no list": (lambda house: run(house, digest=""), ConflictError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_in_order_removes_nothing(old: Custody, name: str) -> None:
    act, error = REFUSED[name]
    before = present(old)
    with pytest.raises(error):
        act(old)
    assert present(old) == before
    assert events(old, Action.DISPOSED) == []


def test_nothing_goes_while_it_is_retained(old: Custody) -> None:
    """ST-02."""
    young = later(old, 0)
    with pytest.raises(StateError) as caught:
        disposing.list_disposal(young, CASE)
    assert caught.value.facts["retained"] == 8 + 1
    longer = replace(old, settings=old.settings.model_copy(update={"retention_years": 5}))
    with pytest.raises(StateError):
        disposing.list_disposal(longer, CASE)
    shorter = replace(young, settings=old.settings.model_copy(update={"retention_years": 1}))
    with pytest.raises(StateError):
        disposing.list_disposal(shorter, CASE)


def test_a_hold_stops_it_and_one_person_cannot_release_it(old: Custody) -> None:
    """ST-09."""
    with pytest.raises(InputError):
        disposing.set_hold(old, CASE, by="王", reason="")
    disposing.set_hold(old, CASE, by="王", reason="行政诉讼")
    with pytest.raises(StateError) as caught:
        disposing.list_disposal(old, CASE)
    assert "行政诉讼" in caught.value.message
    for second in ("", "王", " 王"):
        with pytest.raises(InputError):
            disposing.release_hold(old, CASE, by="王", second=second, reason="结案")
    disposing.release_hold(old, CASE, by="王", second="李", reason="结案")
    with pytest.raises(StateError):
        disposing.release_hold(old, CASE, by="王", second="李", reason="结案")
    assert disposing.list_disposal(old, CASE).items
    with old.read() as session:
        (hold,) = kept.holds(session, "", released=True)
    assert (hold["released_by"], hold["released_with"]) == ("王", "李")


def test_the_objects_go_and_the_record_stays(old: Custody) -> None:
    outcome = run(old)
    assert (outcome["ok"], outcome["removed"]) == (True, 9)
    assert present(old) == 0
    decided, done = events(old, Action.DISPOSED)
    assert (decided.details["state"], done.details["state"]) == ("decided", "done")
    assert decided.exhibits == tuple(f"{CASE}/E000{n}" for n in (1, 2, 3))
    assert (decided.actor.name, decided.details["with"]) == ("王主任", "赵科长")
    listed = old.workspace.objects / decided.details["object"]["key"]
    assert listed.read_text().startswith(f"zhenglian.disposal/1\ncase {CASE}\n")
    with old.read() as session:
        assert search.search(session, CASE, "客户名单") == []
        assert kept.of_case(session, CASE) == []
    with pytest.raises(StateError):
        disposing.list_disposal(old, CASE)


def test_verification_says_disposed_and_not_missing(old: Custody) -> None:
    run(old)
    report = verify_case(old.settings, CASE)
    assert {item.result for item in report.items} == {Result.DISPOSED}
    assert report.ok
    assert "disposed" in report.summary
    assert "王主任" in report.items[0].detail
    assert verify_case(old.settings, OTHER).ok


def test_a_removal_without_a_decision_stays_missing(old: Custody) -> None:
    victim = next((old.workspace.objects / "cases" / CASE / "originals").iterdir())
    victim.unlink()
    report = verify_case(old.settings, CASE)
    assert Result.MISSING in {item.result for item in report.items}
    assert not report.ok
    assert run(old)["gone_before"] == 1


def test_interrupted_in_the_middle_it_is_finished_by_the_same_call(old: Custody) -> None:
    class Stops(DirectoryStore):
        removed = 0

        def delete(self, ref: Any) -> None:
            if self.removed == 3:
                raise KeyboardInterrupt
            self.removed += 1
            super().delete(ref)

    digest = disposing.list_disposal(old, CASE).digest
    with pytest.raises(KeyboardInterrupt):
        run(replace(old, objects=Stops(old.workspace.objects, old.clock)), digest=digest)
    assert present(old) == 6
    assert run(old, digest=digest)["ok"]
    assert [each.details["state"] for each in events(old, Action.DISPOSED)] == ["decided", "done"]


def test_with_too_much_left_to_name_nothing_counts_as_disposed_of(
    old: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Down(DirectoryStore):
        def delete(self, ref: Any) -> None:
            raise TransientError("the server is down")

    monkeypatch.setattr(disposing, "LEFT", 2)
    down = replace(old, objects=Down(old.workspace.objects, old.clock))
    assert not run(down)["ok"]
    assert verify_case(old.settings, CASE).ok
    assert {item.result for item in verify_case(old.settings, CASE).items} == {Result.OK}
    assert run(old, by="孙", second="李")["removed"] == 9
    seen = [(each.details["state"], each.actor.name) for each in events(old, Action.DISPOSED)]
    assert seen == [
        ("decided", "王主任"),
        ("incomplete", "王主任"),
        ("decided", "孙"),
        ("done", "孙"),
    ]


def test_what_cannot_be_removed_is_named_and_can_be_tried_again(old: Custody) -> None:
    class Busy(DirectoryStore):
        def delete(self, ref: Any) -> None:
            if "derivatives" in ref.key:
                raise TransientError("the server is busy")
            super().delete(ref)

    outcome = run(replace(old, objects=Busy(old.workspace.objects, old.clock)))
    assert not outcome["ok"]
    assert len(outcome["left"]) == 3
    assert report_coverage(old)["roles"]
    listed = disposing.list_disposal(old, CASE)
    assert {item.role for item in listed.items} == {"transcript"}
    assert run(old)["ok"]
    assert present(old) == 0


@pytest.mark.parametrize("wish", [Wish(), Wish(originals=False), Wish(as_zip=True)])
def test_a_proof_of_what_was_disposed_of_says_so_to_whoever_verifies_it(
    old: Custody, tmp_path: Path, wish: Wish
) -> None:
    """AU-02: the bytes are gone, and the record still proves that they were there."""
    whole = prove(old, CASE, tmp_path / "whole", Wish())
    run(old)
    for name in (CASE, f"{CASE}/E0002"):
        said = prove(old, name, tmp_path / name.replace("/", "-"), wish)
        assert all("王主任" in each["disposed"] for each in said["exhibits"])
        code, text = verified(Path(said["path"]), old)
        assert code == 0, text
        assert text.count("| disposed |") == len(said["exhibits"])
        assert "王主任, 赵科长" in text
        assert "保存期满" in text
    # A bundle of before still shows the bytes; and bytes that are gone by themselves are missing.
    assert verified(Path(whole["path"]), old)[0] == 0
    next((Path(whole["path"]) / "data").iterdir()).unlink()
    code, text = verified(Path(whole["path"]), old)
    assert code == 1
    assert "| missing |" in text


def verified(bundle: Path, custody: Custody) -> tuple[int, str]:
    """Run the one-file verifier as a stranger would, with the log's policy alone."""
    policy = bundle.parent / "policy.json"
    policy.write_text(present_policy(custody.settings).text())
    program = Path(verifier_file.__file__)
    command = [sys.executable, "-I", str(program), str(bundle), "--policy", str(policy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_decision_alone_destroys_nothing_in_a_proof(old: Custody, tmp_path: Path) -> None:
    class Stops(DirectoryStore):
        def delete(self, ref: Any) -> None:
            raise KeyboardInterrupt

    stopped = replace(old, objects=Stops(old.workspace.objects, old.clock))
    with pytest.raises(KeyboardInterrupt):
        run(stopped)
    said = prove(old, CASE, tmp_path / "bundle", Wish(originals=False))
    assert not any("disposed" in each for each in said["exhibits"])
    assert verified(Path(said["path"]), old)[0] == 3
