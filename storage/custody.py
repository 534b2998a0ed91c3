"""The open house: stores, log and catalogue of one workspace, and the way to record events.

``Custody.record`` is the only way in which anything becomes part of the record: events go to
the log, the catalogue follows in the same transaction, and the call returns when a published
checkpoint covers them.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

from storage.catalogue.database import Database, Session
from storage.catalogue.journal import SqlJournal
from storage.catalogue.projection import project, project_all
from storage.catalogue.versions import require_known
from storage.clock import clock_source, stamp
from storage.errors import HostError, InputError, IntegrityError, StateError
from storage.event import Action, CustodyEvent, event_id
from storage.keyless import KeylessSigners, no_private_key
from storage.keys import load_signer, make_key
from storage.log import CustodyLog, Recorded
from storage.nouns import Person
from storage.objects import LogStore, ObjectStore, WorkingStore
from storage.policy import Policy, load_policy, write_policy
from storage.settings import Settings, settings
from storage.signing import WorkspaceSigners
from storage.stores import open_stores, open_working
from storage.workspace import Workspace

VERSION = "0.1.0"


def utc() -> datetime:
    """Return the machine's time; a house may be opened with another clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Custody:
    """One installation, opened."""

    settings: Settings
    workspace: Workspace
    objects: ObjectStore
    log_store: LogStore
    database: Database
    log: CustodyLog
    signers: WorkspaceSigners
    clock: Callable[[], datetime] = utc

    @cached_property
    def working(self) -> WorkingStore:
        """The store of working copies that go out; opened when it is first needed."""
        return open_working(self.settings, self.workspace)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a reading session on the catalogue."""
        with self.database.read() as session:
            yield session

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Session]:
        """Open a writing transaction on the catalogue's working data; see ``Database.write``."""
        with self.database.write(durable=durable) as session:
            yield session

    def now(self) -> str:
        """Return the present time in the installation's zone."""
        return stamp(self.clock(), self.settings.timezone)

    def receiver(self) -> Person:
        """Return the person who receives for this installation."""
        s = self.settings
        return Person(s.receiver_name, s.receiver_id, s.receiver_unit, "", s.receiver_phone)

    def event(
        self,
        action: Action,
        subject: Sequence[str],
        *,
        actor: Person | None = None,
        occurred_at: str | None = None,
        case: str = "",
        accession: str = "",
        exhibits: Iterable[str] = (),
        place: str = "",
        purpose: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> CustodyEvent:
        """Make an event of now; ``subject`` is what makes it the same event when repeated."""
        recorded = self.now()
        return CustodyEvent(
            event_id=event_id(action, *subject),
            action=action,
            occurred_at=occurred_at or recorded,
            recorded_at=recorded,
            actor=actor or self.receiver(),
            case=case,
            accession=accession,
            exhibits=tuple(exhibits),
            place=place,
            purpose=purpose,
            details=details or {},
            system={
                "tool": "zhenglian",
                "version": VERSION,
                "host": platform.node(),
                "clock": clock_source(),
            },
        )

    def record(self, events: Sequence[CustodyEvent]) -> list[Recorded]:
        """Record events; when this returns, a published checkpoint covers them all.

        Raises:
            HostError: this house holds no private key; see ``CustodyLog.record`` for the others.
        """
        if not self.signers.can_sign and self.settings.log_keeper == "here":
            raise no_private_key(self.workspace)
        return self.log.record(events)

    def retain_until(self, received_at: str) -> datetime:
        """Return the end of retention for what was received at a time (RULES ST-02)."""
        start = datetime.fromisoformat(received_at)
        try:
            return start.replace(year=start.year + self.settings.retention_years)
        except ValueError:  # 29 February
            return start.replace(year=start.year + self.settings.retention_years, day=28)


def database_url(chosen: Settings, workspace: Workspace) -> str:
    """Return the catalogue's SQLAlchemy URL."""
    return chosen.database or f"sqlite:///{workspace.database_file.resolve()}"


def open_custody(chosen: Settings) -> Custody:
    """Open the workspace that ``custody init`` made.

    Raises:
        HostError: there is no workspace, or its key can be read by others.
        IntegrityError: the published log is not consistent with this machine's records.
    """
    workspace = Workspace(chosen.home)
    workspace.require()
    objects, log_store = open_stores(chosen, workspace)
    database = Database.open(database_url(chosen, workspace))
    try:
        _require_database(database)
        require_known(database)
        signers = _signers(chosen, workspace)
        journal = SqlJournal(database, (project,), together=project_all)
        log = CustodyLog(
            log_store, journal, signers, workspace.last_head, patience=chosen.log_wait_seconds
        )
        log.recover()
        head = journal.head()
        signers.settle(head.rotations, head.published_size)
    except BaseException:
        # What is refused is about to be replaced: nothing of ours may hold it open.
        database.close()
        raise
    return Custody(chosen, workspace, objects, log_store, database, log, signers)


def _require_database(database: Database) -> None:
    if database.file is not None and not database.file.exists():
        raise HostError(
            f"the database {database.file} is missing",
            remedy="restore it, or run 'custody rebuild' to make it again from log and objects",
        )


def _signers(chosen: Settings, workspace: Workspace) -> WorkspaceSigners:
    if chosen.log_keeper == "elsewhere" or not workspace.log_key.exists():
        return KeylessSigners(workspace)
    load_signer(workspace, chosen.log_origin)
    return WorkspaceSigners(workspace, chosen.log_origin)


def init_custody(chosen: Settings) -> bool:
    """Make the workspace, its key, its database and the log's first entry; overwrite nothing.

    Returns whether anything had to be made.
    """
    workspace = Workspace(chosen.home)
    made = workspace.create()
    if not workspace.log_key.exists() and workspace.log_public_key.exists():
        raise StateError(
            "this workspace has the public key of a log and no private key; no new key was made",
            remedy="restore keys/log.key, or run 'custody rebuild' to read what the log holds",
        )
    if not workspace.log_key.exists():
        make_key(workspace, chosen.log_origin)
        made = True
    # What migrates loads much, and no other command needs it.
    from storage.catalogue.migrate import upgrade

    database = Database.open(database_url(chosen, workspace))
    upgrade(database)
    database.close()
    custody = open_custody(chosen)
    if not workspace.policy.exists():
        write_policy(workspace, load_policy(workspace))
    custody.record(
        [
            custody.event(
                Action.OPENED,
                [chosen.log_origin],
                details={"log": chosen.log_origin, "timezone": chosen.timezone},
            )
        ]
    )
    custody.database.close()
    return made


def join_custody(chosen: Settings, policy: Policy) -> Custody:
    """Make this machine a further host of an installation, and open it.

    It gets the log's public keys, and no private one: what it records is signed elsewhere.

    Raises:
        InputError: the settings name no shared database and store, or another log.
        StateError: this machine keeps a log already, or belongs to another one.
        IntegrityError: the published log is not signed by the policy's keys.
    """
    workspace = Workspace(chosen.home)
    _require_shared(chosen)
    if policy.ring.name != chosen.log_origin:
        raise InputError(
            f"the policy is of the log {policy.ring.name}, not of {chosen.log_origin}",
            remedy="set CUSTODY_LOG_ORIGIN as on the host that keeps the log",
        )
    if workspace.log_key.exists():
        raise StateError(
            "this machine has a log of its own, with its private key",
            remedy="set CUSTODY_HOME to another folder",
        )
    known = load_policy(workspace) if workspace.policy.exists() else None
    if known is not None and known.ring.spans[0] != policy.ring.spans[0]:
        raise StateError(
            "this machine has joined another log already",
            remedy="set CUSTODY_HOME to another folder",
        )
    workspace.create()
    write_policy(workspace, known or policy)
    try:
        return open_custody(chosen)
    except IntegrityError:
        if known is None:
            workspace.policy.unlink()
            workspace.log_public_key.unlink()
        raise


def _require_shared(chosen: Settings) -> None:
    """Refuse settings with which a further host would work for itself alone."""
    wrong = {
        "CUSTODY_DATABASE, the database server": not chosen.database.startswith("postgresql"),
        "CUSTODY_STORE, the S3 store": chosen.store == "directory",
        "CUSTODY_LOG_KEEPER=elsewhere": chosen.log_keeper != "elsewhere",
    }
    missing = [name for name, is_wrong in wrong.items() if is_wrong]
    if missing:
        raise InputError(
            f"a further host needs {'; '.join(missing)}",
            remedy="set them as on the other hosts (docs/deployment.md)",
        )


@cache
def current() -> Custody:
    """Return this process's installation, opened once."""
    return open_custody(settings())
