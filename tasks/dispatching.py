"""Dispatching: the package and the letter are made, and the commission goes on the queue.

The package's digest is recorded with the step and printed on the letter; both files lie under
``packages/<commission>/``. Made again after a crash, they are replaced: until the step is on
record nothing has left the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appraisal import acts
from appraisal.clocks import local_day
from appraisal.commission import Commission, State
from appraisal.desk import Desk
from appraisal.letter import commission_letter
from appraisal.material import Material
from appraisal.package import PackageInfo, Proof, build_package
from storage.catalogue import queries
from storage.custody import VERSION, Custody
from storage.digest import Fingerprint, fingerprint_bytes
from storage.errors import StateError
from storage.nouns import Person
from storage.objects import ObjectRef
from storage.workspace import write_durably


def dispatch(custody: Custody, number: str, *, by: str, at: str | None) -> dict[str, Any]:
    """Build package and letter of a drafted commission and record that it was sent.

    Raises:
        StateError: the commission is not a draft.
        InputError: it may not be issued (agency, material, fields).
        IntegrityError: an exhibit is not what was recorded at intake.
    """
    desk = Desk(custody)
    commission = desk.commission(number)
    if commission.state is not State.DRAFTED:
        raise StateError(
            f"委托书{number}已发出 the commission was already sent: it is {commission.state.value}",
            remedy="see 'custody commission show'",
        )
    waived = desk.require_issuable(commission.brief, commission.materials)
    when = at or custody.now()
    actor = Person(by, unit=custody.receiver().unit) if by else custody.receiver()
    name = commission.brief.commission_id
    folder = custody.workspace.packages / name
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / f"{name}.zip"
    made = _build(custody, commission, str(package), when)
    step = acts.dispatch(made, actor, when, waived=[str(each) for each in waived])
    letter = _letter(desk, desk.preview(commission, step), made, when)
    write_durably(folder / f"{name}.letter.pdf", letter)
    write_durably(folder / "sha256sums.txt", f"{made.sha256}  {package.name}\n".encode())
    step = acts.dispatch(
        made,
        actor,
        when,
        waived=[str(each) for each in waived],
        letter_sha256=fingerprint_bytes(letter).sha256,
    )
    desk.step(number, step)
    return {
        "commission_no": number,
        "agency": desk.agency(commission.agency_id).name,
        "package": str(package),
        "package_digest": made.sha256,
        "letter": str(folder / f"{name}.letter.pdf"),
    }


def _build(custody: Custody, commission: Commission, path: str, when: str) -> Fingerprint:
    with custody.read() as session:
        rows = {
            each.exhibit_id: queries.find_exhibit(session, each.exhibit_id)
            for each in commission.materials
        }
        cited = [
            _citation(each.number, reading)
            for each in commission.materials
            if (reading := queries.find_reading(session, each.exhibit_id)) is not None
        ]
        total = len(queries.list_exhibits(session, commission.brief.case_id))
    reader = custody.log.reader()
    proofs = [
        Proof(
            each.number,
            custody.log.leaf(rows[each.exhibit_id]["event_index"]),
            reader.prove(rows[each.exhibit_id]["event_index"]).encode(),
        )
        for each in commission.materials
    ]
    brief = commission.brief

    def open_original(material: Material) -> Any:
        return custody.objects.open(ObjectRef.from_json(rows[material.exhibit_id]["object"]))

    return build_package(
        Path(path),
        commission.materials,
        open_original,
        proofs,
        custody.log.checkpoint_text().encode(),
        custody.workspace.log_public_key.read_bytes(),
        PackageInfo(
            name=brief.commission_id,
            commission_no=brief.commission_no,
            case_no=brief.case_no,
            client=brief.client,
            contact=f"{brief.contact.name} {brief.contact.phone}".strip(),
            date=when[:10],
            software=f"zhenglian {VERSION}",
            withheld=total - len(commission.materials),
            commission=brief.as_json(),
            readings=cited,
        ),
    )


def _citation(number: str, reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return which reading of an exhibit is in force, for an opinion to cite."""
    told = reading["details"]
    return {
        "exhibit": number,
        "evidence": False,
        "log_index": reading["event_index"],
        "state": told["state"],
        "transcript": told["fingerprint"],
        "engines": list(told.get("engines", ())),
        "tools": dict(told["tools"]),
        "settings": dict(told["settings"]),
    }


def _letter(desk: Desk, sent: Commission, made: Fingerprint, when: str) -> bytes:
    rules = desk.rules(sent)
    agency = desk.agency(sent.agency_id)
    return commission_letter(sent, agency, made, local_day(when, rules), rules, desk.calendar)
