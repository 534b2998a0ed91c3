"""Sealing: a seal is broken and renewed by two persons, each number used once (RULES CU-06)."""

from __future__ import annotations

from storage.catalogue import queries
from storage.custody import Custody
from storage.errors import ConflictError, InputError, StateError
from storage.event import Action, decode
from storage.holding import ExhibitCustody, same_person
from storage.nouns import Person
from tasks.holders import case_custody


def break_seal(
    custody: Custody, exhibit: str, number: str, persons: tuple[Person, Person], reason: str
) -> None:
    """Record that two persons broke the seal of an exhibit, and why.

    Raises:
        InputError: one person only, or no reason.
        StateError: that is not the number of its intact seal.
    """
    if not reason.strip():
        raise InputError("启封须写明理由 breaking a seal needs a reason", remedy="give --reason")
    name, known = _custody(custody, exhibit, persons)
    if not known.seal.intact or known.seal.number != number:
        raise StateError(
            f"{name} 在案封条为 {known.seal.current or '无'}，不是 {number} "
            "that is not the seal on it",
            remedy="read the number again; see 'custody holders'",
            recorded=known.seal.current,
        )
    _record(custody, Action.UNSEALED, name, number, "", persons, reason, len(known.seals))


def renew_seal(custody: Custody, exhibit: str, number: str, persons: tuple[Person, Person]) -> None:
    """Record that two persons sealed an exhibit under a new number; also its first seal.

    Raises:
        InputError: one person only, or no number.
        StateError: the seal on it was not broken.
        ConflictError: the exhibit had that number before.
    """
    name, known = _custody(custody, exhibit, persons)
    if not number.strip():
        raise InputError("须写明封条编号 a seal has a number", remedy="give --number")
    if known.seal.intact:
        raise StateError(
            f"{name} 的封条 {known.seal.number} 尚未启封 its seal was not broken",
            remedy=f"first: custody seal break {name} --number {known.seal.number}",
        )
    if number in known.seals:
        raise ConflictError(
            f"{name} 用过封条 {number} the exhibit had that seal before",
            remedy="use a new seal with a number of its own",
        )
    _record(custody, Action.SEALED, name, number, known.seal.number, persons, "", len(known.seals))


def _custody(
    custody: Custody, exhibit: str, persons: tuple[Person, Person]
) -> tuple[str, ExhibitCustody]:
    if not all(person.name.strip() for person in persons) or same_person(*persons):
        raise InputError(
            "启封、封存须由两人进行 a seal needs two different persons",
            remedy="name both with --by and --with",
        )
    with custody.read() as session:
        row = queries.find_exhibit(session, exhibit)
    known = case_custody(custody, row["case_id"]).exhibits[row["exhibit_id"]]
    if known.ended_at:
        raise StateError(f"{row['exhibit_id']} 已于 {known.ended_at} 处置 it was disposed of")
    return row["exhibit_id"], known


def _record(
    custody: Custody,
    action: Action,
    exhibit: str,
    number: str,
    old: str,
    persons: tuple[Person, Person],
    reason: str,
    count: int,
) -> None:
    """Record one act; ``count``, how many seals there were, makes the same act the same event."""
    details = {
        "number": number,
        "old": old,
        "persons": [person.as_json() for person in persons],
        "reason": reason,
    }
    event = custody.event(
        action,
        [exhibit, str(count)],
        actor=persons[0],
        case=exhibit.partition("/")[0],
        exhibits=[exhibit],
        purpose="seal",
        details=details,
    )
    (recorded,) = custody.record([event])
    if decode(custody.log.leaf(recorded.index)).details != details:
        raise ConflictError(
            f"{exhibit} 的封条刚有他人操作 somebody else acted on its seal just now",
            remedy="see 'custody history' of the exhibit",
        )
