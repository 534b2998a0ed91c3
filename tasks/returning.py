"""Returning: an opinion comes in as evidence, is checked, and closes the circle.

The opinion and its particulars go through the same steps as any bundle (fingerprint, received,
stored, receipt), so that it stands in the same log under the same proofs. What is no PDF, or
names another commission, is refused before anything is recorded against this one; its bytes are
kept in quarantine. The same document again is the same exhibit; a corrected one (补正) becomes an
exhibit of its own that names the opinion it corrects. Of two opinions at once for a commission
the second waits for the first, and is told before anything of it is recorded. (RULES AP-08,
AP-09; JAG art. 41; decision 0029.)
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from appraisal import acts
from appraisal.checks import check_opinion, earlier_signers
from appraisal.clocks import local_day
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.opinion import Opinion, OpinionFinding, Outcome
from appraisal.signatures import DocumentSeen
from appraisal.step import Kind, Transition
from appraisal.transitions import History, allowed
from storage.catalogue import intents, queries
from storage.catalogue.exclusive import exclusive
from storage.custody import Custody
from storage.digest import equal
from storage.errors import BusyError, InputError, StateError
from storage.listing import bundle_digest
from storage.nouns import EvidenceForm, EvidenceKind, Item, Manifest, Person
from storage.objects import ObjectRef
from storage.spelling import spell
from tasks.bundle import Arrival, Bundle, File, Verdict, batches
from tasks.claims import claim_file, finish
from tasks.filled import read_fields
from tasks.manifest_mistakes import Mistake
from tasks.opinion_document import PDF, look
from tasks.reading import shared_pool
from tasks.receiving import receive, take_files
from tasks.settling import settle
from tasks.storing import gather, move_originals

_DOCUMENT = "opinion"
_WAIT_SECONDS = 10.0


def collect(
    custody: Custody, number: str, pdf: str, fields: str, *, by: str | Person, at: str | None
) -> dict[str, Any]:
    """Take an opinion in, check it, and record its return; the same again answers the same.

    Returns the commission's number, the accession, the exhibit, every finding, whether nothing
    stands against closing (``ok``), and which checks wait for a person (``to_confirm``).

    Raises:
        StateError: the commission does not wait for an opinion.
        InputError: a file is missing, the particulars are not of their form, or the document is
            no PDF or answers another commission; then ``facts["accession"]`` is where it is kept.
        BusyError: another opinion of the commission is being taken in.
    """
    opinion = Opinion.parse(read_fields(shared_pool(), Path(fields)))
    _require_file(Path(pdf))
    with _alone(custody, number):
        return _collected(custody, number, Path(pdf), Path(fields), opinion, by, at)


@contextmanager
def _alone(custody: Custody, number: str) -> Iterator[None]:
    """Take in one opinion of a commission at a time, so that of two at once one is the exhibit."""
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        with exclusive(custody.database, f"opinion {number}") as held:
            if held:
                yield
                return
        if time.monotonic() > until:
            raise BusyError(
                f"委托书{number}的另一份意见书正在接收 another opinion of it is being taken in",
                remedy="请稍后再试 try again in a moment",
            )
        time.sleep(0.05)


def _collected(
    custody: Custody,
    number: str,
    pdf: Path,
    fields: Path,
    opinion: Opinion,
    by: str | Person,
    at: str | None,
) -> dict[str, Any]:
    desk = Desk(custody)
    history = desk.history(number)
    commission, sha256 = history.commission, _sha256(pdf)
    same = _exhibit_of(custody, commission, sha256)
    if same and (known := _known(custody, history, same, opinion)) is not None:
        return known
    correcting = _corrects(commission, opinion)
    if not commission.awaits_opinion and not correcting:
        raise _not_awaited(commission, opinion)
    agency = desk.agency(commission.agency_id)
    if not isinstance(by, Person):
        by = Person(by or agency.contacts[0]["name"], unit=agency.name)
    when = at or custody.now()
    if same:
        # It was sent back for its particulars alone: those are in the step's record.
        row = _row(custody, same)
        accession, exhibit = str(row["accession"]), same
        _, seen = look(custody, ObjectRef.from_json(row["object"]), when, shared_pool())
    else:
        bundle = _receive(custody, commission, pdf, fields, sha256)
        accession = bundle.accession
        kind, seen = look(custody, _document_of(bundle), when, shared_pool())
        if mistakes := _misdirected(kind, opinion, commission):
            raise _refuse(custody, commission, bundle, mistakes)
        exhibit = _accession(custody, commission, bundle, opinion, by, when)
    findings = _checked(desk, commission, opinion, seen, when)
    if correcting:
        step = _correction(opinion, exhibit, findings, by, when)
    else:
        step = acts.return_opinion(opinion, exhibit, findings, by, when)
    desk.step(number, step)
    if not same:
        finish(custody, accession)
    return _outcome(number, accession, exhibit, findings)


def _outcome(
    number: str, accession: str, exhibit: str, findings: list[OpinionFinding]
) -> dict[str, Any]:
    return {
        "commission_no": number,
        "accession": accession,
        "exhibits": [exhibit],
        "findings": [each.as_json() for each in findings],
        "ok": all(each.ok for each in findings),
        "to_confirm": [each.code for each in findings if each.state == Outcome.CONFIRM],
    }


def _checked(
    desk: Desk, commission: Commission, opinion: Opinion, seen: DocumentSeen, when: str
) -> list[OpinionFinding]:
    rules = desk.rules(commission)
    return check_opinion(
        opinion,
        commission,
        desk.agency(commission.agency_id),
        local_day(when, rules),
        rules.appraisers,
        seen,
        earlier_signers(commission.brief, desk.commission),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _exhibit_of(custody: Custody, commission: Commission, sha256: str) -> str:
    """Return the exhibit of this commission that has exactly these bytes already, or nothing."""
    exhibits = [each.exhibit_id for each in commission.returned]
    exhibits += [each.exhibit_id for each in commission.corrections if each.exhibit_id]
    for exhibit in dict.fromkeys(reversed(exhibits)):
        if equal(_row(custody, exhibit)["fingerprint"]["digests"]["sha256"], sha256):
            return exhibit
    return ""


def _known(
    custody: Custody, history: History, exhibit: str, opinion: Opinion
) -> dict[str, Any] | None:
    """Return what came of these bytes with these particulars, unless they were sent back."""
    back, number = history.commission.opinion, history.commission.commission_no
    accession = str(_row(custody, exhibit)["accession"])
    if back is not None and back.exhibit_id == exhibit and back.opinion == opinion:
        return _outcome(number, accession, exhibit, list(back.findings))
    for step in history.steps:
        if step.kind is Kind.CORRECT and step.data.get("exhibit_id") == exhibit:
            found = map(OpinionFinding.from_json, step.data.get("findings") or ())
            return _outcome(number, accession, exhibit, list(found))
    return None


def _corrects(commission: Commission, opinion: Opinion) -> bool:
    """Whether it corrects the opinion that counts, without changing its result (补正)."""
    back = commission.opinion
    if back is None or not opinion.correction_of or not allowed(commission, Kind.CORRECT):
        return False
    return opinion.correction_of == back.opinion.opinion_no


def _correction(
    opinion: Opinion, exhibit: str, findings: list[OpinionFinding], actor: Person, when: str
) -> Transition:
    what = f"补正{opinion.correction_of}"
    step = acts.correct(what, actor, when, opinion.opinion_no, exhibit)
    more = {"findings": [each.as_json() for each in findings]}
    return replace(step, data={**step.data, **more})


def _not_awaited(commission: Commission, opinion: Opinion) -> StateError:
    back = commission.opinion
    corrected = (
        f"如为补正，correction_of 应填写{back.opinion.opinion_no} "
        f"to correct it, name it as correction_of: {back.opinion.opinion_no}"
        if back is not None
        else "见 see 'custody commission show'"
    )
    return StateError(
        f"委托书{commission.commission_no}当前不等待意见书 the commission does not wait for an "
        f"opinion: it is {commission.state.value}",
        remedy=corrected,
        state=commission.state.value,
    )


def _misdirected(kind: str, opinion: Opinion, commission: Commission) -> tuple[Mistake, ...]:
    """Return why a document cannot be this commission's opinion at all."""
    found = []
    if kind != PDF:
        found.append(
            Mistake(
                "wrong_type",
                _DOCUMENT,
                f"意见书不是PDF文件，而是 {kind}",
                f"the opinion is no PDF: it is {kind}",
                "请提交签章的PDF文件",
                "return the signed PDF",
            )
        )
    stated, number = opinion.commission_no, commission.commission_no
    if stated and stated != number:
        found.append(
            Mistake(
                "other_commission",
                "commission_no",
                f"意见书是对委托书{stated}的答复，不是对{number}的",
                f"the opinion answers the commission {stated}, not {number}",
                f"请向委托书{stated}提交；编号填错的，更正后重新提交",
                f"return it to {stated}, or correct the number and return it again",
            )
        )
    return tuple(found)


