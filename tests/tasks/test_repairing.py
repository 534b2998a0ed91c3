"""What is damaged or lost comes back from a copy with the recorded digests, from no other."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.catalogue import kept, queries
from storage.custody import Custody
from storage.errors import HostError, InputError, IntegrityError
from storage.event import Action, CustodyEvent
from storage.settings import Settings
from storage.story import tell
from storage.verify import CaseReport
from tasks import drilling, repairing
from tasks.alerting import close_alert
from tasks.backing_up import back_up
from tasks.reader.cell import CellPool
from tasks.rebuilding import rebuild
from tasks.repair_sources import Source, open_sources
from tasks.repairing import Outcome, repair
from tasks.verifying import verify_case
from tests.house import CASE_NO, events, make_bundle
from tests.tasks.life import CASE, copy_of, open_house, rows_of, take
from tests.tasks.test_fixity import sweep

FIRST = f"{CASE}/E0001"
FILES = {"a.txt": "甲方客户名单".encode(), "b.txt": b"quote " * 100}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    """A house with two exhibits and a refused bundle, beside its backup and the dropped media."""
    folder = tmp_path_factory.mktemp("repair")
    with open_house(folder / "home") as custody:
        take(custody, pool, make_bundle(folder / "media", "B1", FILES))
        bad = make_bundle(folder / "bad", "B2", {"d.txt": b"d"})
        (bad / "manifest.yaml").write_text("nothing: right\n")
        take(custody, pool, bad)
    back_up(Settings(home=folder / "home"), folder / "backups", objects=True)
    return folder


@pytest.fixture
def hurt(made: Path, tmp_path: Path) -> Iterator[Custody]:
    with copy_of(made / "home", tmp_path / "home") as custody:
        yield custody


def path_of(custody: Custody, label: str = FIRST) -> Path:
    with custody.read() as session:
        return custody.workspace.objects / queries.find_exhibit(session, label)["object"]["key"]


def spoil(path: Path) -> bytes:
    """Flip a byte as a bad disk does; return what is there now."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return bytes(data)


def mend(custody: Custody, name: str, *places: Path, **more: Any) -> Outcome:
    given = {"by": "张伟", "reason": "磁盘坏道", **more}
    return repair(custody, name, open_sources(custody.settings, list(map(str, places))), **given)


def verified(custody: Custody) -> CaseReport:
    return verify_case(custody.settings, CASE_NO)


def ended(custody: Custody) -> list[CustodyEvent]:
    found = events(custody, Action.REPAIRED)
    return [each for each in found if each.details["state"] == "done"]


@pytest.mark.parametrize("place", ["backups", "media", "home"])
def test_st_04_a_changed_original_comes_back_and_the_changed_bytes_stay(
    hurt: Custody, made: Path, place: str
) -> None:
    """ST-04, AU-02: from a backup, dropped media, or another house; the damage is evidence."""
    path = path_of(hurt)
    until = path.stat().st_mtime
    changed = spoil(path)
    assert sweep(hurt)["wrong"]
    outcome = mend(hurt, FIRST, made / place)
    assert outcome.ok
    assert [each["label"] for each in outcome.repaired] == [FIRST]
    assert path.read_bytes() == FILES["a.txt"]
    assert (path.stat().st_mtime, path.stat().st_mode & 0o777) == (until, 0o444)
    (event,) = ended(hurt)
    (told,) = event.details["objects"]
    assert (hurt.workspace.objects / told["damaged"]["object"]["key"]).read_bytes() == changed
    assert event.exhibits == (FIRST,)
    assert event.actor.name == "张伟"
    assert str(made / place) in tell(event)
    report = verified(hurt)
    assert report.ok
    assert len(report.items) == 4  # The damaged bytes are verified too.


def test_the_alert_stays_until_a_person_closes_it(hurt: Custody, made: Path) -> None:
    spoil(path_of(hurt))
    sweep(hurt)
    mend(hurt, FIRST, made / "backups")
    with hurt.read() as session:
        (alert,) = kept.list_alerts(session)
        (row,) = kept.of_keys(session, [alert["subject"]])
    assert row.result == "ok"
    assert row.last_at
    close_alert(hurt, alert["alert_id"], by="张伟", reason="硬盘已更换")
    with hurt.read() as session:
        assert kept.list_alerts(session) == []


