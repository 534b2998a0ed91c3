"""What a person decides on a refused bundle: released under a new number, or given back."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.catalogue import intents, queries
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.errors import CustodyError, HostError, InputError, NotFoundError, StateError
from storage.event import Action
from storage.policy import load_policy
from tasks import (
    accounting,
    claims,
    fixity,
    giving_back,
    quarantine,
    releasing,
)
from tasks.bundle import received_prefix
from tasks.proving import Wish, prove
from tasks.reader.cell import CellPool
from tasks.releasing import Decision
from tests.house import CASE_NO, HEADER, ITEM, events, make_bundle
from tests.names_made import HOSTILE
from tests.tasks.life import CASE, go_on, open_house, take, zipped
from tests.tasks.proof_made import verify

ODD = b"\xba\xcf\xcd\xac.txt".decode("utf-8", "surrogateescape")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Custody]:
    with open_house(tmp_path / "home") as custody:
        yield custody


def manifest(path: Path, *items: str, number: str = "B9") -> Path:
    text = HEADER.format(number=number, case_no=CASE_NO)
    path.write_text(text + "".join(ITEM.format(path=each) for each in items))
    return path


def refused(custody: Custody, pool: CellPool, folder: Path, **files: bytes) -> str:
    """Drop a bundle whose manifest says nothing right."""
    make_bundle(folder, "B1", {f"{name}.txt": data for name, data in files.items()})
    (folder / "manifest.yaml").write_text("nothing: right\n")
    answer = take(custody, pool, folder)
    assert answer.state == "quarantined"
    return answer.accession


def kept(custody: Custody, prefix: str) -> set[str]:
    return {key.rpartition("/")[2] for key in custody.objects.keys(prefix)}


def state(custody: Custody, accession: str) -> Any:
    with custody.read() as session:
        row = queries.find_accession(session, accession)
    return row and row["state"]


def test_a_released_bundle_is_taken_in_with_the_manifest_that_the_officer_wrote(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    first = refused(house, pool, tmp_path / "b", a=b"one", b=b"two")
    lot = received_prefix(first)
    before = kept(house, lot)
    right = manifest(tmp_path / "right.yaml", "a.txt", "b.txt")
    number = releasing.release(house, first, Decision("王", "核实", right))
    answer = go_on(house, pool, number)
    assert (answer.state, answer.case, len(answer.exhibits)) == ("accepted", CASE, 2)
    assert state(house, first) == "released"
    originals = kept(house, f"cases/{CASE}/originals")
    assert originals >= before | {fingerprint_bytes(right.read_bytes()).sha256}
    assert kept(house, "quarantine") == set()
    received = [each for each in events(house, Action.RECEIVED) if each.accession == number]
    old = next(each for each in events(house, Action.RECEIVED) if each.accession == first)
    assert received[0].details["released_from"] == first
    assert received[0].occurred_at == old.occurred_at
    (accessioned,) = events(house, Action.ACCESSIONED)
    assert accessioned.details["superseded"]["files"] == 1
    assert accessioned.details["manifest_file"]["path"] == f"manifest.{number}.yaml"
    assert Path(answer.folder).parts[-3:-1] == ("pudong-01", "receipts")
    assert house.log.reader().check().ok
    assert quarantine.lineage(house, number) == [number, first]
    with house.read() as session:
        rows = queries.list_accessions(session, CASE)
    assert [row["accession"] for row in rows] == [first, number]
    counted = accounting.whole_account(accounting.case_account(house, CASE))
    assert (counted.unexplained, counted.received) == ([], counted.stored)


def test_nothing_is_swept_for_in_the_old_place_of_a_released_bundle(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    first = refused(house, pool, tmp_path / "b", a=b"one")
    right = manifest(tmp_path / "right.yaml", "a.txt")
    number = releasing.release(house, first, Decision("王", "核实", right))
    assert [
        e for part in fixity.plan_sweep(house).parts for e in fixity.sweep_part(house, part)
    ] == []
    go_on(house, pool, number)
    plan = fixity.plan_sweep(house)
    assert [e for part in plan.parts for e in fixity.sweep_part(house, part)] == []
    assert events(house, Action.ALERT) == []


def test_an_archive_is_released_with_a_manifest_beside_it(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    folder = make_bundle(tmp_path / "b", "B1", {"a.txt": b"one"})
    (folder / "manifest.yaml").write_text("nothing: right\n")
    archive = zipped(folder)
    answer = take(house, pool, archive)
    number = releasing.release(
        house, answer.accession, Decision("王", "核实", manifest(tmp_path / "r.yaml", "a.txt"))
    )
    answer = go_on(house, pool, number)
    assert (answer.state, len(answer.exhibits)) == ("accepted", 1)
    (accessioned,) = events(house, Action.ACCESSIONED)
    digest = fingerprint_bytes(archive.read_bytes()).sha256
    assert accessioned.details["container"]["fingerprint"]["digests"]["sha256"] == digest
    (stored,) = events(house, Action.STORED)
    assert stored.details["container_sha256"] == digest


def test_what_is_still_wrong_is_refused_again_and_decided_again(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    first = refused(house, pool, tmp_path / "b", a=b"one")
    wrong = manifest(tmp_path / "wrong.yaml", "a.txt", "absent.txt")
    second = releasing.release(house, first, Decision("王", "核实", wrong))
    assert go_on(house, pool, second).state == "quarantined"
    assert kept(house, received_prefix(first)) == set()
    assert fingerprint_bytes(wrong.read_bytes()).sha256 in kept(house, received_prefix(second))
    right = manifest(tmp_path / "right.yaml", "a.txt")
    third = releasing.release(house, second, Decision("李", "更正", right))
    assert go_on(house, pool, third).state == "accepted"
    (accessioned,) = events(house, Action.ACCESSIONED)
    assert accessioned.details["superseded"]["files"] == 2
    rows = quarantine.list_refused(house)
    assert [(r["accession"], r["state"]) for r in rows] == [
        (first, "released"),
        (second, "released"),
    ]
    assert rows[1]["released_from"] == first


def test_an_irregular_entry_stays_behind_only_by_name(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    folder = make_bundle(tmp_path / "b", "B1", {"a.txt": b"one"})
    (folder / "link").symlink_to("/etc/passwd")
    first = take(house, pool, folder).accession
    with pytest.raises(InputError):
        releasing.release(house, first, Decision("王", "核实", None, ("a.txt",)))
    second = releasing.release(house, first, Decision("王", "核实"))
    assert go_on(house, pool, second).state == "quarantined"
    third = releasing.release(house, second, Decision("王", "核实", None, ("link",)))
    assert go_on(house, pool, third).state == "accepted"
    received = next(each for each in events(house, Action.RECEIVED) if each.accession == third)
    assert (received.details["without"], received.details["irregular"]) == (["link"], [])


@pytest.mark.parametrize("stop", ["record", "claim", "move", "receive", "settle"])
def test_killed_anywhere_a_release_ends_the_same(
    house: Custody, pool: CellPool, tmp_path: Path, stop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = refused(house, pool, tmp_path / "b", a=b"one", b=b"two", c=b"three")
    right = manifest(tmp_path / "right.yaml", "a.txt", "b.txt", "c.txt")
    decision = Decision("王", "核实", right)
    with monkeypatch.context() as broken:
        for name in _WHERE[stop]:
            broken.setattr(name, _stopping(stop == "move"))
        with pytest.raises(KeyboardInterrupt):
            go_on(house, pool, releasing.release(house, first, decision))
    if quarantine.decision_on(house, first) is None:
        releasing.release(house, first, decision)
    (claim,) = claims.unfinished(house)
    answer = go_on(house, pool, claim.accession)
    assert (answer.state, len(answer.exhibits)) == ("accepted", 3)
    assert kept(house, "quarantine") == set()
    assert [each.accession for each in events(house, Action.DECIDED)] == [first]
    assert claims.unfinished(house) == []
    with house.read() as session:
        assert intents.find_claim(session, claim.accession).source == first


_WHERE = {
    "record": ["tasks.releasing._event"],
    "claim": ["tasks.releasing.claims.finish"],
    "move": ["storage.directory.DirectoryStore.move"],
    "receive": ["tasks.receiving._received_event"],
    "settle": ["tasks.settling.accession_events"],
}


def _stopping(late: bool) -> Callable[..., Any]:
    from storage.directory import DirectoryStore

    real, calls = DirectoryStore.move, []

    def stop(*arguments: Any, **more: Any) -> Any:
        calls.append(1)
        if late and len(calls) < 2:
            return real(*arguments, **more)
        raise KeyboardInterrupt

    return stop


def test_a_second_decision_is_refused_and_names_the_first(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    first = refused(house, pool, tmp_path / "b", a=b"one")
    number = releasing.release(house, first, Decision("王五", "核实"))
    go_on(house, pool, number)
    giving_back.give_back(house, number, by="李四", reason="索回")
    for accession, who in ((first, "王五"), (number, "李四")):
        with pytest.raises(StateError) as caught:
            releasing.release(house, accession, Decision("赵", "再来"))
        assert who in caught.value.message
        with pytest.raises(StateError):
            giving_back.give_back(house, accession, by="赵", reason="再来")


def test_who_is_not_named_decides_nothing(house: Custody, pool: CellPool, tmp_path: Path) -> None:
    first = refused(house, pool, tmp_path / "b", a=b"one")
    good = take(house, pool, make_bundle(tmp_path / "good")).accession
    attempts: list[tuple[type[CustodyError], str, Decision]] = [
        (InputError, first, Decision(" ", "核实")),
        (InputError, first, Decision("王", "")),
        (InputError, first, Decision("王", "核实", tmp_path / "absent.yaml")),
        (InputError, first, Decision("王", "核实", tmp_path)),
        (NotFoundError, "A2026-999999", Decision("王", "核实")),
        (NotFoundError, good, Decision("王", "核实")),
    ]
    for kind, accession, decision in attempts:
        with pytest.raises(kind):
            releasing.release(house, accession, decision)
    assert events(house, Action.DECIDED) == []


def test_a_returned_bundle_is_written_as_it_came_and_stays_in_custody(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    folder = make_bundle(tmp_path / "b", "B1", {"a.txt": b"one"})
    (folder / "deep/er").mkdir(parents=True)
    (folder / "deep/er" / ODD).write_bytes(b"odd")
    (folder / "=cmd.txt").write_bytes(b"")
    accession = take(house, pool, folder).accession
    before = kept(house, received_prefix(accession))
    found = giving_back.give_back(house, accession, by="王", reason="索回")
    target = Path(found["folder"])
    assert target.parts[-4:-2] == ("pudong-01", "rejected")
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            assert (target / path.relative_to(folder)).read_bytes() == path.read_bytes()
    assert kept(house, received_prefix(accession)) == before
    note = (target.parent / "RETURNED.md").read_text()
    assert "索回" in note
    assert accession in note
    assert (state(house, accession), found["files"], found["renamed"]) == ("returned", 4, [])
    shown = quarantine.show_refused(house, accession)
    assert shown["decision"]["kind"] == "return"
    plan = fixity.plan_sweep(house)
    assert [e for part in plan.parts for e in fixity.sweep_part(house, part)] == []


def test_any_name_is_written_back_as_its_bytes(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    for raw in HOSTILE.values():
        (folder / os.fsdecode(raw)).write_bytes(raw)
    accession = take(house, pool, folder).accession
    found = giving_back.give_back(house, accession, by="王", reason="索回")
    assert found["renamed"] == []
    written = {
        os.fsencode(each.name): each.read_bytes() for each in Path(found["folder"]).iterdir()
    }
    assert written == {raw: raw for raw in HOSTILE.values()}


def test_no_link_in_the_target_is_followed_and_nothing_there_is_replaced(
    house: Custody, pool: CellPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even what comes there after it was looked for."""
    monkeypatch.setattr(giving_back, "_present", lambda *_: False)
    folder = make_bundle(tmp_path / "b", "B1", {"a.txt": b"one", "b.txt": b"two"})
    (folder / "sub").mkdir()
    (folder / "sub/c.txt").write_bytes(b"three")
    accession = take(house, pool, folder).accession
    target, elsewhere = tmp_path / "to", tmp_path / "elsewhere"
    target.mkdir()
    elsewhere.mkdir()
    (target / "sub").symlink_to(elsewhere)
    (target / "a.txt").symlink_to(elsewhere / "a.txt")
    (target / "b.txt").write_bytes(b"theirs")
    found = giving_back.give_back(house, accession, by="王", reason="索回", folder=target)
    assert list(elsewhere.iterdir()) == []
    assert (target / "b.txt").read_bytes() == b"theirs"
    renamed = {each["path"]: each["written_as"] for each in found["renamed"]}
    assert set(renamed) == {"a.txt", "b.txt", "sub/c.txt"}
    assert (target / renamed["sub/c.txt"]).read_bytes() == b"three"
    assert all(each in (quarantine_note(house)) for each in renamed.values())