def _refuse(
    custody: Custody, commission: Commission, bundle: Bundle, mistakes: tuple[Mistake, ...]
) -> InputError:
    """Keep the bytes in quarantine with the reasons, and return the error that tells of it."""
    listed = bundle_digest([each.listed() for each in bundle.files])
    verdict = Verdict(bundle, bundle.files, listed, mistakes=mistakes)
    settle(custody, verdict, gather([]), str(_folder(custody, commission, bundle)))
    finish(custody, bundle.accession)
    zh = "；".join(each.text_zh for each in mistakes)
    en = "; ".join(each.text_en for each in mistakes)
    return InputError(
        f"{zh}（原件已保存，编号{bundle.accession}）{en}; its bytes are kept as {bundle.accession}",
        remedy=" ".join(f"{each.remedy_zh} {each.remedy_en}" for each in mistakes),
        accession=bundle.accession,
        code=mistakes[0].code,
    )


def _row(custody: Custody, exhibit: str) -> dict[str, Any]:
    with custody.read() as session:
        return queries.find_exhibit(session, exhibit)


def _folder(custody: Custody, commission: Commission, bundle: Bundle) -> Path:
    return custody.workspace.packages / commission.brief.commission_id / bundle.accession


def _document_of(bundle: Bundle) -> ObjectRef:
    return next(each for each in bundle.files if Path(each.path).stem == _DOCUMENT).kept.ref