def test_other_bytes_are_never_put_in_its_place(hurt: Custody, tmp_path: Path) -> None:
    """A copy of the right name and size with other bytes is none."""
    path = path_of(hurt)
    changed = spoil(path)
    false = tmp_path / "false" / path.relative_to(hurt.workspace.objects)
    false.parent.mkdir(parents=True)
    false.write_bytes(bytes(len(changed)))
    (tmp_path / "false/link").symlink_to("/etc/passwd")
    outcome = mend(hurt, CASE_NO, tmp_path / "false")
    assert not outcome.ok
    assert path.read_bytes() == changed
    (left,) = outcome.left
    assert (left["label"], left["name"], left["case_no"]) == (FIRST, "a.txt", CASE_NO)
    assert left["unit"] == "pudong-01"
    assert "recorded digests" in left["why"]
    assert not verified(hurt).ok
    (event,) = ended(hurt)
    assert event.details["objects"] == []
    assert "未修复" in tell(event) or "没有副本" in tell(event)


def test_a_dry_run_names_what_is_wrong_and_changes_nothing(hurt: Custody, made: Path) -> None:
    changed = spoil(path_of(hurt))
    path_of(hurt, f"{CASE}/E0002").unlink()
    outcome = mend(hurt, "", made / "backups", dry_run=True, by="", reason="")
    assert {(each["label"], each["found"]) for each in outcome.wrong} == {
        (FIRST, "mismatch"),
        (f"{CASE}/E0002", "missing"),
    }
    assert not outcome.ok
    assert path_of(hurt).read_bytes() == changed
    assert events(hurt, Action.REPAIRED) == []


def test_a_repair_needs_a_person_and_a_reason(hurt: Custody, made: Path) -> None:
    for missing in ({"by": " "}, {"reason": ""}):
        with pytest.raises(InputError) as caught:
            mend(hurt, FIRST, made / "backups", **missing)
        assert caught.value.remedy
    with pytest.raises(InputError, match="nothing at"):
        mend(hurt, FIRST, made / "nowhere")