def quarantine_note(custody: Custody) -> str:
    (note,) = custody.workspace.drop.glob("*/rejected/*/RETURNED.md")
    return note.read_text()


def test_a_return_that_was_stopped_is_made_again(
    house: Custody, pool: CellPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accession = refused(house, pool, tmp_path / "b", a=b"one", b=b"two")
    with monkeypatch.context() as broken:
        broken.setattr("tasks.giving_back.write_durably", _stopping(False))
        with pytest.raises(KeyboardInterrupt):
            giving_back.give_back(house, accession, by="王", reason="索回")
    assert events(house, Action.DECIDED) == []
    found = giving_back.give_back(house, accession, by="王", reason="索回")
    assert found["renamed"] == []
    assert len(list(Path(found["folder"]).iterdir())) == 3


def test_a_folder_that_cannot_be_written_to_is_told(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    accession = refused(house, pool, tmp_path / "b", a=b"one")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HostError) as caught:
        giving_back.give_back(house, accession, by="王", reason="索回", folder=tmp_path / "file")
    assert "--to" in caught.value.remedy
    assert state(house, accession) == "quarantined"


def test_show_gives_every_reason_and_every_digest(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    files = {f"n{number:02d}.txt": b"x" for number in range(30)}
    folder = make_bundle(tmp_path / "b", "B1", files)
    for name in files:
        (folder / name).rename(folder / f"not-{name}")
    accession = take(house, pool, folder).accession
    shown = quarantine.show_refused(house, accession)
    assert len(shown["reasons"]) == shown["mistakes"] == 60
    assert {each["path"] for each in shown["listing"]} >= {f"not-{name}" for name in files}
    assert all(len(each["digests"]["sm3"]) == 64 for each in shown["listing"])
    assert Path(shown["rejected_md"]).is_file()
    json.dumps(shown)


def test_what_was_refused_first_is_part_of_what_is_proven_of_the_case(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    first = refused(house, pool, tmp_path / "b", a=b"one")
    right = manifest(tmp_path / "right.yaml", "a.txt")
    number = releasing.release(house, first, Decision("王", "核实", right))
    go_on(house, pool, number)
    policy = tmp_path / "policy.json"
    policy.write_text(load_policy(house.workspace).text())
    for name, target in ((CASE, "case"), (f"{CASE}/E0001", "exhibit")):
        prove(house, name, tmp_path / target, Wish())
        code, said = verify(tmp_path / target, "--lang", "en", "--policy", policy)
        assert code == 0, said
    shown = "".join(path.read_text() for path in (tmp_path / "case").rglob("events/*.json"))
    assert "a refused bundle is released" in shown
