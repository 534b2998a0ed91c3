"""Republishing: the log's files again from the database, and that it was done on record."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from storage.catalogue.database import Database
from storage.catalogue.journal import SqlJournal
from storage.custody import database_url, open_custody
from storage.errors import HostError, InputError
from storage.event import Action
from storage.keyless import KeylessSigners
from storage.nouns import Person
from storage.reconcile import kept_head
from storage.republish import Written, republish_log
from storage.settings import Settings
from storage.stores import open_stores, store_address
from storage.workspace import Workspace


@dataclass(frozen=True)
class Republished:
    """What was written again, and where the damaged files are kept; empty if there were none."""

    entries: int
    missing: int
    damaged: int
    kept: str

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


def republish(chosen: Settings, *, by: str, reason: str) -> Republished:
    """Write the published log again where it is missing or damaged, from the database alone.

    Raises:
        InputError: nobody is named, or no reason.
        HostError: there is no workspace or no database.
        RolledBackError: the database is older than what was published or signed.
        ForkError: the store holds another history.
        IntegrityError: the database's rows are not those of its checkpoint.
    """
    if not by.strip() or not reason.strip():
        raise InputError(
            "the log is published again by a person and for a reason",
            remedy="give both: --by, --reason",
        )
    workspace = Workspace(chosen.home)
    workspace.require()
    _, store = open_stores(chosen, workspace)
    aside = f"log-damaged/{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}"
    with closing(Database.open(database_url(chosen, workspace))) as database:
        if database.file is not None and not database.file.exists():
            raise HostError(
                f"the database {database.file} is missing",
                remedy="the log cannot be made of it: restore the log's folder from a backup, "
                "then 'custody rebuild' (docs/runbook.md)",
            )
        journal = SqlJournal(database)
        with journal.leader():
            ring = KeylessSigners(workspace).ring(journal.head().rotations)
            made = republish_log(store, journal, ring, kept_head(workspace, ring), aside)
    kept = str(workspace.objects / aside) if made.damaged and not store_address(chosen) else ""
    _record(chosen, made, by, reason)
    return Republished(made.entries, made.missing, made.damaged, kept)


def _record(chosen: Settings, made: Written, by: str, reason: str) -> None:
    """Put on record that it was done, if anything was and this house can record."""
    custody = open_custody(chosen)
    with closing(custody.database):
        if not (made.missing or made.damaged) or not custody.signers.can_sign:
            return
        event = custody.event(
            Action.REPAIRED,
            ["log", custody.now(), str(made.entries)],
            actor=Person(by.strip(), unit=custody.receiver().unit),
            purpose="log published again",
            details={
                "state": "republished",
                "entries": made.entries,
                "missing": made.missing,
                "damaged": made.damaged,
                "reason": reason.strip(),
            },
        )
        custody.record([event])
