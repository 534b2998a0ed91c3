"""Opinions come back into a real house: signed, on paper, misdirected, altered, corrected."""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from unittest.mock import Mock

import pytest
from pypdf import PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from appraisal import acts
from appraisal.commission import State
from appraisal.confirmations import confirm, send_back
from appraisal.desk import Desk
from deploy.sample.opinion import make_opinion
from deploy.sample.sheet import SONG
from storage.catalogue import queries
from storage.custody import Custody, Recorded
from storage.errors import HostError, InputError, StateError, TransientError
from storage.event import Action, CustodyEvent
from tasks import returning
from tasks.opinion_document import TRUST, anchors
from tasks.quarantine import list_refused
from tasks.reader.job import Job
from tasks.reader.process import Cell, CellFailure, LostWorker
from tasks.returning import collect
from tests.appraisal.made import opinion_fields
from tests.house import events
from tests.tasks.reader.signed_made import Signers, repainted
from tests.tasks.sent import CLERK, FILES, NUMBER, OFFICER, case_house, send

SIGNERS = Signers()
PAPER = {"signatures", "seal"}


@pytest.fixture
def custody(tmp_path: Path) -> Iterator[Custody]:
    """A house whose commission the agency has accepted, and which trusts the signers' authority."""
    files = {"名单.txt": FILES["名单.txt"], "报价.txt": b"quote"}
    with case_house(tmp_path, files) as found:
        digest = send(found)["package_digest"]
        Desk(found).step(NUMBER, acts.accept(CLERK, found.now(), digest))
        (found.workspace.keys / TRUST).write_bytes(SIGNERS.authority.pem)
        yield found


def printed(custody: Custody, **changes: Any) -> bytes:
    """Return the opinion's PDF as the agency prints it, unsigned."""
    pdfmetrics.registerFont(TTFont("Song", str(SONG)))
    digest = sent_digest(custody)
    brief = Desk(custody).commission(NUMBER).brief
    asked = "、".join(each.question for each in brief.matters)
    day = brief.matters[0].reference_date
    told = {"client": f"{brief.client}委托，基准日{day}", "asked": asked}
    digest_line = f"材料包校验值（SHA-256）：{digest}"
    lines = {"no": NUMBER, "digest": digest_line, **told, **changes}
    buffer = io.BytesIO()
    pen = Canvas(buffer, A4, invariant=1)
    pen.setFont("Song", 10)
    for number, text in enumerate(lines.values()):
        pen.drawString(40, 800 - 20 * number, text)
    pen.save()
    return buffer.getvalue()


def give(
    custody: Custody, folder: Path, document: bytes, name: str = "opinion.pdf", **changes: Any
) -> dict[str, Any]:
    """Return an opinion with particulars that are right, but for the changes."""
    fields = opinion_fields(
        commission_no=NUMBER,
        issued_at=custody.now()[:10],
        materials_listed=["E0001", "E0002"],
        package_digest_stated=f"sha256:{sent_digest(custody)}",
    )
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(document)
    told = folder / "told.yaml"
    told.write_text(json.dumps(fields | changes, ensure_ascii=False))
    return collect(custody, NUMBER, str(folder / name), str(told), by="周静", at=None)


def sent_digest(custody: Custody) -> str:
    return Desk(custody).commission(NUMBER).package_digest


def failing(outcome: dict[str, Any]) -> dict[str, str]:
    return {each["code"]: each["state"] for each in outcome["findings"] if not each["ok"]}


def exhibits(custody: Custody) -> int:
    with custody.read() as session:
        (case,) = queries.list_cases(session)
        return len(queries.list_exhibits(session, case["case_id"]))


def test_ap_08_ap_09_a_signed_opinion_is_an_exhibit_and_closes(
    custody: Custody, tmp_path: Path
) -> None:
    """AP-08, AP-09: every check holds; exhibit and commission name each other; copies counted."""
    outcome = give(custody, tmp_path / "in", SIGNERS.all(printed(custody)))
    assert (outcome["ok"], outcome["to_confirm"], failing(outcome)) == (True, [], {})
    desk = Desk(custody)
    back = desk.commission(NUMBER).opinion
    assert back is not None
    assert ([back.exhibit_id], back.opinion.copies) == (outcome["exhibits"], 3)
    with custody.read() as session:
        row = queries.find_exhibit(session, back.exhibit_id)
    assert row["kind"] == "appraisal_opinion"
    assert row["item"]["extra"]["commission_no"] == NUMBER
    (event,) = events(custody, Action.RETURNED)
    assert list(event.exhibits) == outcome["exhibits"]
    desk.step(NUMBER, acts.close(OFFICER, custody.now()))
    assert desk.commission(NUMBER).state is State.CLOSED


