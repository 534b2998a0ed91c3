"""Accounting: what the account of a case is made from, read from catalogue and listings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.catalogue import kept, parts, queries
from storage.catalogue.database import Session
from storage.custody import Custody
from storage.errors import NotFoundError
from storage.event import BESIDE
from storage.listing import parse_listing
from storage.names import display
from storage.objects import ObjectRef, open_own
from tasks.account import (
    FAILED,
    Account,
    Line,
    Listed,
    State,
    account,
    holdings,
    judged,
    opened_up,
    together,
)


def exhibit_state(
    reading: dict[str, Any] | None, whole: dict[str, Any] | None, *, disposed: bool = False
) -> tuple[State, str]:
    """Return state and reason code of an exhibit from its newest reading and expansion.

    A container is in work until its parts are on record, whatever was read of it itself.
    """
    if disposed:
        return State.DISPOSED, ""
    if reading is None:
        return State.IN_WORK, ""
    details = reading["details"]
    if details.get("refused"):
        state, code = details["refused"]
        return State(state), code
    own = judged(reading["state"], details.get("ocr_pages", 0), details.get("flags", ()))
    if details.get("container"):
        found = opened_up(whole["details"]["problems"]) if whole else (State.IN_WORK, "")
        # A PDF whose parts are on record may still have pages that nobody could read.
        document = details["container"] == "pdf" and found[0] is State.EXPANDED
        return own if document and own[0] in FAILED else found
    return own


@dataclass(frozen=True)
class _Rows:
    """What the catalogue holds of a case, read at one instant."""

    accessions: list[dict[str, Any]]
    exhibits: list[dict[str, Any]]
    wholes: dict[str, dict[str, Any]]
    gone: frozenset[str]

    def state(self, exhibit: dict[str, Any]) -> tuple[State, str]:
        """Return state and reason code of one of its exhibits."""
        return exhibit_state(
            exhibit["reading"],
            self.wholes.get(exhibit["exhibit_id"]),
            disposed=exhibit["object"]["key"] in self.gone,
        )


def _rows(session: Session, case: str) -> _Rows:
    return _Rows(
        queries.list_accessions(session, case),
        queries.list_exhibits(session, case),
        parts.whole_of_case(session, case),
        kept.disposed_keys(session, case),
    )


def case_account(custody: Custody, name: str) -> dict[str, Account]:
    """Return the account of every accession of a case by number.

    Raises:
        NotFoundError: there is no such case.
    """
    with custody.read() as session:
        case = queries.find_case(session, name)["case_id"]
        rows = _rows(session, case)
        held = _held(rows, parts.containers(session, case))
        have = {
            f"{each['exhibit_id']}/{each['parent']}".rstrip("/"): (each["members"], each["bytes"])
            for each in parts.children(session, case)
        }
        tally = parts.tally(session, case)
    return {
        accession["accession"]: _account(custody, accession, rows, held, have, tally)
        for accession in rows.accessions
        if accession["state"] != "released"  # Its bytes are those of the number that it got.
    }


def _held(rows: _Rows, containers: Sequence[dict[str, Any]]) -> list[tuple[str, str, int, int]]:
    """Return every container of a case: its exhibit, its name, what it says that it holds."""
    exhibits = [
        (exhibit, exhibit, each["members"], each["member_bytes"])
        for exhibit, each in sorted(rows.wholes.items())
    ]
    return exhibits + [
        (
            each["exhibit_id"],
            f"{each['exhibit_id']}/{each['part']}",
            each["members"],
            each["bytes"],
        )
        for each in containers
    ]


def _account(
    custody: Custody,
    accession: dict[str, Any],
    rows: _Rows,
    held: Sequence[tuple[str, str, int, int]],
    have: Mapping[str, tuple[int, int]],
    tally: Sequence[dict[str, Any]],
) -> Account:
    own = [each for each in rows.exhibits if each["accession"] == accession["accession"]]
    mine = {each["exhibit_id"] for each in own}
    details = accession["details"]
    return account(
        listed=_listed(custody, accession),
        kept=_kept(custody, accession, own),
        exhibits=[(*rows.state(each), each["size"]) for each in own],
        holdings=holdings(
            [(item, members, count) for exhibit, item, members, count in held if exhibit in mine],
            {item: each for item, each in have.items() if _exhibit_of(item) in mine},
        ),
        parts=[
            Line(each["state"], each["code"], each["count"], each["bytes"])
            for each in tally
            if each["accession"] == accession["accession"]
        ],
        promised=details.get("exhibits", 0),
        irregular=details.get("irregular_count", 0),
    )


def _exhibit_of(item: str) -> str:
    """Return the exhibit of ``CASE/E0001/2/0``."""
    return "/".join(item.split("/")[:2])


def whole_account(accounts: dict[str, Account]) -> Account:
    """Return the account of a whole case."""
    return together(accounts.values())


def failures(custody: Custody, name: str) -> list[dict[str, Any]]:
    """Return every exhibit and part of a case that a person should look at, in order.

    Raises:
        NotFoundError: there is no such case.
    """
    return [each for each in items(custody, name) if each["state"] in FAILED]


def items(custody: Custody, name: str) -> list[dict[str, Any]]:
    """Return every exhibit of a case with every part of it, each with state and reason.

    Raises:
        NotFoundError: there is no such case.
    """
    with custody.read() as session:
        case = queries.find_case(session, name)["case_id"]
        rows = _rows(session, case)
        found = parts.of_case(session, case)
    below: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        below.setdefault(row["exhibit_id"], []).append(row)
    return [
        each
        for exhibit in rows.exhibits
        for each in (
            _exhibit_item(exhibit, *rows.state(exhibit)),
            *map(_part_item, below.get(exhibit["exhibit_id"], ())),
        )
    ]


def _exhibit_item(row: dict[str, Any], state: State, code: str) -> dict[str, Any]:
    reading = row["reading"]
    return {
        "item": row["exhibit_id"],
        "part": "",
        "name": row["item"]["path"],
        "size": row["size"],
        "sha256": row["sha256"],
        "media_type": reading["media_type"] if reading else "",
        "state": state.value,
        "code": code,
        "reason": reading["details"].get("reason", "") if reading else "",
        "pages": reading["pages"] if reading else 0,
    }


def _part_item(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "item": f"{row['exhibit_id']}/{row['part']}",
        "part": row["part"],
        "name": row["name"],
        "size": row["size"],
        "sha256": row["sha256"],
        "media_type": row["media_type"],
        "state": row["state"],
        "code": row["code"],
        "reason": row["details"]["reason"],
        "pages": row["pages"],
    }


def _listed(custody: Custody, accession: dict[str, Any]) -> Iterator[Listed]:
    """Yield the files of the listings that were made at intake."""
    details = accession["details"]
    for where, key in (("received", "listing"), ("container", "members")):
        if key not in details:
            continue
        text = _text(custody, details[key])
        if text is None:
            # A listing that is gone explains nothing: every byte of it is open.
            yield Listed(details[key]["key"], details.get("bytes", 0), "", where)
            continue
        for file in parse_listing(text):
            print_ = file.fingerprint
            yield Listed(display(file.path), print_.size, print_.sha256, where)


def _text(custody: Custody, ref: dict[str, Any]) -> str | None:
    try:
        with open_own(custody.objects, ObjectRef.from_json(ref)) as stream:
            return stream.read().decode()
    except NotFoundError:
        return None


def _kept(
    custody: Custody, accession: dict[str, Any], exhibits: list[dict[str, Any]]
) -> frozenset[str]:
    """Return the digests of everything that the accession's events say is stored."""
    details = accession["details"]
    named = [
        details[role]["fingerprint"]["digests"]["sha256"]
        for role in ("manifest_file", "container")
        if role in details
    ]
    for role in BESIDE:
        text = _text(custody, details[role]["listing"]) if role in details else None
        named += [each.fingerprint.sha256 for each in parse_listing(text or "")]
    return frozenset([*named, *(each["sha256"] for each in exhibits)])
