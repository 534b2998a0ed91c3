"""Material supplied later is a package of its own, with its own digest, proofs and letter."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pypdf
import pyrage
import pytest

from appraisal import acts
from appraisal.agency_desk import AgencyDesk
from appraisal.desk import Desk
from appraisal.states import State
from storage.custody import Custody
from storage.errors import InputError, IntegrityError, StateError
from storage.event import Action
from tasks import supplying
from tasks.answering import take_answer
from tasks.handing_out import files_of, open_package
from tasks.packing import Packed
from tasks.supplying import build_supplement
from tests.appraisal import desk_made
from tests.appraisal.test_answer_file import filled
from tests.house import events
from tests.tasks.sent import CLERK, NUMBER, OFFICER, case_house, send

FILES = {f"{number}.txt": f"exhibit {number}".encode() for number in range(1, 6)}


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[tuple[Custody, AgencyDesk]]:
    with case_house(tmp_path, FILES) as custody:
        digest = send(custody, "E0001", "E0002")["package_digest"]
        desk = AgencyDesk(Desk(custody), "SJ", CLERK)
        desk.receive(NUMBER, digest)
        desk.accept(NUMBER)
        desk.request_supplement(NUMBER, "往来邮件")
        yield custody, desk


def supply(custody: Custody, *exhibits: str) -> dict[str, str]:
    return build_supplement(custody, NUMBER, [{"exhibit": each} for each in exhibits], OFFICER)


def data_of(custody: Custody, which: str) -> bytes:
    return b"".join(open_package(custody, NUMBER, which, agency_id="SJ").open_range())


def test_ap_07_a_supplement_has_its_own_package_digest_and_receipt(asked) -> None:
    custody, desk = asked
    first = data_of(custody, "package")
    sent = supply(custody, "E0004")
    assert sent["package_digest"] == open_package(custody, NUMBER, "S1").sha256
    with zipfile.ZipFile(io.BytesIO(data_of(custody, "S1"))) as archive:
        names = {each.partition("/")[2] for each in archive.namelist()}
        said = json.loads(archive.read(next(n for n in archive.namelist() if "statement" in n)))
    assert "data/E0004.txt" in names
    assert not any("E0001" in each for each in names)
    assert (len(said["exhibits"]), said["not_shown"]) == (1, 4)
    printed = "".join(
        page.extract_text()
        for page in pypdf.PdfReader(io.BytesIO(data_of(custody, "S1-letter"))).pages
    ).replace("\n", "")
    assert sent["package_digest"] in printed
    assert f"{NUMBER}/S1" in printed
    assert "载明的仍是委托书上材料包的数值" in printed
    assert data_of(custody, "package") == first, "what was sent before stays what it was"
    found = Desk(custody).commission(NUMBER).supplements[0]
    assert found.package is not None
    assert found.package.sha256 == sent["package_digest"]
    with pytest.raises(IntegrityError):
        desk.receive_supplement(NUMBER, package_digest="0" * 64)
    after = desk.receive_supplement(NUMBER, package_digest=sent["package_digest"])
    assert after.state is not State.PAUSED
    about = [e.details.get("supplement") for e in events(custody, Action.RELEASED)]
    assert about == [None, 1]


def test_ap_07_a_supplement_is_received_by_the_answer_file_in_it(asked) -> None:
    custody, desk = asked
    sent = supply(custody, "E0003")
    with zipfile.ZipFile(io.BytesIO(data_of(custody, "S1"))) as archive:
        form = archive.read(next(each for each in archive.namelist() if "answer.txt" in each))
    said = {"package": sent["package_digest"], "answer": "签收", "date": custody.now()[:10]}
    with pytest.raises(InputError, match="nothing else"):
        take_answer(custody, filled(form, **{**said, "answer": "受理"}).encode())
    first = Desk(custody).commission(NUMBER).package_digest
    with pytest.raises(InputError, match="differs from the record"):
        take_answer(custody, filled(form, **{**said, "package": first}).encode())
    receipt = filled(form, **said).encode()
    assert take_answer(custody, receipt)["state"] in ("accepted", "in_progress")
    desk.request_supplement(NUMBER, "再补一份")
    desk_made.supply(custody, NUMBER, "E0004")
    with pytest.raises(InputError, match="supplement 1 was received"):
        take_answer(custody, receipt)
    assert desk.commission(NUMBER).state is State.PAUSED, "an old receipt is not that of the next"


def test_the_second_supplement_is_another_package(asked) -> None:
    custody, desk = asked
    one = supply(custody, "E0003")
    desk.receive_supplement(NUMBER, package_digest=one["package_digest"])
    desk.request_supplement(NUMBER, "再补一份")
    two = supply(custody, "E0004", "E0005")
    assert {each["which"] for each in files_of(custody, NUMBER)} >= {"package", "S1", "S2"}
    assert data_of(custody, "S1") != data_of(custody, "S2")
    assert one["package_digest"] != two["package_digest"]


def test_what_is_not_asked_for_or_went_out_already_is_refused_before_anything_is_built(
    asked,
) -> None:
    custody, desk = asked
    folder = Desk(custody).commission(NUMBER).brief.commission_id
    before = sorted(custody.working.keys(folder))
    with pytest.raises(InputError, match="E0001"):
        supply(custody, "E0001")
    with pytest.raises(InputError):
        supply(custody)
    assert (
        sorted(custody.working.keys(Desk(custody).commission(NUMBER).brief.commission_id)) == before
    )
    sent = supply(custody, "E0003")
    assert supply(custody, "E0003")["package_digest"] == sent["package_digest"], (
        "once, however often"
    )
    with pytest.raises(StateError):
        supply(custody, "E0004")
    desk.receive_supplement(NUMBER, package_digest=sent["package_digest"])
    with pytest.raises(StateError):
        supply(custody, "E0004")


def test_of_two_supplements_at_once_one_goes_out_and_nothing_of_the_other_is_left(
    asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AP-07: also where the one that comes second was begun later; what went out stays whole."""
    custody, _ = asked
    real, first = supplying.pack, []

    def overtaken(*order) -> Packed:  # type: ignore[no-untyped-def]
        monkeypatch.setattr(supplying, "pack", real)
        packed = real(*order)
        first.append(supply(custody, "E0004")["package_digest"])
        return packed

    monkeypatch.setattr(supplying, "pack", overtaken)
    now = datetime.fromisoformat(custody.now()) + timedelta(seconds=9)
    with pytest.raises(StateError, match="went out just now"):
        supply(replace(custody, clock=lambda: now), "E0003")
    (last,) = Desk(custody).commission(NUMBER).supplements
    assert [each.number for each in last.supplied] == ["E0004"]
    assert [hashlib.sha256(data_of(custody, "S1")).hexdigest()] == first
    folder = Desk(custody).commission(NUMBER).brief.commission_id
    kept = {key for key in custody.working.keys(folder) if len(key.split("/")[1]) == 64}
    assert kept == {row["key"] for row in files_of(custody, NUMBER)}


