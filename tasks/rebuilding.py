"""Rebuilding: the whole database again, from the published log and the objects alone.

The log is walked first, from its entries to the signature of its checkpoint: a log with any
finding is refused, because a catalogue made from it would look like any other. Then every entry
is put in its place and projected once more, and the text of the newest readings is indexed from
the transcripts that their events name. A transcript that is gone or changed is named and left
out; it is not evidence and can be read again.

Passwords, one-time codes and the secrets of API tokens stand in no event. They are carried over
from the database that is replaced (``storage.catalogue.carrying``), unless they are to be
forgotten; who needs a new link all the same is named.

What is not in the log is not rebuilt: events that no checkpoint covers were never recorded, and
accession numbers given to bundles that were never received are given out again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storage.catalogue import carrying, parts
from storage.catalogue import rebuild as tables
from storage.catalogue.database import Database
from storage.catalogue.journal import SqlJournal
from storage.catalogue.migrate import upgrade
from storage.catalogue.search import PageInput, index_pages
from storage.clock import stamp
from storage.custody import database_url, open_custody
from storage.digest import Fingerprint, fingerprint, fingerprint_bytes
from storage.errors import ConflictError, CustodyError, HostError, IntegrityError
from storage.keyring import KeyRing, follow_rotations
from storage.note import Verifier, parse_note
from storage.objects import ObjectRef, ObjectStore
from storage.policy import Policy, load_policy, write_policy
from storage.settings import Settings
from storage.stores import open_stores
from storage.workspace import Workspace
from tasks.expanded import refill
from tasks.indexing import page_inputs
from tasks.reader.answer import Transcript
from tasks.whole_log import Source, walk

CHUNK = 2048
"""Entries in one transaction of an embedded rebuild; what memory holds at once."""
_READINGS = 256
Advance = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did.

    Attributes:
        unindexed: exhibits whose transcript could not be used.
        without_password: logins of accounts that need a new link.
        without_secret: API tokens that nobody can use any more.
    """

    events: int
    pages: int
    unindexed: tuple[str, ...]
    bytes: int
    seconds: float
    kept: str
    can_record: bool
    without_password: tuple[str, ...]
    without_secret: tuple[str, ...]


def rebuild(
    chosen: Settings,
    *,
    replace_existing: bool = False,
    carry: bool = True,
    advance: Advance = lambda stage, done, total: None,
) -> Rebuilt:
    """Recreate the database of an installation.

    Args:
        chosen: names the workspace, its store and its database.
        replace_existing: whether a database that is there may be replaced.
        carry: whether passwords, codes and tokens of that database stay in force.
        advance: told stage, done, total.

    Raises:
        HostError: neither public key nor policy is there, or another log's private key.
        ConflictError: there is a database, and nobody said that it may be replaced.
        IntegrityError: the log has findings; all of them are named, and nothing was changed.
        StateError: another process has the old database open.
    """
    started = time.monotonic()
    workspace = Workspace(chosen.home)
    workspace.create()
    ring = load_policy(workspace).ring
    objects, log_store = open_stores(chosen, workspace)
    # Whatever happens, no connection of ours is left that would stand in the next attempt's way.
    with closing(Database.open(database_url(chosen, workspace))) as target:
        if not replace_existing:
            _require_empty(target)
        advance("log", 0, 1)
        source = walk(log_store, ring, workspace)
        journal = SqlJournal(target)
        if target.embedded:
            with journal.leader():
                counts, kept = _beside(target, source, objects, workspace, advance, carry=carry)
        else:
            upgrade(target)
            with journal.leader():
                with target.read() as session:
                    held = carrying.secrets_on_server(session) if carry else carrying.NOTHING
                counts, kept = _fill(target, source, objects, workspace, advance, held), ""
        _settle_policy(workspace, ring, journal.head().rotations)
    can_record = workspace.log_key.exists()
    with closing(open_custody(chosen).database) as made, made.read() as session:
        links, tokens = carrying.without_secret(session), carrying.without_token(session)
    seconds = time.monotonic() - started
    return Rebuilt(
        source.head.size, counts.pages, tuple(counts.unindexed), counts.bytes,
        seconds, kept, can_record, tuple(links), tuple(tokens),
    )  # fmt: skip


def _settle_policy(
    workspace: Workspace, ring: KeyRing, rotations: Sequence[tuple[int, str]]
) -> None:
    """Write which key signed which sizes, if nothing but the present public key is there.

    The first key stands in the first rotation; the chain of rotations, each signed by both of
    its keys, must end in the key that was trusted.

    Raises:
        IntegrityError: it ends in another one.
    """
    if not rotations or workspace.policy.exists():
        return
    lines = parse_note(rotations[0][1].encode()).text.split("\n")
    first = Verifier.parse(lines[2].removeprefix("old "))
    whole = follow_rotations(KeyRing.single(first), rotations)
    if whole.current != ring.current:
        raise IntegrityError(
            "the rotations of the log do not end in the key that is trusted here",
            remedy="compare keys/log.pub with the published one",
        )
    write_policy(workspace, Policy(whole))


def _require_empty(target: Database) -> None:
    file = target.file
    if target.embedded and (file is None or not file.exists() or not file.stat().st_size):
        return
    try:
        taken = tables.holds_anything(target)
    except CustodyError:
        taken = True
    if taken:
        raise ConflictError(
            "there is a database already; it was not touched",
            remedy="to replace it with what log and objects say: custody rebuild --replace",
        )


