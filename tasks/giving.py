"""Giving an original out, and the record of who saw one (RULES CU-05, AU-06, ST-06).

The access is on record before the first byte leaves, so that nobody can have read an original
without it; how it ended is a second event. An access without an outcome counts as given. The
bytes are compared while they are copied: what differs from intake is not handed out, and the
file never appears under its name. Reading in the cell and audits are no personal access; the
making of a package for an agency is one, and is on record as such.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from storage.catalogue import handovers, queries
from storage.custody import Custody
from storage.digest import Fingerprint, Hasher, chunks
from storage.errors import ConflictError, CustodyError, HostError, InputError, IntegrityError
from storage.event import Action, CustodyEvent, decode
from storage.names import display
from storage.nouns import Person
from storage.objects import ObjectRef
from storage.workspace import fsync_folder
from tasks.reader.cell import CellPool
from tasks.taking_out import find_part, part_pieces


def export(
    custody: Custody,
    exhibit: str,
    target: Path,
    by: Person,
    why: str,
    *,
    part: str = "",
    pool: CellPool | None = None,
) -> dict[str, Any]:
    """Write an original's exact bytes to a new file and return the access as recorded.

    With ``part`` (and a ``pool`` to open its container in) it is the bytes of that part, which
    must have the digests with which it was first taken out.

    Raises:
        NotFoundError: there is no such exhibit, or its object is gone.
        InputError: nobody named, no reason, or no folder to write to.
        ConflictError: the file exists.
        IntegrityError: the stored bytes are not those of intake; no file was written.
        HostError: the file cannot be written.
    """
    if not by.name.strip() or not why.strip():
        raise InputError(
            "调取原件须写明何人、何故 an access needs a person and a reason",
            remedy="give --by and --why",
        )
    with custody.read() as session:
        row = queries.find_exhibit(session, exhibit)
    if part:
        row = find_part(custody, row, part)
    if os.path.lexists(target):
        raise ConflictError(f"{target} 已存在 the file exists already", remedy="name a new file")
    if not target.parent.is_dir():
        raise InputError(f"没有文件夹 there is no folder {target.parent}", remedy="make it first")
    access = secrets.token_hex(6)
    _record(custody, row, by, why, access, phase="begun", file=display(target.name))
    outcome = "failed"
    try:
        _copy(custody, row, target, pool)
        outcome = "given"
    except IntegrityError:
        outcome = "mismatch"
        raise
    finally:
        _record(custody, row, by, why, access, phase="ended", outcome=outcome)
    return {
        "access": access,
        "exhibit": row["exhibit_id"],
        **({"part": part} if part else {}),
        "file": str(target),
        "size": row["size"],
        "sha256": row["sha256"],
    }


def _record(
    custody: Custody, row: dict[str, Any], by: Person, why: str, access: str, **details: str
) -> None:
    if "part" in row:
        details["part"] = row["part"]
    event = custody.event(
        Action.ACCESSED,
        [row["exhibit_id"], access, details["phase"]],
        actor=by,
        case=row["case_id"],
        exhibits=[row["exhibit_id"]],
        purpose=why,
        details={"access": access, "mode": "export", "sha256": row["sha256"], **details},
    )
    custody.record([event])


@contextmanager
def _source(
    custody: Custody, row: dict[str, Any], pool: CellPool | None
) -> Iterator[Iterator[bytes]]:
    if "part" not in row:
        with custody.objects.open(ObjectRef.from_json(row["object"])) as source:
            yield chunks(source)
        return
    if pool is None:
        raise ValueError("a part is taken out in the cell")
    with part_pieces(custody, pool, row, row["part"]) as pieces:
        yield pieces


def _copy(custody: Custody, row: dict[str, Any], target: Path, pool: CellPool | None) -> None:
    expected = Fingerprint.from_json(row["fingerprint"])
    with _source(custody, row, pool) as pieces, _new(target) as file:
        hasher = Hasher()
        for piece in pieces:
            hasher.update(piece)
            file.write(piece)
            if file.tell() > expected.size:
                break
        seen = hasher.finish()
        if seen != expected:
            raise IntegrityError(
                f"{row['exhibit_id']} 的原件与入库时不符，未予提供 the stored bytes are not those "
                "of intake; nothing was written",
                remedy="run 'custody verify' on its case",
                expected=expected.sha256,
                seen=seen.sha256,
            )


@contextmanager
def _new(target: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name only if the block ends well, and never replaces another."""
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(temporary, target)
        fsync_folder(target.parent)
    except CustodyError:
        raise
    except OSError as error:
        raise HostError(
            f"{target} cannot be written: {error.strerror}", remedy="name another folder"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _name(temporary: Path, target: Path) -> None:
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise ConflictError(f"{target} exists already", remedy="name a new file") from error
    except OSError:
        # Removable media often know no links; there a file that came in between is looked for.
        if os.path.lexists(target):
            raise ConflictError(f"{target} exists already", remedy="name a new file") from None
        temporary.rename(target)


_ACCESSES = [Action.ACCESSED, Action.PACKAGED, Action.DOWNLOADED]


def accesses(custody: Custody, case: str) -> list[dict[str, Any]]:
    """Return who had which original and why, in the order of the log.

    Raises:
        NotFoundError: there is no such case.
    """
    with custody.read() as session:
        found = queries.find_case(session, case)["case_id"]
        indexes = handovers.action_indexes(session, found, _ACCESSES)
        entries = handovers.leaves(session, indexes)
        return _accesses((index, decode(leaf)) for index, leaf in entries)


def _accesses(events: Iterable[tuple[int, CustodyEvent]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    by_access: dict[str, dict[str, Any]] = {}
    for index, event in events:
        details = event.details
        if details.get("phase") == "ended" and details["access"] in by_access:
            by_access[details["access"]]["outcome"] = details["outcome"]
            continue
        row = {
            "index": index,
            "at": event.occurred_at,
            "who": event.actor.as_json(),
            "exhibits": list(event.exhibits),
            "mode": "package" if event.action is Action.PACKAGED else details["mode"],
            "why": event.purpose,
            "reference": details.get("commission_no") or details.get("access", ""),
            "outcome": "given" if event.action is Action.PACKAGED else "unknown",
        }
        rows.append(row)
        if event.action is not Action.PACKAGED:
            by_access[details["access"]] = row
    return rows