def test_a_supplement_that_was_cut_off_between_its_steps_is_finished(
    asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    custody, _ = asked
    monkeypatch.setattr(acts, "_PART_BYTES", 10)
    step, calls = Desk.step, []

    def stops(self: Desk, number: str, transition):  # type: ignore[no-untyped-def]
        calls.append(transition)
        if len(calls) == 2:
            raise OSError("killed")
        return step(self, number, transition)

    monkeypatch.setattr(Desk, "step", stops)
    with pytest.raises(OSError, match="killed"):
        supply(custody, "E0003", "E0004", "E0005")
    monkeypatch.setattr(Desk, "step", step)
    supply(custody, "E0003", "E0004", "E0005")
    last = Desk(custody).commission(NUMBER).supplements[-1]
    assert [each.number for each in last.supplied] == ["E0003", "E0004", "E0005"]
    assert data_of(custody, "S1")


def test_a_supplement_is_encrypted_to_the_agencys_key_too(tmp_path: Path) -> None:
    secret = pyrage.x25519.Identity.generate()
    with case_house(tmp_path, FILES, {"encryption_key": str(secret.to_public())}) as custody:
        digest = send(custody, "E0001")["package_digest"]
        desk = AgencyDesk(Desk(custody), "SJ", CLERK)
        desk.receive(NUMBER, digest)
        desk.accept(NUMBER)
        desk.request_supplement(NUMBER, "往来邮件")
        sent = supply(custody, "E0003")
        opened = pyrage.decrypt(data_of(custody, "S1"), [secret])
        assert hashlib.sha256(opened).hexdigest() == sent["package_digest"]
        desk.receive_supplement(NUMBER, package_digest=sent["package_digest"])