def test_ap_08_paper_is_confirmed_by_people_each_on_record(
    custody: Custody, tmp_path: Path
) -> None:
    """AP-08: what no program can see, a person says they saw, and the log has it."""
    outcome = give(custody, tmp_path / "in", printed(custody))
    assert failing(outcome) == dict.fromkeys(PAPER, "confirm")
    assert set(outcome["to_confirm"]) == PAPER
    desk = Desk(custody)
    with pytest.raises(StateError):
        desk.step(NUMBER, acts.close(OFFICER, custody.now()))
    before = len(events(custody, Action.COMMISSION))
    for code, seen in (("signatures", "两处手写签名"), ("seal", "红色印章，编号清晰")):
        found = desk.commission(NUMBER)
        step = confirm(found, [code], seen, OFFICER, custody.now(), second="王芳")
        desk.step(NUMBER, step)
        desk.step(NUMBER, step)  # A second click is no second confirmation.
    recorded = events(custody, Action.COMMISSION)[before:]
    assert len(recorded) == 2
    assert "两处手写签名" in json.dumps(recorded[0].details, ensure_ascii=False)
    desk.step(NUMBER, acts.close(OFFICER, custody.now()))
    back = desk.commission(NUMBER).opinion
    assert back is not None
    assert {each.by for each in back.findings if each.code in PAPER} == {"李明"}


def test_without_trusted_authorities_intact_signatures_wait_for_a_person(
    custody: Custody, tmp_path: Path
) -> None:
    (custody.workspace.keys / TRUST).unlink()
    outcome = give(custody, tmp_path / "in", SIGNERS.all(printed(custody)))
    assert failing(outcome) == dict.fromkeys(PAPER, "confirm")
    told = {each["code"]: each["text_zh"] for each in outcome["findings"]}
    assert "完好" in told["seal"]
    assert "未核验" in told["seal"]


def test_an_opinion_that_was_altered_after_signing_is_taken_and_named(
    custody: Custody, tmp_path: Path
) -> None:
    """AP-08: the bytes are kept as they came; the checks say that they are not those signed."""
    signed = SIGNERS.all(printed(custody))
    at = signed.index(b"/MediaBox") - 3
    altered = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
    for number, document in enumerate((altered, repainted(signed))):
        outcome = give(custody, tmp_path / f"in{number}", document)
        found = failing(outcome)
        assert "failed" in {found.get(f"signature_{n}") for n in (1, 2, 3)}
        assert set(found) >= PAPER
        with custody.read() as session:
            row = queries.find_exhibit(session, outcome["exhibits"][0])
        assert row["fingerprint"]["size"] == len(document)
        desk = Desk(custody)
        desk.step(NUMBER, send_back(desk.commission(NUMBER), OFFICER, custody.now()))
        assert "signature_" in desk.commission(NUMBER).returned[-1].sent_back


def test_an_opinion_that_prints_another_package_is_named(custody: Custody, tmp_path: Path) -> None:
    """AP-07, AP-08: the particulars are right, and the document is not."""
    other = "0f" * 32
    document = SIGNERS.all(printed(custody, digest=f"材料包校验值（SHA-256）：{other}"))
    outcome = give(custody, tmp_path / "in", document)
    assert failing(outcome) == {"printed_digest": "failed"}
    (text,) = [each for each in outcome["findings"] if each["code"] == "printed_digest"]
    assert other in text["text_zh"]


