"""Supplying: exhibits that an agency asked for later go out as a package of their own.

``<number>/S1`` has its own digest, its own proofs and its own letter; the package sent before
stays what it was, and so does the digest that the opinion states of it. (RULES: AP-02, AP-07,
TT-04; JAG art. 28.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from appraisal import acts
from appraisal.clocks import local_day
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.material import Material
from appraisal.states import State
from appraisal.supplement_letter import supplement_letter
from storage.custody import Custody
from storage.digest import Fingerprint
from storage.errors import StateError
from storage.nouns import Person
from tasks.dispatching import (
    answer_of,
    encrypted_for,
    kept_only_if_recorded,
    on_record,
    papers_of,
)
from tasks.filing import Filed, tidy
from tasks.handing_out import files_of
from tasks.packing import Order, pack
from tasks.reader.cell import CellPool
from tasks.reading import shared_pool


def build_supplement(
    custody: Custody,
    number: str,
    exhibits: Sequence[Mapping[str, Any]],
    by: Person,
    at: str = "",
    *,
    document: str = "",
    pool: Callable[[], CellPool] = shared_pool,
) -> dict[str, Any]:
    """Build the package of the supplement that an agency waits for, and record that it was sent.

    Repeated after a crash it goes on where it stopped; a supplement goes out once.

    Args:
        custody: the installation.
        number: the commission's number.
        exhibits: the lines of its list, chosen as in a brief (``exhibit`` and what describes it).
        by: who hands over, for the client.
        at: when, RFC 3339; empty: now.
        document: number of the letter that goes with it.
        pool: cells, asked for only if pages are to be excerpted.

    Raises:
        InputError: a line is wrong, or went out already.
        StateError: the agency asked for nothing, or has it already.
        IntegrityError: an exhibit is not what was recorded at intake.
    """
    desk, when = Desk(custody), at or custody.now()
    commission = _asked(desk, number)
    lines = desk.materials(commission.case_no, {"materials": list(exhibits)})
    agency, which = desk.agency(commission.agency_id), len(commission.supplements)
    order = Order(commission.brief, agency.name, lines, when, which)
    if commission.supplements[-1].package is not None:
        return _gone_on(desk, commission, order, by, document)
    tried = commission
    for step in acts.supply_supplement(lines, which, by, when):
        tried = desk.preview(tried, step)
    packed = pack(custody, order, pool)
    files = [packed.filed, *encrypted_for(custody, order, packed, agency.encryption_key)]
    files += papers_of(custody, order, _letter(desk, commission, order, files), files)
    said = on_record(files, packed)
    with kept_only_if_recorded(custody, number, files):
        for step in acts.supply_supplement(
            lines, which, by, when, packed.filed.fingerprint, document, **said
        ):
            desk.step(number, step)
    tidy(custody, order.folder, files, _named(custody, number))
    return answer_of(custody, number, agency.name, order, files)


def _asked(desk: Desk, number: str) -> Commission:
    commission = desk.commission(number)
    if commission.state is not State.PAUSED:
        raise StateError(
            "机构未要求补充材料 the agency asked for no supplement",
            remedy="由机构先要求补充材料 the agency asks for it first",
            state=commission.state.value,
        )
    return commission


def _letter(desk: Desk, commission: Commission, order: Order, files: Sequence[Filed]) -> bytes:
    """Return the letter; the package is the first of the files, encrypted it is the second."""
    return supplement_letter(
        order.brief,
        order.agency,
        order.number,
        commission.supplements[-1].what,
        order.materials,
        files[0].fingerprint,
        local_day(order.when, desk.rules(commission)),
        files[1].fingerprint if len(files) > 1 else None,
    )


def _gone_on(
    desk: Desk, commission: Commission, order: Order, by: Person, document: str
) -> dict[str, Any]:
    """Record what is missing of a supplement whose package is on record already."""
    last = commission.supplements[-1]
    supplied = {each.exhibit_id for each in last.supplied}
    rest: list[Material] = [each for each in order.materials if each.exhibit_id not in supplied]
    number, package = commission.commission_no, last.package
    files = [
        each
        for each in files_of(desk.custody, number, everything=True)
        if _is_of(order, each["which"])
    ]
    listed = len(supplied | {each.exhibit_id for each in order.materials})
    if package is None or (rest and listed != len(order.materials)):
        raise StateError(
            f"第{order.supplement}次补充材料已发出，待机构签收 supplement {order.supplement} went "
            "out already; the agency acknowledges it first",
            remedy="由机构签收后再次要求 the agency acknowledges it and asks again",
        )
    said = {"files": [{k: v for k, v in each.items() if k != "key"} for each in files]}
    for step in (
        acts.supply_supplement(rest, order.supplement, by, order.when, package, document, **said)
        if rest
        else ()
    ):
        desk.step(number, step)
    found = {each["which"]: each for each in files}
    letter = found[order.which("letter")]
    return {
        "commission_no": number,
        "agency": order.agency,
        "package": found[order.which("package")]["key"],
        "package_digest": Fingerprint.from_json(
            found[order.which("package")]["fingerprint"]
        ).sha256,
        "letter": letter["key"],
    }


def _is_of(order: Order, which: str) -> bool:
    name = order.which("package")
    return which == name or which.startswith(f"{name}-")


def _named(custody: Custody, number: str) -> list[str]:
    """Return the digests of everything that the commission's steps name."""
    rows = files_of(custody, number, everything=True)
    digests = [row["fingerprint"]["digests"]["sha256"] for row in rows]
    return digests + [row["pieces"] for row in rows if row["pieces"]]
