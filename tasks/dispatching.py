"""Dispatching: the package and the letter are made, and the commission goes on the queue.

The package's digest is recorded with the step and printed on the letter, which therefore lies
beside the package. All files lie among the working copies, where every host of the portal finds
them; made again after a crash, the earlier tries are removed: until the step is on record nothing
has left the house.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from appraisal import acts
from appraisal.clocks import local_day
from appraisal.commission import State
from appraisal.desk import Desk
from appraisal.letter import commission_letter
from storage.custody import Custody
from storage.errors import StateError
from storage.nouns import Person
from tasks.encrypting import encrypt
from tasks.filing import Filed, file_bytes, forget, tidy
from tasks.handing_out import files_of
from tasks.packing import Order, Packed, pack
from tasks.reader.cell import CellPool
from tasks.reading import shared_pool


def dispatch(
    custody: Custody,
    number: str,
    *,
    by: str,
    at: str | None,
    pool: Callable[[], CellPool] = shared_pool,
) -> dict[str, Any]:
    """Build package and letter of a drafted commission and record that it was sent.

    Raises:
        StateError: the commission is not a draft.
        InputError: it may not be issued (agency, material, fields), or pages cannot be excerpted.
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
    agency = desk.agency(commission.agency_id)
    order = Order(commission.brief, agency.name, commission.materials, when)
    packed = pack(custody, order, pool)
    files = [packed.filed, *encrypted_for(custody, order, packed, agency.encryption_key)]
    said: dict[str, Any] = {"waived": [str(each) for each in waived]}
    step = acts.dispatch(packed.filed.fingerprint, actor, when, **said)
    rules = desk.rules(commission)
    letter = commission_letter(
        desk.preview(commission, step),
        agency,
        packed.filed.fingerprint,
        local_day(when, rules),
        rules,
        desk.calendar,
        files[1].fingerprint if len(files) > 1 else None,
    )
    files += papers_of(custody, order, letter, files)
    said |= on_record(files, packed)
    with kept_only_if_recorded(custody, number, files):
        desk.step(number, acts.dispatch(packed.filed.fingerprint, actor, when, **said))
    tidy(custody, order.folder, files, ())
    return answer_of(custody, number, agency.name, order, files)


@contextmanager
def kept_only_if_recorded(custody: Custody, number: str, files: Sequence[Filed]) -> Iterator[None]:
    """Leave nothing of what was refused, as the later of two at once is."""
    try:
        yield
    except StateError:
        rows = files_of(custody, number, everything=True)
        forget(custody, files, [row["fingerprint"]["digests"]["sha256"] for row in rows])
        raise


def encrypted_for(custody: Custody, order: Order, packed: Packed, key: str) -> list[Filed]:
    """Return the package encrypted to an agency's key, if it has one."""
    if not key:
        return []
    return [encrypt(custody, packed.filed, order.folder, order.which("encrypted"), key)]


def papers_of(custody: Custody, order: Order, letter: bytes, files: Sequence[Filed]) -> list[Filed]:
    """File what lies beside the package: the letter, and the list for ``sha256sum -c``."""
    beside = file_bytes(
        custody, order.folder, order.which("letter"), f"{order.name}.letter.pdf", letter
    )
    lines = "".join(f"{each.fingerprint.sha256}  {each.name}\n" for each in (*files, beside))
    name = f"sha256sums-S{order.supplement}.txt" if order.supplement else "sha256sums.txt"
    sums = file_bytes(custody, order.folder, order.which("sums"), name, lines.encode())
    return [beside, sums]


def on_record(files: Sequence[Filed], packed: Packed) -> dict[str, Any]:
    """Return what a step says of its files."""
    letter = next(each for each in files if each.which.endswith("letter"))
    said: dict[str, Any] = {
        "files": [each.record for each in files],
        "letter_sha256": letter.fingerprint.sha256,
    }
    return said | ({"excerpts": packed.excerpts} if packed.excerpts else {})


def answer_of(
    custody: Custody, number: str, agency: str, order: Order, files: Sequence[Filed]
) -> dict[str, Any]:
    """Return what was sent, for people and programs; local copies where the store is a folder."""
    places = {each.which: _named(custody, order.folder, each) for each in files}
    package = files[0]
    encrypted = [each for each in files if each.which == order.which("encrypted")]
    told = {
        "commission_no": number,
        "agency": agency,
        "package": places[order.which("package")],
        "package_digest": package.fingerprint.sha256,
        "letter": places[order.which("letter")],
    }
    if encrypted:
        told["encrypted"] = places[encrypted[0].which]
        told["encrypted_digest"] = encrypted[0].fingerprint.sha256
    return told


def _named(custody: Custody, folder: str, filed: Filed) -> str:
    """Give a stored file its name in the folder ``packages`` too, if the store is a folder there.

    It is the same file under a second name, and takes no room of its own.
    """
    place = custody.workspace.packages / folder / filed.name
    stored = custody.workspace.packages / filed.ref.key
    if not stored.is_file():
        return filed.ref.key
    with suppress(OSError):
        place.unlink(missing_ok=True)
        os.link(stored, place)
    return str(place if Path(place).exists() else stored)