@pytest.mark.parametrize(
    ("document", "changes", "code", "words"),
    [
        (b"PK\x03\x04 a spreadsheet", {}, "wrong_type", ("不是PDF", "no PDF")),
        (None, {"commission_no": "沪市监鉴委〔2026〕8号"}, "other_commission", ("8号", "answers")),
    ],
)
def test_what_cannot_be_this_opinion_is_refused_and_kept(
    custody: Custody, tmp_path: Path, document: bytes | None, changes: Any, code: str, words: Any
) -> None:
    """AP-08: nothing is recorded against the commission, and nothing is lost."""
    before = Desk(custody).history(NUMBER)
    data = document or printed(custody)
    with pytest.raises(InputError) as error:
        give(custody, tmp_path / "in", data, **changes)
    assert error.value.facts["code"] == code
    assert all(word in error.value.message for word in words)
    assert error.value.remedy
    (kept,) = list_refused(custody)
    assert kept["accession"] == error.value.facts["accession"]
    assert kept["codes"] == [code]
    assert Desk(custody).history(NUMBER) == before
    assert exhibits(custody) == 2
    # The right one can be returned at once.
    assert set(failing(give(custody, tmp_path / "again", printed(custody)))) == PAPER


def test_an_opinion_that_nobody_can_open_is_taken_and_said_so(
    custody: Custody, tmp_path: Path
) -> None:
    writer, buffer = PdfWriter(clone_from=io.BytesIO(printed(custody))), io.BytesIO()
    writer.encrypt("known to the agency alone", algorithm="AES-256")
    writer.write(buffer)
    outcome = give(custody, tmp_path / "in", buffer.getvalue())
    assert failing(outcome)["readable"] == "confirm"
    (text,) = [each for each in outcome["findings"] if each["code"] == "readable"]
    assert "无法打开" in text["text_zh"]


def test_the_same_again_is_the_same(custody: Custody, tmp_path: Path) -> None:
    document = SIGNERS.all(printed(custody))
    first = give(custody, tmp_path / "in", document)
    assert give(custody, tmp_path / "copy", document) == first
    desk = Desk(custody)
    assert (exhibits(custody), len(desk.commission(NUMBER).returned)) == (3, 1)
    with pytest.raises(StateError, match="不等待"):
        give(custody, tmp_path / "other", document, opinion_no="另一份")
    desk.step(NUMBER, acts.close(OFFICER, custody.now()))
    assert give(custody, tmp_path / "late", document) == first


