"""Verifying a case of a workspace: needs its objects, its log and its public key.

The catalogue is asked only which exhibits it knows, so that a record that vanished from the log
is noticed; a workspace without a database is verified just the same. What this imports is what a
person waits for before a small case is verified: neither SQLAlchemy nor any table is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.catalogue.known import known_exhibits
from storage.digest import ALGORITHMS
from storage.gathered import Gathered
from storage.nouns import case_id
from storage.policy import load_policy
from storage.published import LogReader
from storage.reading_back import Advance
from storage.reconcile import kept_head
from storage.settings import Settings
from storage.stores import open_stores
from storage.verify import CaseReport, verify
from storage.workspace import Workspace


def verify_case(
    chosen: Settings,
    case: str,
    advance: Advance = lambda done, total: None,
    algorithms: Sequence[str] = ALGORITHMS,
) -> CaseReport:
    """Verify one case, by identifier or number, against objects, log and key.

    Args:
        chosen: names the workspace and its store.
        case: identifier or case number.
        advance: called with bytes read and bytes to read, by any thread.
        algorithms: the digests that are computed and compared; all three unless fewer are chosen.

    Raises:
        NotFoundError: neither log nor catalogue knows the case.
        HostError: there is no workspace, or its public key is missing.
    """
    workspace = Workspace(chosen.home)
    workspace.require()
    ring = load_policy(workspace).ring
    objects, log_store = open_stores(chosen, workspace)
    wanted, gathered = {name.encode() for name in (case, case_id(case))}, Gathered(case)
    log = LogReader(log_store, ring).check(
        kept_head(workspace, ring),
        keep=lambda index, leaf: (
            any(name in leaf for name in wanted) and gathered.keep(index, leaf)
        ),
    )
    return verify(
        objects,
        log,
        case,
        gathered=gathered,
        expected=known_exhibits(chosen.database or workspace.database_file, case),
        threads=chosen.processes,
        algorithms=algorithms,
        advance=advance,
    )
