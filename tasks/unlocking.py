"""Unlocking: a document is read with a password that an officer gave; the original stays locked.

The password goes to the cell with each job and is kept nowhere: not in an event, a log, a
transcript or a file. The decrypted document is not kept either. What would be stored is a second
copy of the evidence that nobody handed in; the original and its password give it again at any
time, and the record says by whom the password was given. The transcript is recorded as after any
reading, so the text is searched, exported and rebuilt without the password.
"""

from __future__ import annotations

from typing import Any

from storage.catalogue import queries
from storage.custody import Custody
from storage.errors import InputError
from storage.nouns import Person
from tasks.reader.cell import CellPool
from tasks.reader.failures import unreadable_error
from tasks.reader.process import CellFailure, RefusedDocument
from tasks.reading import ReadResult
from tasks.rereading import Selection, read_again
from tasks.taking_out import document_of

MAX_PASSWORD = 1024


def unlock(
    custody: Custody, pool: CellPool, name: str, typed: str, person: Person, part: str = ""
) -> list[ReadResult]:
    """Read an exhibit, or one part of it, with a password, and record by whom it was given.

    Raises:
        InputError: the password is wrong, or none is needed; nothing was changed.
        NotFoundError: there is no such exhibit or part.
    """
    if not typed or len(typed) > MAX_PASSWORD:
        raise InputError("没有给出密码 no password was given", remedy="type it when asked for it")
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, name)
    trusted = pool.with_password(typed)
    method = _method(custody, trusted, exhibit, part)
    unlocked = {"by": {"name": person.name, "unit": person.unit}, "method": method}
    if part:
        unlocked["part"] = part
    return read_again(custody, trusted, name, Selection(part=part, unlocked=unlocked))


def _method(custody: Custody, pool: CellPool, exhibit: dict[str, Any], part: str) -> str:
    """Return which lock the password opens; a wrong one ends here."""
    try:
        with document_of(custody, pool, exhibit, part) as file:
            answer = pool.call("unlock", file)
    except RefusedDocument as refusal:
        raise InputError(
            refusal.detail, remedy="未作任何改动，可重试。 Nothing was changed; try again."
        ) from None
    except CellFailure as failure:
        raise unreadable_error(failure) from None
    method = answer.get("method") if isinstance(answer, dict) else None
    if method not in ("pdf", "office", "zip", "7z"):
        raise unreadable_error(CellFailure("lie", "no such lock"))
    return str(method)