def test_a_return_that_was_cut_off_is_continued_as_the_same_exhibit(
    custody: Custody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off at every write in turn; at the end there is one exhibit, and it counts."""
    document, real, done = printed(custody), Custody.record, 0

    def cut(self: Custody, found: Sequence[CustodyEvent]) -> list[Recorded]:
        nonlocal made
        made += 1
        if made > done:
            raise KeyboardInterrupt
        return real(self, found)

    with monkeypatch.context() as patch:
        patch.setattr(Custody, "record", cut)
        while True:
            made = 0
            try:
                outcome = give(custody, tmp_path / "in", document)
                break
            except KeyboardInterrupt:
                done += 1
    assert done >= 3
    assert exhibits(custody) == 3
    (back,) = Desk(custody).commission(NUMBER).returned
    assert [back.exhibit_id] == outcome["exhibits"]


def test_what_replaced_a_document_that_was_cut_off_is_not_taken_for_it(
    custody: Custody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is the same; the exhibit that counts has the bytes that were given last."""
    with monkeypatch.context() as patch:
        patch.setattr(returning, "look", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            give(custody, tmp_path / "in", printed(custody))
    document = printed(custody, note="the right scan")
    (exhibit,) = give(custody, tmp_path / "in", document)["exhibits"]
    with custody.read() as session:
        row = queries.find_exhibit(session, exhibit)
    assert row["fingerprint"]["digests"]["sha256"] == hashlib.sha256(document).hexdigest()


def test_of_two_opinions_at_once_one_is_the_exhibit(custody: Custody, tmp_path: Path) -> None:
    documents = [printed(custody, note=str(number)) for number in range(2)]
    together, told = Barrier(2), []

    def returned(number: int) -> None:
        together.wait()
        try:
            told.append(give(custody, tmp_path / f"in{number}", documents[number]))
        except StateError as error:
            told.append({"error": error})

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(returned, range(2)))
    assert sorted("error" in each for each in told) == [False, True]
    assert (exhibits(custody), len(Desk(custody).commission(NUMBER).returned)) == (3, 1)


@pytest.mark.parametrize("lost", [False, True])
def test_a_reader_that_breaks_is_no_verdict_on_the_opinion(
    custody: Custody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    """A document that breaks its reader waits for a person; a worker that is lost, for another."""
    real, document = Cell.ask, SIGNERS.all(printed(custody))

    def broken(cell: Cell, job: Job, *more: Any) -> object:
        if job.kind not in ("inspect", "signatures"):
            return real(cell, job, *more)
        raise LostWorker("killed") if lost else CellFailure("crash", "a signal")

    with monkeypatch.context() as patch:
        patch.setattr(Cell, "ask", broken)
        if lost:
            with pytest.raises(TransientError):
                give(custody, tmp_path / "in", document)
            assert exhibits(custody) == 2
        else:
            outcome = give(custody, tmp_path / "in", document)
            printed_ones = {"printed_digest", "printed_number", "printed_matters"}
            wanted = {*PAPER, *printed_ones, "signature_form", "readable"}
            assert failing(outcome) == dict.fromkeys(wanted, "confirm")
    if lost:
        assert give(custody, tmp_path / "in", document)["ok"]
    assert exhibits(custody) == 3


def test_particulars_that_were_wrong_are_returned_with_the_same_document(
    custody: Custody, tmp_path: Path
) -> None:
    document = SIGNERS.all(printed(custody))
    wrong = give(custody, tmp_path / "in", document, package_digest_stated="0" * 64)
    assert failing(wrong) == {"package_digest": "failed"}
    desk = Desk(custody)
    desk.step(NUMBER, send_back(desk.commission(NUMBER), OFFICER, custody.now()))
    right = give(custody, tmp_path / "again", document)
    assert (right["ok"], right["exhibits"]) == (True, wrong["exhibits"])
    assert exhibits(custody) == 3


def test_a_correction_is_an_exhibit_of_its_own_that_names_the_opinion(
    custody: Custody, tmp_path: Path
) -> None:
    """AP-09, AP-14: 补正 refers to the opinion it corrects, also after closing (JAG art. 41)."""
    give(custody, tmp_path / "in", SIGNERS.all(printed(custody)))
    desk = Desk(custody)
    desk.step(NUMBER, acts.close(OFFICER, custody.now()))
    first = desk.commission(NUMBER).returned[0].opinion.opinion_no
    corrected = SIGNERS.all(printed(custody, note="补正：第3页笔误"))
    told = {"opinion_no": "补正1号", "correction_of": first}
    outcome = give(custody, tmp_path / "more", corrected, **told)
    assert outcome["ok"]
    found = desk.commission(NUMBER)
    (made,) = found.corrections
    assert ([made.exhibit_id], made.document, found.state) == (
        outcome["exhibits"], "补正1号", State.CLOSED,
    )  # fmt: skip
    with custody.read() as session:
        row = queries.find_exhibit(session, made.exhibit_id)
    assert row["item"]["extra"] == {"commission_no": NUMBER, "correction_of": first}
    assert give(custody, tmp_path / "twice", corrected, **told) == outcome
    assert exhibits(custody) == 4


def test_the_sample_opinion_is_signed_by_whom_its_workspace_trusts(
    custody: Custody, tmp_path: Path
) -> None:
    """What the demonstration returns is verified, and not confirmed by a person."""
    root = custody.workspace.root
    (root / ".demo").touch()
    agency = Desk(custody).agency("SJ").name
    brief = Desk(custody).commission(NUMBER).brief
    asked = [f"{each.question}（基准日{each.reference_date}）" for each in brief.matters]
    told = opinion_fields(
        commission_no=NUMBER,
        package_digest_stated=sent_digest(custody),
        basis=[f"受{brief.client}委托", *asked],
    )
    make_opinion(root / "opinion.pdf", told, agency)
    outcome = give(custody, tmp_path / "in", (root / "opinion.pdf").read_bytes())
    assert (outcome["ok"], failing(outcome)) == (True, {})


def test_a_file_of_authorities_that_cannot_be_used_is_the_hosts_fault(custody: Custody) -> None:
    assert len(anchors(custody)) == 1
    path = custody.workspace.keys / TRUST
    for text in ("no certificate", SIGNERS.authority.pem.decode() * 200):
        path.write_text(text)
        with pytest.raises(HostError) as error:
            anchors(custody)
        assert error.value.remedy