def _beside(
    target: Database,
    source: Source,
    objects: ObjectStore,
    workspace: Workspace,
    advance: Advance,
    *,
    carry: bool,
) -> tuple[_Counts, str]:
    """Build SQLite's file beside the old one, then swap."""
    file = target.file
    if file is None:
        raise HostError("a database in memory cannot be rebuilt", remedy="set CUSTODY_DATABASE")
    target.close()
    made = file.with_name(f"{file.name}.rebuilding")
    for ending in ("", "-wal", "-shm"):
        made.with_name(made.name + ending).unlink(missing_ok=True)
    database = Database.open(f"sqlite:///{made.resolve()}")
    upgrade(database)
    counts = _fill(database, source, objects, workspace, advance, carrying.NOTHING)
    kept = tables.set_aside(file, datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    if carry and kept:  # Read only now, when nobody can set a password there any more.
        with database.write() as session:
            carrying.put_back(session, carrying.secrets_of_file(kept))
    database.close()
    tables.put_in_place(made, file)
    return counts, str(kept) if kept else ""


@dataclass
class _Counts:
    bytes: int
    pages: int
    unindexed: list[str]


def _fill(
    database: Database,
    source: Source,
    objects: ObjectStore,
    workspace: Workspace,
    advance: Advance,
    held: carrying.Secrets,
) -> _Counts:
    counts = _Counts(0, 0, [])
    size = source.head.size
    with tables.filling(database) as session_of:
        done = 0
        for chunk in _chunks(source.reader.entries(0, size)):
            with session_of() as session:
                tables.fill(session, chunk)
            counts.bytes += sum(len(leaf) for _, leaf in chunk)
            done += len(chunk)
            advance("events", done, size)
        with session_of() as session:
            frontier = tables.frontier_of(session)
            if (frontier.size, frontier.root()) != source.head.head:
                raise IntegrityError(
                    "the log changed while it was read; nothing was replaced",
                    remedy="stop whoever writes to the store, then rebuild again",
                )
            tables.mark_published(session, source.published, source.published_size)
            tables.restore_claimed(session, list(_claimed(workspace)))
        _index(session_of, objects, counts, advance)
        _expand(session_of, objects, counts, advance)
        with session_of() as session:
            carrying.put_back(session, held)
    return counts


def _chunks(entries: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    chunk: list[tuple[int, bytes]] = []
    for entry in entries:
        chunk.append(entry)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _claimed(workspace: Workspace) -> Iterator[tuple[str, str, str]]:
    for folder in sorted(workspace.claimed.iterdir()):
        bundles = sorted((folder / "bundle").glob("*")) if folder.is_dir() else []
        if bundles:
            at = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
            yield folder.name, bundles[0].name, stamp(at, "UTC")


def _index(
    session_of: tables.OpenSession, objects: ObjectStore, counts: _Counts, advance: Advance
) -> None:
    """Index the text of every exhibit again, from the transcript of its newest reading."""
    after, done = -1, 0
    with ThreadPoolExecutor(2) as pool:
        while True:
            with session_of() as session:
                rows = tables.readings(session, after, _READINGS)
                if not rows:
                    return
                kept = [row for row in rows if row["kept"]]
                loaded = list(pool.map(lambda row: _load(objects, row), kept))
                for row, pages in zip(kept, loaded, strict=True):
                    if pages is None:
                        counts.unindexed.append(row["exhibit_id"])
                        continue
                    index_pages(session, row["case_id"], row["exhibit_id"], pages)
                    counts.pages += len(pages)
                    counts.bytes += row["details"]["fingerprint"]["size"]
            after = rows[-1]["event_index"]
            done += len(rows)
            advance("text", done, 0)


def _expand(
    session_of: tables.OpenSession, objects: ObjectStore, counts: _Counts, advance: Advance
) -> None:
    """Make the rows and pages of parts again, from the listings in force in the log's order.

    A listing that is gone or changed is named and left out, like a transcript.
    """
    after, done = -1, 0
    while True:
        with session_of() as session:
            rows = parts.listings(session, after, _READINGS)
        if not rows:
            return
        for row in (row for row in rows if row["kept"]):
            if not _refill(session_of, objects, row, counts):
                counts.unindexed.append(row["exhibit_id"])
            done += 1
            advance("parts", done, 0)
        after = rows[-1]["event_index"]


def _refill(
    session_of: tables.OpenSession, objects: ObjectStore, row: dict[str, Any], counts: _Counts
) -> bool:
    """Fill in one listing; return False if its bytes are gone or not those recorded."""
    details = row["details"]
    ref = ObjectRef.from_json(details["object"])
    try:
        with objects.open(ref) as stream:
            if fingerprint(stream) != Fingerprint.from_json(details["fingerprint"]):
                return False
        with objects.open(ref) as stream:
            counts.pages += refill(
                session_of, row["exhibit_id"], row["case_id"], stream, details["object"]
            )
    except (CustodyError, OSError, ValueError):
        return False
    counts.bytes += ref.size
    return True


def _load(objects: ObjectStore, row: dict[str, Any]) -> Sequence[PageInput] | None:
    """Return the pages of a transcript, or None if its bytes are gone or not those recorded."""
    details = row["details"]
    wanted = Fingerprint.from_json(details["fingerprint"])
    try:
        ref = ObjectRef.from_json(details["object"])
        with objects.open(ref) as stream:
            data = stream.read(wanted.size + 1)
        if fingerprint_bytes(data) != wanted:
            return None
        return page_inputs(Transcript.from_json(json.loads(data)), row)
    except (CustodyError, OSError, ValueError):
        return None