def test_a_repair_that_was_stopped_is_ended_by_the_next(
    hurt: Custody, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put back, and killed before it was said: the next one says so, damage and all."""
    changed = spoil(path_of(hurt))
    real = repairing._Repair._one

    def killed(self: Any, *arguments: Any) -> Any:
        real(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(repairing._Repair, "_one", killed)
        with pytest.raises(KeyboardInterrupt):
            mend(hurt, FIRST, made / "backups")
    assert path_of(hurt).read_bytes() == FILES["a.txt"]
    assert ended(hurt) == []
    outcome = mend(hurt, FIRST, made / "backups")
    assert outcome.ok
    assert len(outcome.repaired) == 1
    (event,) = ended(hurt)
    told = event.details["objects"][0]["damaged"]
    assert (hurt.workspace.objects / told["object"]["key"]).read_bytes() == changed
    time.sleep(1.1)  # Another second: the events of a third repair would be others.
    assert not mend(hurt, FIRST, made / "backups").repaired
    assert verified(hurt).ok


def test_a_store_that_lost_everything_but_its_log_is_whole_again(hurt: Custody, made: Path) -> None:
    """Originals, manifests, transcripts, refused bundles, listings and receipts."""
    objects = hurt.workspace.objects
    before = {p.relative_to(objects): p.read_bytes() for p in _files(objects)}
    for tree in ("cases", "quarantine", "accessions"):
        shutil.rmtree(objects / tree)
    outcome = mend(hurt, "", made / "backups")
    assert outcome.ok, outcome.left
    after = {p.relative_to(objects): p.read_bytes() for p in _files(objects)}
    assert after == before
    assert verified(hurt).ok
    assert sweep(hurt)["ok"]
    assert drilling.drill(hurt)["ok"]
    rows = {each.label: each.result for each in _kept(hurt)}
    assert set(rows.values()) == {"ok"}


def _files(objects: Path) -> list[Path]:
    return [
        each
        for tree in ("cases", "quarantine", "accessions")
        for each in (objects / tree).rglob("*")
        if each.is_file()
    ]


def _kept(custody: Custody) -> list[kept.Kept]:
    with custody.read() as session:
        return kept.everything(session)


def test_what_nobody_has_is_named_one_by_one_and_whose_it_is(
    hurt: Custody, made: Path, tmp_path: Path
) -> None:
    path = path_of(hurt, f"{CASE}/E0002")
    copy = tmp_path / "b"
    shutil.copytree(made / "backups", copy)
    (copy / "shared" / path.relative_to(hurt.workspace.objects)).unlink()
    shutil.rmtree(hurt.workspace.objects / "cases")
    outcome = mend(hurt, "", copy)
    assert [(each["label"], each["name"], each["unit"]) for each in outcome.left] == [
        (f"{CASE}/E0002", "b.txt", "pudong-01")
    ]
    (item,) = [each for each in verified(hurt).items if each.result != "ok"]
    assert item.label == f"{CASE}/E0002"


def test_a_rebuild_makes_the_same_rows_after_a_repair(hurt: Custody, made: Path) -> None:
    spoil(path_of(hurt))
    mend(hurt, FIRST, made / "backups")
    before = rows_of(hurt.settings)
    hurt.database.close()
    rebuild(hurt.settings, replace_existing=True)
    after = rows_of(hurt.settings)
    for table in ("fixity", "exhibit", "event_ref", "event_exhibit", "alert"):
        assert sorted(map(repr, after[table])) == sorted(map(repr, before[table]))


def test_nothing_is_repaired_by_a_log_that_is_not_whole(hurt: Custody, made: Path) -> None:
    changed = spoil(path_of(hurt))
    tiles = (hurt.workspace.objects / "log/tile/entries/000.p").iterdir()
    tile = max(tiles, key=lambda path: int(path.name))
    tile.unlink()
    with pytest.raises(IntegrityError) as caught:
        mend(hurt, FIRST, made / "backups")
    assert "custody republish" in caught.value.remedy
    assert path_of(hurt).read_bytes() == changed


def test_a_full_disk_leaves_the_damage_as_it_was(
    hurt: Custody, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = spoil(path_of(hurt))

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("storage.directory.copy_expected", full)
        outcome = mend(hurt, FIRST, made / "backups")
    assert "No space left" in outcome.left[0]["why"]
    assert path_of(hurt).read_bytes() == changed
    assert mend(hurt, FIRST, made / "backups").ok


def test_a_file_that_cannot_be_read_is_set_aside_whole(
    hurt: Custody, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that gives an error for its bytes: the file keeps its place on the disk."""
    path = path_of(hurt)
    inode = path.stat().st_ino
    key = str(path.relative_to(hurt.workspace.objects))
    real = type(hurt.objects).open
    broken = [True]

    def unreadable(self: Any, ref: Any) -> Any:
        if ref.key == key and broken[0]:
            raise HostError("object cannot be read: Input/output error")
        return real(self, ref)

    def put_back(self: Any, *arguments: Any) -> Any:
        broken[0] = False
        return real_put(self, *arguments)

    real_put = type(hurt.objects).put_back
    spoil(path)
    monkeypatch.setattr(type(hurt.objects), "open", unreadable)
    monkeypatch.setattr(type(hurt.objects), "put_back", put_back)
    outcome = mend(hurt, FIRST, made / "backups")
    assert outcome.ok
    aside = path.parents[1] / "damaged" / f"unreadable-{path.name}"
    assert aside.stat().st_ino == inode
    assert outcome.repaired[0]["damaged"]["fingerprint"] is None


def test_sources_are_tried_in_their_order_and_a_file_is_one(
    hurt: Custody, made: Path, tmp_path: Path
) -> None:
    spoil(path_of(hurt))
    lone = tmp_path / "来自光盘.bin"
    lone.write_bytes(FILES["a.txt"])
    (tmp_path / "empty").mkdir()
    outcome = mend(hurt, FIRST, tmp_path / "empty", lone, made / "backups")
    assert outcome.repaired[0]["source"] == str(lone)


def test_disposal_takes_the_damaged_bytes_with_the_case(hurt: Custody, made: Path) -> None:
    from tasks import disposing
    from tests.tasks.test_fixity import START

    changed = spoil(path_of(hurt))
    mend(hurt, FIRST, made / "backups")
    late = replace(hurt, clock=lambda: START.replace(year=2060))
    hurt.objects._clock = lambda: START.replace(year=2060)  # type: ignore[attr-defined]
    listed = disposing.list_disposal(late, CASE_NO)
    assert any(item.role == "damaged" for item in listed.items)
    done = disposing.dispose(
        late, CASE_NO, by="张伟", second="李娜", reason="期满", digest=listed.digest
    )
    assert done["ok"], done
    assert not [p for p in _files(hurt.workspace.objects) if p.read_bytes() == changed]


def test_a_source_is_a_place_that_is_there() -> None:
    sources: list[Source] = open_sources(Settings(), [])
    assert sources == []
