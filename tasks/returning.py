"""Returning: an opinion comes in as evidence, is checked, and closes the circle.

The opinion and its particulars go through the same steps as any bundle (fingerprint, received,
stored, receipt), so that it stands in the same log under the same proofs. (RULES AP-08, AP-09.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from appraisal import acts
from appraisal.checks import check_opinion
from appraisal.clocks import local_day
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.opinion import Opinion
from storage.catalogue import intents, queries
from storage.custody import Custody
from storage.errors import InputError, StateError
from storage.listing import bundle_digest
from storage.nouns import EvidenceForm, EvidenceKind, Item, Manifest, Person
from storage.spelling import spell
from tasks.bundle import Arrival, Bundle, File, Verdict, batches
from tasks.claims import claim_file, finish
from tasks.filled import read_fields
from tasks.reading import shared_pool
from tasks.receiving import receive, take_files
from tasks.settling import settle
from tasks.storing import gather, move_originals


def collect(
    custody: Custody, number: str, pdf: str, fields: str, *, by: str, at: str | None
) -> dict[str, Any]:
    """Take an opinion in, check it, and record its return.

    Raises:
        StateError: the commission does not wait for an opinion.
        InputError: a file is missing, or the particulars are not of their form.
    """
    desk = Desk(custody)
    commission = desk.commission(number)
    if not commission.awaits_opinion:
        raise StateError(
            f"委托书{number}当前不等待意见书 the commission does not wait for an opinion: "
            f"it is {commission.state.value}",
            remedy="see 'custody commission show'",
        )
    opinion = Opinion.parse(read_fields(shared_pool(), Path(fields)))
    agency = desk.agency(commission.agency_id)
    actor = Person(by or agency.contacts[0]["name"], unit=agency.name)
    when = at or custody.now()
    bundle = _receive(custody, commission, Path(pdf), Path(fields))
    exhibit = _accession(custody, commission, bundle, opinion, actor, when)
    received = local_day(when, desk.rules(commission))
    least = desk.rules(commission).appraisers
    findings = check_opinion(opinion, commission, agency, received, least)
    desk.step(number, acts.return_opinion(opinion, exhibit, findings, actor, when))
    finish(custody, bundle.accession)
    return {
        "commission_no": number,
        "accession": bundle.accession,
        "exhibits": [exhibit],
        "findings": [each.as_json() for each in findings],
        "ok": all(each.ok for each in findings),
    }


def _receive(custody: Custody, commission: Commission, pdf: Path, fields: Path) -> Bundle:
    for path in (pdf, fields):
        if not path.is_file() or path.is_symlink():
            raise InputError(f"there is no file {path}", remedy="check the name")
    claim = claim_file(custody, pdf, commission.agency_id)
    files = [
        File("opinion" + pdf.suffix.lower(), str(pdf.absolute()), pdf.stat().st_size),
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
    folder = custody.workspace.packages / commission.brief.commission_id / bundle.accession
    answer = settle(custody, verdict, gather(parts), str(folder))
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
        extra={"commission_no": commission.commission_no},
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
