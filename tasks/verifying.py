"""Verifying a case of a workspace: needs its objects, its log and its public key.

The catalogue is asked only which exhibits it knows, so that a record that vanished from the log
is noticed; a workspace without a database is verified just the same.
"""

from __future__ import annotations

from storage.catalogue import queries
from storage.catalogue.database import Database
from storage.custody import database_url
from storage.errors import CustodyError, NotFoundError
from storage.log import LogReader
from storage.nouns import case_id
from storage.policy import load_policy
from storage.reconcile import kept_head
from storage.settings import Settings
from storage.stores import open_stores
from storage.verify import Advance, CaseReport, verify
from storage.workspace import Workspace


def verify_case(
    chosen: Settings, case: str, advance: Advance = lambda done, total: None
) -> CaseReport:
    """Verify one case, by identifier or number, against objects, log and key.

    Raises:
        NotFoundError: neither log nor catalogue knows the case.
        HostError: there is no workspace, or its public key is missing.
    """
    workspace = Workspace(chosen.home)
    workspace.require()
    ring = load_policy(workspace).ring
    objects, log_store = open_stores(chosen, workspace)
    wanted = {case, case_id(case)}
    log = LogReader(log_store, ring).check(
        kept_head(workspace, ring), keep=lambda index, leaf: _concerns(leaf, wanted)
    )
    return verify(
        objects,
        log,
        case,
        expected=_known_exhibits(chosen, workspace, case),
        threads=chosen.processes,
        advance=advance,
    )


def _concerns(leaf: bytes, wanted: set[str]) -> bool:
    """Whether an entry may be about the case; cheap, because every entry is asked."""
    return any(name.encode() in leaf for name in wanted)


def _known_exhibits(chosen: Settings, workspace: Workspace, case: str) -> tuple[str, ...]:
    if not chosen.database and not workspace.database_file.exists():
        return ()
    database = Database.open(database_url(chosen, workspace))
    try:
        with database.read() as session:
            found = queries.find_case(session, case)
            rows = queries.list_exhibits(session, found["case_id"])
    except (NotFoundError, CustodyError):
        return ()
    finally:
        database.close()
    return tuple(row["exhibit_id"] for row in rows)