def _require_file(path: Path) -> None:
    if not path.is_file() or path.is_symlink():
        raise InputError(f"没有文件 there is no file {path}", remedy="请检查文件名 check the name")


def _receive(
    custody: Custody, commission: Commission, pdf: Path, fields: Path, sha256: str
) -> Bundle:
    """Take document and particulars into custody; what was cut off is continued.

    Neither another document in the same place nor the same for another commission continues it.
    """
    source = f"opinion {commission.commission_no} {sha256}"
    claim = claim_file(custody, pdf, commission.agency_id, source)
    files = [
        File(_DOCUMENT + pdf.suffix.lower(), str(pdf.absolute()), pdf.stat().st_size),
        File("particulars.yaml", str(fields.absolute()), fields.stat().st_size),
    ]
    arrival = Arrival(claim.accession, "opinion", str(pdf.parent), tuple(files), ())
    return receive(custody, arrival, [take_files(custody, claim.accession, files)])


def _accession(
    custody: Custody,
    commission: Commission,
    bundle: Bundle,
    opinion: Opinion,
    actor: Person,
    when: str,
) -> str:
    manifest = _manifest(custody, commission, bundle, opinion, actor, when)
    with custody.write() as session:
        first = intents.reserve_exhibits(session, bundle.accession, commission.brief.case_id, 1)
    verdict = Verdict(
        bundle,
        bundle.files,
        bundle_digest([each.listed() for each in bundle.files]),
        manifest,
        "particulars.yaml",
        first,
    )
    parts = [
        move_originals(custody, verdict.shelf, files) for files in batches(verdict.to_store, 100)
    ]
    answer = settle(custody, verdict, gather(parts), str(_folder(custody, commission, bundle)))
    return answer.exhibits[0]


def _manifest(
    custody: Custody,
    commission: Commission,
    bundle: Bundle,
    opinion: Opinion,
    actor: Person,
    when: str,
) -> Manifest:
    """Return the manifest that the house itself writes for an opinion."""
    with custody.read() as session:
        case = queries.find_case(session, commission.case_no)
    agency = actor.unit
    item = Item(
        1,
        spell(bundle.files[0].path),
        EvidenceKind.APPRAISAL_OPINION,
        EvidenceForm.ORIGINAL,
        f"鉴定意见书 {opinion.opinion_no}".strip(),
        agency,
        when,
        agency,
        "鉴定机构交回",
        "；".join(matter.question for matter in commission.brief.matters),
        extra={
            "commission_no": commission.commission_no,
            **({"correction_of": opinion.correction_of} if opinion.correction_of else {}),
        },
    )
    return Manifest(
        bundle_no=f"{commission.commission_no}/{bundle.accession}",
        case_no=case["case_no"],
        cause=case["cause"],
        unit=agency,
        officers=(custody.receiver(),),
        submitted_by=actor.name,
        submitted_at=when,
        secrecy=case["secrecy"],
        items=(item,),
    )
